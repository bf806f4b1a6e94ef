/* rec.c - recorders of spikes, states and rates; the observer that drives all recorders. */
/* SPDX-License-Identifier: MIT */
#include "core/rec.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/rec_part.h"

struct rec_part *rec_part_new(struct rec *r, enum rec_kind kind, const char *subject,
			      const char *name, size_t n_columns)
{
	struct rec_part *p = NEW(r->arena, struct rec_part, 1);

	if (!p)
		return NULL;
	p->entry.columns = NEW(r->arena, struct rec_column, n_columns);
	if (!p->entry.columns)
		return NULL;
	p->entry.kind = kind;
	p->entry.subject = subject;
	p->entry.name = name;
	p->last = -1;
	p->wanted = n_columns;
	if (r->tail)
		r->tail->entry.next = &p->entry;
	else
		r->head = p;
	r->tail = p;
	r->n++;
	return p;
}

void rec_part_name(char *ret, const char *prefix, size_t part, size_t i)
{
	/* The file is named by numbers: no path is ever made of a user's text. */
	(void)snprintf(ret, REC_PART_NAME, "%s%zu-%zu.col", prefix, part, i);
}

int rec_part_column(struct rec *r, struct rec_part *p, size_t i, const char *name,
		    enum npy_type type, uint64_t width, struct err *err)
{
	struct rec_column *c = &p->entry.columns[i];
	char text[REC_PART_NAME], *file;
	int rc;

	rec_part_name(text, r->prefix, r->n - 1, i);
	file = mem_arena_strdup(r->arena, text);

	if (!file)
		return err_nomem(err);
	*c = (struct rec_column){ .name = name, .file = file, .type = type, .width = width };
	rc = r->keep ? column_keep(&c->open, r->dir_fd, file, type, width, err)
		     : column_open(&c->open, r->dir_fd, file, type, width, err);
	if (rc)
		return rc;
	p->entry.n_columns = i + 1;
	p->entry.ready = p->entry.n_columns == p->wanted;
	return 0;
}

int rec_part_add(struct rec_part *p, size_t i, const void *values, uint64_t rows, struct err *err)
{
	struct rec_column *c = &p->entry.columns[i];
	int rc = column_add(c->open, values, rows, err);

	c->damaged = c->damaged || rc;
	if (!rc)
		c->rows += rows;
	return rc;
}

/* Spikes: a spike of count n is n rows. */

enum { BLOCK = 512 };

struct block {
	int64_t step[BLOCK];
	uint32_t neuron[BLOCK];
	size_t n;
};

static int block_write(struct rec_part *p, struct block *b, struct err *err)
{
	int rc = rec_part_add(p, 0, b->step, b->n, err);

	if (!rc)
		rc = rec_part_add(p, 1, b->neuron, b->n, err);
	b->n = 0;
	return rc;
}

static int spikes_limit(const struct rec *r, int64_t step, struct err *err)
{
	return err_set(err, ERR_LIMIT, "/limits/max_spikes",
		       "at most %" PRIu64 " spikes may be recorded; there was one more at %g ms",
		       r->spec->limits.max_spikes, (double)step * r->spec->dt);
}

static int spikes_slice(struct rec *r, struct rec_part *p, const struct sim_view *v,
			struct err *err)
{
	const struct sim_spike *s = v->spikes[p->subject];
	uint64_t max = r->spec->limits.max_spikes;
	struct block b;
	int rc = 0;

	b.n = 0;
	for (size_t i = 0; i < v->n_spikes[p->subject]; i++) {
		for (uint32_t k = 0; k < s[i].count; k++) {
			if (max && r->recorded == max) {
				rc = block_write(p, &b, err);
				return rc ? rc : spikes_limit(r, s[i].step, err);
			}
			r->recorded++;
			b.step[b.n] = s[i].step;
			b.neuron[b.n++] = s[i].neuron;
			if (b.n == BLOCK)
				rc = block_write(p, &b, err);
			if (rc)
				return rc;
		}
	}
	return block_write(p, &b, err);
}

static int spikes_attach(struct rec *r, struct err *err)
{
	for (size_t i = 0; i < r->spec->n_populations; i++) {
		const struct spec_population *pop = &r->spec->populations[i];
		struct rec_part *p;
		int rc;

		if (!pop->record_spikes)
			continue;
		p = rec_part_new(r, REC_SPIKES, pop->name, "", 2);
		if (!p)
			return err_nomem(err);
		p->subject = i;
		p->entry.size = pop->size;
		p->slice = spikes_slice;
		rc = rec_part_column(r, p, 0, "step", NPY_I64, 1, err);
		if (!rc)
			rc = rec_part_column(r, p, 1, "neuron", NPY_U32, 1, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* States. */

static int states_slice(struct rec *r, struct rec_part *p, const struct sim_view *v,
			struct err *err)
{
	const double *x;

	(void)r;
	if (v->t1 == 0 || v->t1 % p->every != 0)
		return 0;
	x = sim_state(v->sim, p->subject, (size_t)p->variable);
	for (size_t i = 0; i < p->entry.n_neurons; i++)
		p->row[i] = x[p->entry.neurons[i]];
	return rec_part_add(p, 0, p->row, 1, err);
}

static const uint32_t *all_neurons(struct rec *r, size_t n)
{
	uint32_t *id = NEW(r->arena, uint32_t, n);

	for (size_t i = 0; id && i < n; i++)
		id[i] = (uint32_t)i;
	return id;
}

static int states_new(struct rec *r, const struct spec_record_states *s, int variable,
		      const uint32_t *neurons, size_t n, struct err *err)
{
	const struct spec_population *pop = &r->spec->populations[s->population];
	const struct state_def *def = &pop->model->states[variable];
	struct rec_part *p = rec_part_new(r, REC_STATES, pop->name, def->name, 1);

	if (!p)
		return err_nomem(err);
	p->subject = s->population;
	p->variable = variable;
	p->every = p->entry.every = s->every;
	p->entry.unit = def->unit;
	p->entry.neurons = neurons;
	p->entry.n_neurons = n;
	p->slice = states_slice;
	p->row = NEW(r->arena, double, n);
	if (!p->row)
		return err_nomem(err);
	return rec_part_column(r, p, 0, "value", NPY_F64, n, err);
}

static int states_attach(struct rec *r, struct err *err)
{
	for (size_t i = 0; i < r->spec->n_states; i++) {
		const struct spec_record_states *s = &r->spec->states[i];
		const uint32_t *neurons = s->neurons;
		size_t n = s->n_neurons;

		if (!neurons) {
			n = r->spec->populations[s->population].size;
			neurons = all_neurons(r, n);
			if (!neurons)
				return err_nomem(err);
		}
		for (size_t k = 0; k < s->n_variables; k++) {
			int rc = states_new(r, s, s->variables[k], neurons, n, err);

			if (rc)
				return rc;
		}
	}
	return 0;
}

/* Rates. */

static int rates_close_bin(struct rec_part *p, struct err *err)
{
	int64_t count = p->count;

	p->count = 0;
	p->bin++;
	return rec_part_add(p, 0, &count, 1, err);
}

static int rates_slice(struct rec *r, struct rec_part *p, const struct sim_view *v, struct err *err)
{
	const struct sim_spike *s = v->spikes[p->subject];
	int64_t width = p->entry.every;
	int rc = 0;

	(void)r;
	for (size_t i = 0; i < v->n_spikes[p->subject]; i++) {
		while (!rc && p->bin < (s[i].step - 1) / width)
			rc = rates_close_bin(p, err);
		if (rc)
			return rc;
		p->count += s[i].count;
	}
	while (!rc && (p->bin + 1) * width <= v->t1)
		rc = rates_close_bin(p, err);
	return rc;
}

static int rates_finish(struct rec *r, struct rec_part *p, const struct sim *s, struct err *err)
{
	(void)r;
	if (sim_now(s) <= p->bin * p->entry.every)
		return 0;
	return rates_close_bin(p, err);
}

static int rates_attach(struct rec *r, struct err *err)
{
	for (size_t i = 0; i < r->spec->n_rates; i++) {
		const struct spec_record_rates *rate = &r->spec->rates[i];
		const struct spec_population *pop = &r->spec->populations[rate->population];
		struct rec_part *p = rec_part_new(r, REC_RATES, pop->name, "", 1);
		int rc;

		if (!p)
			return err_nomem(err);
		p->subject = rate->population;
		p->entry.every = rate->bin;
		p->entry.size = pop->size;
		p->slice = rates_slice;
		p->finish = rates_finish;
		rc = rec_part_column(r, p, 0, "count", NPY_I64, 1, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* The observer. */

struct rec_part *rec_part_after(const struct rec_part *p)
{
	/* An entry is the first member of its part; parts are never const. */
	union {
		const struct rec_entry *in;
		struct rec_part *out;
	} u = { .in = p->entry.next };

	return u.out;
}

static int64_t observer_next(void *self, int64_t t)
{
	const struct rec *r = self;
	int64_t next = INT64_MAX;

	for (const struct rec_part *p = r->head; p; p = rec_part_after(p)) {
		int64_t due = p->every > 0 ? (t / p->every + 1) * p->every : INT64_MAX;

		next = due < next ? due : next;
	}
	return next;
}

static int observer_slice(void *self, const struct sim_view *v, struct err *err)
{
	struct rec *r = self;

	for (size_t i = 0; i < r->spec->n_populations; i++) {
		uint64_t n = 0;

		for (size_t k = 0; k < v->n_spikes[i]; k++)
			n += v->spikes[i][k].count;
		r->spikes[i] += n;
	}
	for (struct rec_part *p = r->head; p; p = rec_part_after(p)) {
		int rc = p->slice ? p->slice(r, p, v, err) : 0;

		if (rc)
			return rc;
	}
	return 0;
}

struct rec *rec_new(int dir_fd, struct mem_arena *arena)
{
	struct rec *r = NEW(arena, struct rec, 1);

	if (!r)
		return NULL;
	r->dir_fd = dir_fd;
	r->arena = arena;
	return r;
}

int rec_attach(struct rec *r, struct sim *s, struct err *err)
{
	int rc;

	r->spec = sim_spec(s);
	r->spikes = NEW(r->arena, uint64_t, r->spec->n_populations + 1);
	if (!r->spikes)
		return err_nomem(err);
	rc = spikes_attach(r, err);
	if (!rc)
		rc = states_attach(r, err);
	if (!rc)
		rc = rates_attach(r, err);
	if (!rc)
		rc = rec_weights_attach(r, s, err);
	if (rc)
		return rc;
	sim_observe(s, (struct sim_observer){ r, observer_next, observer_slice });
	return 0;
}

int rec_finish(struct rec *r, const struct sim *s, struct err *err)
{
	for (struct rec_part *p = r->head; p; p = rec_part_after(p)) {
		int rc = p->finish ? p->finish(r, p, s, err) : 0;

		if (rc)
			return rc;
	}
	return rec_weights_finish(r, s, err);
}

int rec_table(struct rec *r, const char *name, size_t n_columns, const char *const *names,
	      const char *const *units, const double *const *columns, size_t n_rows,
	      struct err *err)
{
	char *own = mem_arena_strdup(r->arena, name);
	struct rec_part *p = own ? rec_part_new(r, REC_TABLE, own, "", n_columns) : NULL;

	if (!p)
		return err_nomem(err);
	for (size_t i = 0; i < n_columns; i++) {
		char *label = mem_arena_strdup(r->arena, names[i]);
		char *unit = mem_arena_strdup(r->arena, units[i]);
		int rc;

		if (!label || !unit)
			return err_nomem(err);
		rc = rec_part_column(r, p, i, label, NPY_F64, 1, err);
		p->entry.columns[i].unit = unit;
		if (!rc)
			rc = rec_part_add(p, i, columns[i], n_rows, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* After a failed write: what is in the file, whole rows only. */
static void column_measure(const struct rec *r, struct rec_column *c)
{
	uint64_t row = c->width * npy_size(c->type);
	struct stat st;

	if (fstatat(r->dir_fd, c->file, &st, 0) || row == 0)
		c->rows = 0;
	else if ((uint64_t)st.st_size / row < c->rows)
		c->rows = (uint64_t)st.st_size / row;
}

/* Columns [from, to) grow together: a failure between two of them leaves one a row ahead. */
static void columns_level(struct rec_entry *e, size_t from, size_t to)
{
	uint64_t rows = UINT64_MAX;

	for (size_t i = from; i < to; i++)
		rows = e->columns[i].rows < rows ? e->columns[i].rows : rows;
	for (size_t i = from; i < to; i++)
		e->columns[i].rows = rows;
}

static int part_close(const struct rec *r, struct rec_part *p, struct err *err)
{
	bool weights = p->entry.kind == REC_WEIGHTS || p->entry.kind == REC_FINAL_WEIGHTS;
	int rc = 0;

	for (size_t i = 0; i < p->entry.n_columns; i++) {
		struct rec_column *c = &p->entry.columns[i];
		int one = column_close(c->open, rc ? NULL : err);

		c->open = NULL;
		if (one || c->damaged)
			column_measure(r, c);
		rc = rc ? rc : one;
	}
	if (p->entry.ready && weights)
		columns_level(&p->entry, 0, 2);
	if (p->entry.ready)
		columns_level(&p->entry, weights ? 2 : 0, p->entry.n_columns);
	return rc;
}

int rec_close(struct rec *r, struct err *err)
{
	int rc = 0;

	for (struct rec_part *p = r ? r->head : NULL; p; p = rec_part_after(p)) {
		int one = part_close(r, p, rc ? NULL : err);

		rc = rc ? rc : one;
	}
	return rc;
}

const struct rec_entry *rec_entries(const struct rec *r)
{
	return r->head ? &r->head->entry : NULL;
}

const char *rec_kind_name(enum rec_kind kind)
{
	static const char *const names[REC_KIND_N] = {
		[REC_SPIKES] = "spikes",
		[REC_STATES] = "states",
		[REC_WEIGHTS] = "weights",
		[REC_FINAL_WEIGHTS] = "final_weights",
		[REC_UPDATES] = "weight_updates",
		[REC_HISTOGRAM] = "weight_histogram",
		[REC_RATES] = "rates",
		[REC_TABLE] = "table",
	};

	return names[kind];
}

uint64_t rec_spikes(const struct rec *r, size_t population)
{
	return r->spikes ? r->spikes[population] : 0;
}

bool rec_weight_moments(const struct rec *r, size_t projection, double *ret_mean, double *ret_sd)
{
	if (!r->mean || isnan(r->mean[projection]))
		return false;
	*ret_mean = r->mean[projection];
	*ret_sd = r->sd[projection];
	return true;
}
