/* rec_ckpt.c - what recorders keep, saved and loaded by one walk (pack.h).
 *
 * A new field of struct rec or rec_part gets a line here, or its name in the list of what is no
 * state; tests/lint/state.sh compares. */
/* SPDX-License-Identifier: MIT */
#include "core/base/pack.h"
#include "core/rec_part.h"

/* No state of struct rec: dir_fd keep arena head tail n spec weights mean sd.
 * No state of struct rec_part: wanted subject every slice finish variable row counts sorted. */

void rec_keep(struct rec *r)
{
	r->keep = true;
}

int rec_sync(struct rec *r, struct err *err)
{
	int rc = 0;

	for (struct rec_part *p = r->head; p && !rc; p = rec_part_after(p)) {
		for (size_t i = 0; i < p->entry.n_columns && !rc; i++) {
			struct rec_column *c = &p->entry.columns[i];

			rc = column_sync(c->open, err);
			c->damaged = c->damaged || rc;
		}
	}
	return rc;
}

static int column(struct rec_column *c, struct pack *p)
{
	uint64_t rows = c->rows;

	if (pack_u64(p, &rows) || !p->loading)
		return p->rc;
	p->rc = column_restore(c->open, rows, &p->err);
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

static int part(struct rec *r, struct rec_part *x, struct pack *p)
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
		(void)column(&x->entry.columns[i], p);
	return p->rc;
}

int rec_pack(struct rec *r, struct pack *p)
{
	(void)pack_same(p, r->n, "number of recordings");
	(void)pack_u64(p, &r->recorded);
	(void)pack_bytes(p, r->spikes, r->spec->n_populations, sizeof(*r->spikes));
	for (struct rec_part *x = r->head; x && !p->rc; x = rec_part_after(x))
		(void)part(r, x, p);
	if (p->loading)
		r->keep = false; /* what is made later is new */
	return p->rc;
}
