/* api_result_out.c - columns as JSON, NDJSON, CSV or NPZ. Written by hand: a tree of a million
 * numbers is no use. */
/* SPDX-License-Identifier: MIT */
#include "server/api_result.h"

#include <math.h>
#include <string.h>

#include "server/config.h"
#include "server/npz.h"

/* An integer, without the price of printf. */
static void add_integer(struct buf *b, int64_t x)
{
	char text[24], *at = text + sizeof(text);
	uint64_t u = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;

	do {
		*--at = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (x < 0)
		*--at = '-';
	(void)buf_add(b, at, (size_t)(text + sizeof(text) - at));
}

static double real_at(const struct api_result_column *col, uint64_t i)
{
	return ((const double *)col->data)[i];
}

/* A decimal with few places, as times are: exactly what buf_double writes, several times faster. */
static bool add_decimal(struct buf *b, double x)
{
	static const struct {
		double scale;
		int places;
	} tries[] = { { 1.0, 0 }, { 10.0, 1 }, { 100.0, 2 }, { 1000.0, 3 } };
	char text[24];

	if (!(x > 1e-3 && x < 1e11))
		return false;
	for (size_t i = 0; i < COUNTOF(tries); i++) {
		double whole = floor(x * tries[i].scale + 0.5);
		int64_t rest, unit = (int64_t)tries[i].scale;

		if (whole / tries[i].scale != x)
			continue;
		rest = (int64_t)whole % unit;
		add_integer(b, (int64_t)whole / unit);
		if (tries[i].places == 0)
			return true;
		text[0] = '.';
		for (int k = tries[i].places; k > 0; k--, rest /= 10)
			text[k] = (char)('0' + rest % 10);
		(void)buf_add(b, text, (size_t)tries[i].places + 1);
		return true;
	}
	return false;
}

static void add_real(struct buf *b, double x)
{
	if (!add_decimal(b, x))
		(void)buf_double(b, x);
}

static void add_value(struct buf *b, const struct api_result_column *col, uint64_t i)
{
	switch (col->type) {
	case NPY_I64:
		add_integer(b, ((const int64_t *)col->data)[i]);
		break;
	case NPY_U32:
		add_integer(b, ((const uint32_t *)col->data)[i]);
		break;
	case NPY_F64:
		add_real(b, real_at(col, i));
		break;
	case NPY_F32:
	case NPY_U8:
	case NPY_I32:
	case NPY_U16:
	case NPY_I16:
	case NPY_I8:
	case NPY_U64:
	case NPY_BOOL:
	case NPY_N:
		(void)buf_double(b, npy_get(col->type, col->data, (size_t)i));
		break;
	}
}

static uint64_t index_of(const struct api_result_column *col, uint64_t row, uint64_t k)
{
	return col->by_series ? k * col->rows + row : row * col->width + k;
}

/* ---- JSON ---- */

/* [a,b,...] of `n` values from `first` on. */
static void add_list(struct buf *b, const struct api_result_column *col, uint64_t first, uint64_t n)
{
	(void)buf_char(b, '[');
	for (uint64_t i = 0; i < n; i++) {
		if (i)
			(void)buf_char(b, ',');
		add_value(b, col, first + i);
	}
	(void)buf_char(b, ']');
}

static void add_column(struct buf *b, const struct api_result_column *col)
{
	uint64_t outer = col->offset ? col->n_lists : col->by_series ? col->width : col->rows;
	uint64_t inner = col->by_series ? col->rows : col->width;

	if (!col->offset && !col->width) {
		add_list(b, col, 0, col->rows);
		return;
	}
	(void)buf_char(b, '[');
	for (uint64_t i = 0; i < outer; i++) {
		if (i)
			(void)buf_char(b, ',');
		if (col->offset)
			add_list(b, col, col->offset[i], col->offset[i + 1] - col->offset[i]);
		else
			add_list(b, col, i * inner, inner);
	}
	(void)buf_char(b, ']');
}

static uint64_t values_of(const struct api_result_column *col)
{
	return col->rows * (col->width ? col->width : 1);
}

static uint64_t count_nulls(const struct api_result *c)
{
	uint64_t n = 0;

	for (size_t k = 0; k < c->n_columns; k++) {
		const struct api_result_column *col = &c->columns[k];

		for (uint64_t i = 0;
		     col->type == NPY_F64 && col->in & API_RESULT_JSON && i < values_of(col); i++)
			n += isfinite(real_at(col, i)) ? 0 : 1;
	}
	return n;
}

static void write_json(struct api_result *c, struct buf *b)
{
	uint64_t nulls = count_nulls(c);

	if (c->run.partial || c->run.state != RUN_SUCCEEDED)
		api_result_raw(c, "partial", "true");
	if (nulls)
		api_result_integer(c, "non_finite", nulls);
	(void)buf_char(b, '{');
	(void)buf_add(b, c->head.data, c->head.len);
	for (size_t k = 0; k < c->n_columns; k++) {
		if (!(c->columns[k].in & API_RESULT_JSON))
			continue;
		if (b->len > 1)
			(void)buf_char(b, ',');
		(void)buf_json_string(b, c->columns[k].name);
		(void)buf_char(b, ':');
		add_column(b, &c->columns[k]);
	}
	(void)buf_char(b, '}');
}

/* ---- rows ---- */

static uint64_t n_rows(const struct api_result *c, unsigned format)
{
	for (size_t k = 0; k < c->n_columns; k++)
		if (c->columns[k].in & 1U << format)
			return c->columns[k].rows;
	return 0;
}

void api_result_csv_text(struct buf *b, const char *s)
{
	if (!strpbrk(s, ",\"\r\n")) {
		(void)buf_str(b, s);
		return;
	}
	(void)buf_char(b, '"');
	for (; *s; s++) {
		if (*s == '"')
			(void)buf_char(b, '"');
		(void)buf_char(b, *s);
	}
	(void)buf_char(b, '"');
}

static void add_names(struct buf *b, const struct api_result_column *col, bool first)
{
	if (!first)
		(void)buf_char(b, ',');
	if (!col->width)
		api_result_csv_text(b, col->name);
	for (uint64_t k = 0; k < col->width; k++) {
		if (k)
			(void)buf_char(b, ',');
		api_result_csv_text(b, col->name);
		(void)buf_char(b, '_');
		add_integer(b, col->labels ? (int64_t)col->labels[k] : (int64_t)k);
	}
}

/* Nothing stands for a value that is not finite. */
static void add_cell(struct buf *b, const struct api_result_column *col, uint64_t i)
{
	if (col->type != NPY_F64 || isfinite(real_at(col, i)))
		add_value(b, col, i);
}

static void write_csv(const struct api_result *c, struct buf *b)
{
	uint64_t rows = n_rows(c, API_CSV);
	bool first = true;

	for (size_t k = 0; k < c->n_columns; k++) {
		if (!(c->columns[k].in & 1 << API_CSV))
			continue;
		add_names(b, &c->columns[k], first);
		first = false;
	}
	(void)buf_str(b, "\r\n");
	for (uint64_t i = 0; i < rows && !b->failed; i++) {
		first = true;
		for (size_t k = 0; k < c->n_columns; k++) {
			const struct api_result_column *col = &c->columns[k];

			for (uint64_t j = 0;
			     col->in & 1 << API_CSV && j < (col->width ? col->width : 1); j++) {
				if (!first)
					(void)buf_char(b, ',');
				first = false;
				add_cell(b, col, col->width ? index_of(col, i, j) : i);
			}
		}
		(void)buf_str(b, "\r\n");
	}
}

static void write_ndjson(const struct api_result *c, struct buf *b)
{
	uint64_t rows = n_rows(c, API_NDJSON);

	for (uint64_t i = 0; i < rows && !b->failed; i++) {
		char before = '{';

		for (size_t k = 0; k < c->n_columns; k++) {
			const struct api_result_column *col = &c->columns[k];

			if (!(col->in & 1 << API_NDJSON))
				continue;
			(void)buf_char(b, before);
			before = ',';
			(void)buf_json_string(b, col->name);
			(void)buf_char(b, ':');
			if (!col->width) {
				add_value(b, col, i);
				continue;
			}
			for (uint64_t j = 0; j < col->width; j++) {
				(void)buf_char(b, j ? ',' : '[');
				add_value(b, col, index_of(col, i, j));
			}
			(void)buf_char(b, ']');
		}
		(void)buf_str(b, "}\n");
	}
}

/* ---- binary ---- */

static int write_npz(struct api_result *c, struct buf *b)
{
	struct buf_gap *gaps = NEW(c->rq->arena, struct buf_gap, API_RESULT_COLUMNS_MAX);
	struct npz z;
	int rc = 0;

	if (!gaps)
		return err_nomem(&c->err);
	npz_init_apart(&z, b, gaps, API_RESULT_COLUMNS_MAX);
	for (size_t k = 0; !rc && k < c->n_columns; k++) {
		const struct api_result_column *col = &c->columns[k];
		struct npy_header h = { .type = col->type, .n_dims = col->width ? 2 : 1 };

		if (!(col->in & API_RESULT_NPZ))
			continue;
		h.dim[0] = col->by_series ? col->width : col->rows;
		h.dim[1] = col->by_series ? col->rows : col->width;
		rc = npz_add(&z, col->name, &h, col->data, &c->err);
	}
	if (!rc)
		rc = npz_end(&z, &c->err);
	c->rs->gaps = gaps;
	c->rs->n_gaps = z.n_gaps;
	npz_release(&z);
	return rc;
}

int api_result_write(struct api_result *c)
{
	struct buf *b = &c->rs->body;
	int rc = 0;

	buf_init(b, (size_t)c->api->config->answer_max_mb << 20);
	if (c->format == API_JSON)
		write_json(c, b);
	else if (c->format == API_CSV)
		write_csv(c, b);
	else if (c->format == API_NDJSON)
		write_ndjson(c, b);
	else
		rc = write_npz(c, b);
	if (rc)
		return rc;
	if (c->head.failed || b->failed == ERR_NOMEM)
		return err_nomem(&c->err);
	if (b->failed)
		return err_set(&c->err, ERR_LIMIT, NULL,
			       "the answer would have more than %lld MiB; ask for less at once",
			       (long long)c->api->config->answer_max_mb);
	if (!c->rs->status)
		c->rs->status = 200;
	c->rs->content_type = api_media(c->format);
	return 0;
}
