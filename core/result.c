/* result.c - result.json: provenance, counts, metrics and where the columns stand. */
/* SPDX-License-Identifier: MIT */
#include "core/result.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/rundir.h"

/* The compiler's flags that touch numbers; the build says them. */
#ifndef STDP_FLAGS
#define STDP_FLAGS ""
#endif

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

enum { RESULT_BYTES_MAX = 1 << 30, RESULT_RESERVE = 16384 };

static void key(struct buf *b, const char *name)
{
	buf_json_string(b, name);
	buf_char(b, ':');
}

static void text(struct buf *b, const char *name, const char *value)
{
	key(b, name);
	buf_json_string(b, value);
	buf_char(b, ',');
}

static void number(struct buf *b, const char *name, double value)
{
	key(b, name);
	buf_double(b, value);
	buf_char(b, ',');
}

static void integer(struct buf *b, const char *name, uint64_t value)
{
	buf_printf(b, "\"%s\":%" PRIu64 ",", name, value);
}

static void boolean(struct buf *b, const char *name, bool value)
{
	key(b, name);
	buf_str(b, value ? "true," : "false,");
}

/* End an object or array: its last comma goes. */
static void end(struct buf *b, char bracket)
{
	if (!b->failed && b->len && b->data[b->len - 1] == ',')
		b->len--;
	buf_char(b, bracket);
}

static void end_comma(struct buf *b, char bracket)
{
	end(b, bracket);
	buf_char(b, ',');
}

static void u32_array(struct buf *b, const char *name, const uint32_t *x, uint64_t n)
{
	key(b, name);
	buf_char(b, '[');
	for (uint64_t i = 0; x && i < n; i++)
		buf_printf(b, "%" PRIu32 ",", x[i]);
	end_comma(b, ']');
}

static void synapses(struct buf *b, const struct rec_entry *e)
{
	key(b, "synapses");
	if (!e->synapses) {
		buf_str(b, "null,");
		return;
	}
	buf_char(b, '[');
	for (uint64_t i = 0; i < e->n_synapses; i++)
		buf_printf(b, "%" PRIu64 ",", e->synapses[i]);
	end_comma(b, ']');
}

static void edges(struct buf *b, const struct rec_entry *e)
{
	key(b, "edges");
	buf_char(b, '[');
	for (size_t i = 0; e->edges && i <= e->bins; i++) {
		buf_double(b, e->edges[i]);
		buf_char(b, ',');
	}
	end_comma(b, ']');
}

static void units(struct buf *b, const struct rec_entry *e)
{
	key(b, "units");
	buf_char(b, '{');
	for (size_t i = 0; i < e->n_columns; i++)
		text(b, e->columns[i].name, e->columns[i].unit);
	end_comma(b, '}');
}

static void meta(struct buf *b, const struct rec_entry *e)
{
	key(b, "meta");
	buf_char(b, '{');
	switch (e->kind) {
	case REC_SPIKES:
		integer(b, "size", e->size);
		break;
	case REC_STATES:
		text(b, "unit", unit_name(e->unit));
		u32_array(b, "neurons", e->neurons, e->n_neurons);
		integer(b, "first", (uint64_t)e->every);
		integer(b, "every", (uint64_t)e->every);
		break;
	case REC_WEIGHTS:
	case REC_FINAL_WEIGHTS:
		synapses(b, e);
		break;
	case REC_UPDATES:
		synapses(b, e);
		u32_array(b, "source", e->source, e->n_synapses);
		u32_array(b, "target", e->target, e->n_synapses);
		break;
	case REC_HISTOGRAM:
		edges(b, e);
		break;
	case REC_RATES:
		integer(b, "bin", (uint64_t)e->every);
		integer(b, "size", e->size);
		break;
	case REC_TABLE:
		units(b, e);
		break;
	case REC_KIND_N:
		break;
	}
	end_comma(b, '}');
}

static void recording(struct buf *b, const struct rec_entry *e)
{
	buf_char(b, '{');
	text(b, "kind", rec_kind_name(e->kind));
	text(b, "subject", e->subject);
	text(b, "name", e->name);
	meta(b, e);
	key(b, "columns");
	buf_char(b, '[');
	for (size_t i = 0; i < e->n_columns; i++) {
		const struct rec_column *c = &e->columns[i];

		buf_char(b, '{');
		text(b, "name", c->name);
		text(b, "type", npy_descr(c->type));
		text(b, "file", c->file);
		integer(b, "rows", c->rows);
		integer(b, "width", c->width);
		end_comma(b, '}');
	}
	end(b, ']');
	end_comma(b, '}');
}

static void recordings(struct buf *b, const struct rec *const rec[2])
{
	key(b, "recordings");
	buf_char(b, '[');
	for (int i = 0; i < 2; i++) {
		const struct rec_entry *e = rec[i] ? rec_entries(rec[i]) : NULL;

		for (; e; e = e->next)
			if (e->ready)
				recording(b, e);
	}
	end_comma(b, ']');
}

static void one_error(struct buf *b, const struct err *e)
{
	buf_char(b, '{');
	text(b, "code", err_name(e->code));
	text(b, "path", e->path);
	text(b, "text", e->text);
	if (e->line > 0)
		integer(b, "line", (uint64_t)e->line);
	if (e->line > 0 && e->column > 0)
		integer(b, "column", (uint64_t)e->column);
	end_comma(b, '}');
}

static void errors(struct buf *b, const struct result *r)
{
	buf_printf(b, "\"partial\":%s,", r->error ? "true" : "false");
	key(b, "error");
	if (r->error)
		one_error(b, r->error);
	else
		buf_str(b, "null,");
	if (!r->errors || err_list_count(r->errors) == 0)
		return;
	key(b, "errors");
	buf_char(b, '[');
	for (size_t i = 0; i < r->errors->n; i++)
		one_error(b, &r->errors->items[i]);
	end_comma(b, ']');
}

static void provenance(struct buf *b, const struct result *r)
{
	text(b, "version", r->version);
	text(b, "compiler", COMPILER);
	text(b, "flags", STDP_FLAGS);
	integer(b, "threads", r->threads);
	buf_printf(b, "\"seed\":\"%" PRIu64 "\",", r->seed);
	number(b, "wall_s", r->wall_s);
	number(b, "model_ms", r->model_ms);
	number(b, "duration_ms", r->duration_ms);
	number(b, "dt_ms", r->dt_ms);
	if (r->has_digest)
		buf_printf(b, "\"digest\":\"%016" PRIx64 "\",", r->digest);
	else
		buf_str(b, "\"digest\":null,");
}

static void counts(struct buf *b, const struct sim_counts *c)
{
	key(b, "counts");
	buf_char(b, '{');
	integer(b, "spikes", c->spikes);
	integer(b, "synaptic_events", c->synaptic_events);
	integer(b, "plastic_updates", c->plastic_updates);
	integer(b, "steps", c->steps);
	end_comma(b, '}');
}

static void network(struct buf *b, const struct spec *spec, const struct sim *sim)
{
	key(b, "populations");
	buf_char(b, '{');
	for (size_t i = 0; spec && i < spec->n_populations; i++) {
		key(b, spec->populations[i].name);
		buf_char(b, '{');
		text(b, "model", spec->populations[i].model->name);
		integer(b, "size", spec->populations[i].size);
		end_comma(b, '}');
	}
	end_comma(b, '}');
	key(b, "projections");
	buf_char(b, '{');
	for (size_t i = 0; spec && i < spec->n_projections; i++) {
		const struct spec_projection *p = &spec->projections[i];

		key(b, p->name);
		buf_char(b, '{');
		text(b, "source", spec->populations[p->source].name);
		text(b, "target", spec->populations[p->target].name);
		text(b, "model", p->model->name);
		if (sim)
			integer(b, "synapses", sim_synapses(sim, i));
		end_comma(b, '}');
	}
	end_comma(b, '}');
}

static void metrics(struct buf *b, const struct result_metric *m)
{
	key(b, "metrics");
	buf_char(b, '{');
	for (; m; m = m->next)
		number(b, m->name, m->value);
	end_comma(b, '}');
}

static void targets(struct buf *b, const struct result_target *t)
{
	key(b, "targets");
	buf_char(b, '[');
	for (; t; t = t->next) {
		buf_char(b, '{');
		text(b, "name", t->name);
		text(b, "unit", t->unit);
		number(b, "value", t->value);
		number(b, "low", t->low);
		number(b, "high", t->high);
		boolean(b, "pass", t->pass);
		end_comma(b, '}');
	}
	end_comma(b, ']');
}

static void score(struct buf *b, const struct result_score *s)
{
	key(b, "score");
	if (!s->name) {
		buf_str(b, "null,");
		return;
	}
	buf_char(b, '{');
	text(b, "name", s->name);
	text(b, "unit", s->unit);
	number(b, "value", s->has_value ? s->value : (double)NAN);
	boolean(b, "higher_is_better", s->higher_is_better);
	text(b, "reference", s->reference);
	end_comma(b, '}');
}

static void remarks(struct buf *b, const struct result_remark *r)
{
	key(b, "remarks");
	buf_char(b, '[');
	for (; r; r = r->next) {
		buf_json_string(b, r->text);
		buf_char(b, ',');
	}
	end_comma(b, ']');
}

static int write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		data += done;
		n -= (size_t)done;
	}
	return 0;
}

static int io_error(struct err *err, const char *what)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

	return err_set(err, full ? ERR_NOSPACE : ERR_IO, "", "%s: %s", what, strerror(errno));
}

/* Not truncated before it is written: its blocks may be the last on a full disk. */
static int open_part(int dir_fd)
{
	return openat(dir_fd, RUNDIR_RESULT_PART, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		      0666);
}

static int leave(int dir_fd, const char *file, const char *data, size_t n, struct err *err)
{
	int fd = open_part(dir_fd);
	int rc = 0;

	if (fd < 0)
		return io_error(err, "cannot create result.part");
	if (write_all(fd, data, n) || ftruncate(fd, (off_t)n))
		rc = io_error(err, "cannot write result.part");
	if (close(fd) && !rc)
		rc = io_error(err, "cannot close result.part");
	if (!rc && renameat(dir_fd, RUNDIR_RESULT_PART, dir_fd, file))
		rc = io_error(err, "cannot rename result.part");
	return rc;
}

void result_reserve(int dir_fd)
{
	static const char nothing[RESULT_RESERVE];
	int fd = open_part(dir_fd);

	if (fd < 0)
		return; /* the first column will tell why */
	(void)write_all(fd, nothing, sizeof(nothing));
	(void)close(fd);
}

int result_write(int dir_fd, const struct result *r, struct err *err)
{
	return result_write_as(dir_fd, RUNDIR_RESULT, r, err);
}

int result_write_as(int dir_fd, const char *file, const struct result *r, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, RESULT_BYTES_MAX);
	buf_char(&b, '{');
	provenance(&b, r);
	errors(&b, r);
	counts(&b, &r->counts);
	metrics(&b, r->metrics);
	targets(&b, r->targets);
	remarks(&b, r->remarks);
	score(&b, &r->score);
	network(&b, r->spec, r->sim);
	recordings(&b, (const struct rec *const[2]){ r->rec, r->more });
	end(&b, '}');
	buf_char(&b, '\n');
	if (b.failed == ERR_NOMEM)
		rc = err_nomem(err);
	else if (b.failed)
		rc = err_set(err, ERR_LIMIT, "", "result.json would be larger than %d bytes",
			     RESULT_BYTES_MAX);
	else
		rc = leave(dir_fd, file, b.data, b.len, err);
	buf_release(&b);
	return rc;
}

/* Characters that JSON wants escaped are replaced: no message of ours has any worth keeping. */
static void plain(char *ret, size_t max, const char *s)
{
	size_t n = 0;

	for (; s[n] && n + 1 < max; n++)
		ret[n] = s[n] == '"' || s[n] == '\\' || (unsigned char)s[n] < 32 ? '\'' : s[n];
	ret[n] = '\0';
}

int result_write_error(int dir_fd, const struct result *r, struct err *err)
{
	char path[ERR_PATH_MAX], sentence[ERR_TEXT_MAX], all[1024];
	int n, rc;

	plain(path, sizeof(path), r->error->path);
	plain(sentence, sizeof(sentence), r->error->text);
	n = snprintf(all, sizeof(all),
		     "{\"version\":\"%s\",\"compiler\":\"%s\",\"flags\":\"\",\"threads\":%u,"
		     "\"seed\":\"%" PRIu64 "\",\"digest\":null,\"partial\":true,"
		     "\"error\":{\"code\":\"%s\",\"path\":\"%s\",\"text\":\"%s\"},"
		     "\"counts\":{},\"metrics\":{},\"targets\":[],\"remarks\":[],\"score\":null,"
		     "\"populations\":{},\"projections\":{},"
		     "\"recordings\":[]}\n",
		     r->version, "", r->threads, r->seed, err_name(r->error->code), path, sentence);
	if (n < 0 || (size_t)n >= sizeof(all))
		return err_set(err, ERR_INTERNAL, "", "the error is too long to be written");
	rc = leave(dir_fd, RUNDIR_RESULT, all, (size_t)n, err);
	if (rc)
		(void)unlinkat(dir_fd, RUNDIR_RESULT_PART, 0);
	return rc;
}
