/* dataset_csv.c - tables of numbers: a field for each column.
 *
 * The first line names the columns; if it holds numbers only there are no names: the columns are
 * c0, c1, ... and beside them stands the whole table as the field "values". Comma, semicolon or
 * tab, whichever the first line has. A column that begins with a word is named as text and its
 * values are left out; after that every cell of a column of numbers must be a number. Lines that
 * begin with # and empty lines are skipped. */
/* SPDX-License-Identifier: MIT */
#include "server/dataset.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_MAX = 256 };

struct csv {
	const char *at, *end;
	size_t line; /* of the text, from 1 */
	char separator;
	bool header;
	size_t n_columns;
	size_t rows, cap;
	double **column; /* [n_columns][cap] */
	bool *text, *fraction;
	struct mem_arena *arena;
	struct dataset_field *fields;
};

struct cell {
	const char *at;
	size_t n;
};

static size_t line_length(const struct csv *c)
{
	const char *nl = memchr(c->at, '\n', (size_t)(c->end - c->at));

	return (size_t)((nl ? nl : c->end) - c->at);
}

/* Go on to the next line that counts; false at the end. */
static bool next_line(struct csv *c, const char **ret, size_t *ret_n)
{
	while (c->at < c->end) {
		const char *line = c->at;
		size_t n = line_length(c);

		c->at += n < (size_t)(c->end - c->at) ? n + 1 : n;
		c->line++;
		while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' '))
			n--;
		if (n > 0 && line[0] != '#') {
			*ret = line;
			*ret_n = n;
			return true;
		}
	}
	return false;
}

/* The next cell of a line, without quotes and blanks around; false behind the last. */
static bool next_cell(const struct csv *c, const char **at, const char *end, struct cell *ret)
{
	const char *from = *at, *to = from;
	bool quoted = false;

	if (!from)
		return false;
	while (to < end && (quoted || *to != c->separator)) {
		quoted ^= *to == '"';
		to++;
	}
	*at = to < end ? to + 1 : NULL;
	while (from < to && (*from == ' ' || *from == '"'))
		from++;
	while (to > from && (to[-1] == ' ' || to[-1] == '"'))
		to--;
	*ret = (struct cell){ from, (size_t)(to - from) };
	return true;
}

static bool number(struct cell cell, double *ret)
{
	char text[CELL_MAX], *end;

	if (cell.n == 0 || cell.n >= sizeof(text) || !strchr("+-.0123456789", cell.at[0]))
		return false;
	if (cell.n > 1 && (cell.at[1] == 'x' || cell.at[1] == 'X'))
		return false; /* strtod reads hexadecimal, too */
	memcpy(text, cell.at, cell.n);
	text[cell.n] = '\0';
	*ret = strtod(text, &end);
	return *end == '\0' && isfinite(*ret);
}

static char separator(const char *line, size_t n)
{
	static const char all[] = ",;\t";

	for (const char *s = all; *s; s++)
		if (memchr(line, *s, n))
			return *s;
	return ',';
}

/* A name fit for a file: what is not a letter, a digit, - or _ becomes _. */
static void name(struct csv *c, size_t i, struct cell cell)
{
	char *to = c->fields[i].name;
	size_t n = cell.n < DATASET_NAME_MAX - 8 ? cell.n : DATASET_NAME_MAX - 8;

	for (size_t k = 0; k < n; k++) {
		unsigned char ch = (unsigned char)cell.at[k];

		to[k] = ch < 128 && (isalnum(ch) || ch == '-') ? (char)ch : '_';
	}
	to[n] = '\0';
	if (n == 0)
		(void)snprintf(to, DATASET_NAME_MAX, "c%zu", i);
	for (size_t k = 0; k < i; k++)
		if (strcmp(c->fields[k].name, to) ==
		    0) /* a name used twice gets its number behind it */
			(void)snprintf(to + n, DATASET_NAME_MAX - n, "_%zu", i % 10000);
}

static int start(struct csv *c, const char *line, size_t n, struct err *err)
{
	const char *at = line, *end = line + n;
	struct cell cell = { NULL, 0 };
	double x;

	c->separator = separator(line, n);
	while (next_cell(c, &at, end, &cell)) {
		c->header |= !number(cell, &x);
		c->n_columns++;
	}
	if (c->n_columns > DATASET_FIELDS_MAX)
		return err_set(err, ERR_LIMIT, NULL, "expected at most %d columns, found %zu",
			       DATASET_FIELDS_MAX, c->n_columns);
	c->column = NEW(c->arena, double *, c->n_columns);
	c->text = NEW(c->arena, bool, c->n_columns);
	c->fraction = NEW(c->arena, bool, c->n_columns);
	c->fields = NEW(c->arena, struct dataset_field, c->n_columns + 1);
	if (!c->column || !c->text || !c->fraction || !c->fields)
		return err_nomem(err);
	at = line;
	for (size_t i = 0; next_cell(c, &at, end, &cell); i++)
		name(c, i, c->header ? cell : (struct cell){ NULL, 0 });
	return 0;
}

/* Room for one row a line that is left, counted once. */
static int reserve(struct csv *c, struct err *err)
{
	size_t lines = 2; /* this one, and one that may end without a newline */

	for (const char *p = c->at; p < c->end; p++)
		lines += *p == '\n';
	c->cap = lines;
	for (size_t i = 0; i < c->n_columns; i++) {
		if (c->text[i])
			continue;
		c->column[i] = NEW(c->arena, double, lines);
		if (!c->column[i])
			return err_nomem(err);
	}
	return 0;
}

static int put(struct csv *c, size_t i, struct cell cell, struct err *err)
{
	double x = 0.0;

	if (c->text[i])
		return 0;
	if (!number(cell, &x))
		return err_set(err, ERR_CORRUPT, NULL,
			       "line %zu, column %s: expected a number, found \"%.*s\"", c->line,
			       c->fields[i].name, (int)(cell.n < 40 ? cell.n : 40), cell.at);
	c->fraction[i] |= floor(x) != x || fabs(x) > 9007199254740992.0;
	c->column[i][c->rows] = x;
	return 0;
}

static int row(struct csv *c, const char *line, size_t n, struct err *err)
{
	const char *at = line;
	struct cell cell = { NULL, 0 };
	size_t i = 0;

	for (; next_cell(c, &at, line + n, &cell); i++) {
		int rc = i < c->n_columns ? put(c, i, cell, err) : 0;

		if (rc)
			return rc;
	}
	if (i != c->n_columns)
		return err_set(err, ERR_CORRUPT, NULL, "line %zu: expected %zu columns, found %zu",
			       c->line, c->n_columns, i);
	c->rows++;
	return 0;
}

/* The first row tells which columns hold words. */
static int first_row(struct csv *c, const char *line, size_t n, struct err *err)
{
	const char *at = line;
	struct cell cell = { NULL, 0 };
	double x;
	int rc;

	for (size_t i = 0; i < c->n_columns && next_cell(c, &at, line + n, &cell); i++)
		c->text[i] = !number(cell, &x);
	rc = reserve(c, err);
	return rc ? rc : row(c, line, n, err);
}

static int finish(struct csv *c, struct err *err)
{
	size_t numbers = 0;

	for (size_t i = 0; i < c->n_columns; i++) {
		struct dataset_field *f = &c->fields[i];
		int64_t *whole = (int64_t *)(void *)c->column[i];

		f->text = c->text[i];
		f->shape = (struct npy_header){ .type = NPY_F64, .n_dims = 1, .dim = { c->rows } };
		f->data = c->column[i];
		numbers += !f->text;
		if (f->text || c->fraction[i])
			continue;
		f->shape.type = NPY_I64;
		for (size_t k = 0; k < c->rows; k++) {
			int64_t v = (int64_t)c->column[i][k];

			memcpy(&whole[k], &v, sizeof(v)); /* in place: both have eight bytes */
		}
	}
	return numbers ? 0
		       : err_set(err, ERR_CORRUPT, NULL,
				 "expected at least one column of numbers, found none");
}

/* Of a table without names: all of it, row by row. */
static int add_table(struct csv *c, size_t *n_fields, struct err *err)
{
	struct dataset_field *f = &c->fields[c->n_columns];
	double *all;

	if (c->header || c->n_columns < 2)
		return 0;
	all = NEW(c->arena, double, c->rows * c->n_columns);
	if (!all)
		return err_nomem(err);
	for (size_t i = 0; i < c->n_columns; i++)
		for (size_t k = 0; k < c->rows; k++)
			all[k * c->n_columns + i] =
				npy_get(c->fields[i].shape.type, c->fields[i].data, k);
	(void)snprintf(f->name, sizeof(f->name), "values");
	f->shape = (struct npy_header){ .type = NPY_F64,
					.n_dims = 2,
					.dim = { c->rows, c->n_columns } };
	f->data = all;
	*n_fields = c->n_columns + 1;
	return 0;
}

int dataset_csv(struct dataset *ret, const char *text, size_t n, struct mem_arena *arena,
		struct err *err)
{
	struct csv c = { .at = text, .end = text + n, .arena = arena };
	const char *line = NULL;
	size_t length = 0, n_fields;
	int rc;

	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		c.at += 3;
	if (!next_line(&c, &line, &length))
		return err_set(err, ERR_CORRUPT, NULL, "expected a CSV table, found no line of it");
	rc = start(&c, line, length, err);
	if (!rc && c.header && !next_line(&c, &line, &length))
		rc = err_set(err, ERR_CORRUPT, NULL,
			     "expected rows below the line of names, found none");
	if (!rc)
		rc = first_row(&c, line, length, err);
	while (!rc && next_line(&c, &line, &length))
		rc = row(&c, line, length, err);
	if (!rc)
		rc = finish(&c, err);
	n_fields = c.n_columns;
	if (!rc)
		rc = add_table(&c, &n_fields, err);
	if (rc)
		return rc;
	ret->kind = "csv";
	ret->fields = c.fields;
	ret->n_fields = n_fields;
	return 0;
}
