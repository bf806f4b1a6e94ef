/* rec_ckpt.c - what recorders keep, saved and loaded by one walk (pack.h).
 *
 * A new field of struct rec or rec_part gets a line here, or its name in the list of what is no
 * state; tests/lint/state.sh compares. */
/* SPDX-License-Identifier: MIT */
#include "core/base/pack.h"
#include "core/rec_part.h"

/* No state of struct rec: dir_fd keep prefix taking from_fd from_prefix arena head tail n spec weights
 * mean sd.
 * No state of struct rec_part: wanted subject every slice finish variable row counts sorted. */

static int column(const struct rec *r, struct rec_column *c, size_t part, size_t i, struct pack *p)
{
	uint64_t rows = c->rows;
	char name[REC_PART_NAME];

	if (pack_u64(p, &rows) || !p->loading)
		return p->rc;
	rec_part_name(name, r->from_prefix, part, i);
	p->rc = r->taking ? column_take(c->open, r->from_fd, name, rows, &p->err)
			  : column_restore(c->open, rows, &p->err);
	c->rows = rows;
	return p->rc;
}

static int histogram(struct rec *r, struct rec_part *x, struct pack *p)
{
	uint64_t known = x->edges != NULL;

	(void)pack_u64(p, &known);
	(void)pack_f64(p, &x->min);
	(void)pack_f64(p, &x->max);
	if (p->rc || !p->loading || !known)
		return p->rc;
	p->rc = rec_weights_edges(r, x, &p->err);
	return p->rc;
}

static int part(struct rec *r, struct rec_part *x, size_t k, struct pack *p)
{
	int64_t end = r->spec->steps;

	(void)pack_same(p, (uint64_t)x->entry.kind, "kind of recording");
	(void)pack_i64(p, &x->last, -1, end, "time of a sample");
	(void)pack_i64(p, &x->bin, 0, end, "bin of a rate");
	(void)pack_i64(p, &x->count, 0, INT64_MAX, "count of a rate");
	if (x->entry.kind == REC_HISTOGRAM)
		(void)histogram(r, x, p);
	(void)pack_same(p, x->entry.n_columns, "number of columns");
	for (size_t i = 0; i < x->entry.n_columns && !p->rc; i++)
		(void)column(r, &x->entry.columns[i], k, i, p);
	return p->rc;
}

int rec_pack(struct rec *r, struct pack *p)
{
	size_t k = 0;

	(void)pack_same(p, r->n, "number of recordings");
	(void)pack_u64(p, &r->recorded);
	(void)pack_bytes(p, r->spikes, r->spec->n_populations, sizeof(*r->spikes));
	for (struct rec_part *x = r->head; x && !p->rc; x = rec_part_after(x))
		(void)part(r, x, k++, p);
	if (p->loading)
		r->keep = r->taking = false; /* what is made later is new */
	return p->rc;
}
