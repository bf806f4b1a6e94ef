/* api_result.h - what the handlers of results share: the run, its query, and columns that leave in
 * any format. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_API_RESULT_H
#define SERVER_API_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/npy.h"
#include "server/api.h"
#include "server/folder.h"
#include "server/store_result.h"
#include "server/store_run.h"
#include "server/view.h"

enum { API_RESULT_COLUMNS_MAX = STORE_COLUMNS_MAX };

/* Where a column goes. */
enum {
	API_RESULT_JSON = 1 << API_JSON,
	API_RESULT_ROWS = 1 << API_NDJSON | 1 << API_CSV,
	API_RESULT_NPZ = 1 << API_NPZ,
	API_RESULT_BESIDE = API_RESULT_JSON | API_RESULT_NPZ, /* no column of the table's rows */
	API_RESULT_ALL = API_RESULT_BESIDE | API_RESULT_ROWS,
};

struct api_result_column {
	const char *name;
	enum npy_type type;
	const void *data;
	uint64_t rows;
	uint64_t width; /* 0: a number a row; else data[rows][width], in JSON a list of rows */
	bool by_series; /* data[width][rows] instead: in JSON a list of series, in tables a column
			   each */
	const uint32_t *labels; /* [width] behind the name in tables; NULL: counted */
	const uint64_t
		*offset; /* [n_lists + 1] in JSON the rows stand in lists; NULL: they do not */
	uint64_t n_lists;
	unsigned in; /* formats */
};

struct api_result {
	const struct api *api;
	struct request *rq;
	struct response *rs;
	struct err_list *errors;
	struct err err; /* what failed, if `errors` does not say */
	const char *id; /* of the run */
	struct store_run run;
	const struct folder *folder; /* where its recordings lie; NULL: in the store */
	json_t *shape;
	double dt;     /* ms */
	int64_t steps; /* reached */
	bool file;     /* the answer is a file as it is: in no format, without an ETag of a view */
	enum api_format format;
	struct buf head; /* members of the JSON object before the columns: "k":v,"k":v */
	struct api_result_column columns[API_RESULT_COLUMNS_MAX];
	size_t n_columns;
};

/* Serve one kind of view: find the run (404, 409 while it goes on), choose the format, answer 304
 * where that is right, let `fill` set head and columns, and write them. `names`: query parameters
 * allowed, between blanks. */
int api_result_serve(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors, const char *names, int (*fill)(struct api_result *c));
/* The same of a run not named by the path; names NULL: any. */
int api_result_serve_run(const struct api *api, struct request *rq, struct response *rs,
			 struct err_list *errors, const char *id, const char *names,
			 int (*fill)(struct api_result *c));

/* The same for an answer that is no view: `fill` writes it, format and ETag too. */
int api_result_serve_file(const struct api *api, struct request *rq, struct response *rs,
			  struct err_list *errors, int (*fill)(struct api_result *c));

/* For fill functions: all return 0 or -code with c->err or c->errors filled. */
void api_result_text(struct api_result *c, const char *key, const char *value);
void api_result_number(struct api_result *c, const char *key, double value);
void api_result_integer(struct api_result *c, const char *key, uint64_t value);
void api_result_raw(struct api_result *c, const char *key, const char *json);
void api_result_add(struct api_result *c, struct api_result_column column);
/* More values than one answer may have? */
int api_result_limit(struct api_result *c, uint64_t values) MUST_USE;
/* Text in CSV; quotes only where it needs them. */
void api_result_csv_text(struct buf *b, const char *s);
int api_result_write(struct api_result *c) MUST_USE; /* api_result_out.c */

/* The recordings of a kind, subject and name (NULL: any), from the store or the folder. */
int api_result_recordings(struct api_result *c, const char *kind, const char *subject,
			  const char *name, struct store_recording **ret, size_t *ret_n) MUST_USE;
/* The text of the spec. */
int api_result_spec(struct api_result *c, const char **ret) MUST_USE;
/* The recordings of `kind` for ?population= or ?projection=, which may be left out when there is
 * but one. 422 for an unknown name; 409 naming `how` to record it when there is none. */
int api_result_find(struct api_result *c, const char *kind, const char *name, const char *how,
		    struct store_recording **ret, size_t *ret_n) MUST_USE;
/* The subject asked for, checked; *ret NULL if the query names none. `group`: "populations" or
 * "projections". */
int api_result_subject(struct api_result *c, const char *group, const char **ret) MUST_USE;
/* The column of a name; NULL: there is none. */
const struct store_column *api_result_column(const struct store_recording *r, const char *name);
/* Rows [row0, row1) of a column. */
int api_result_read(struct api_result *c, const struct store_recording *r, const char *column,
		    uint64_t row0, uint64_t row1, enum npy_type type, const void **ret) MUST_USE;
/* First row of an ascending column of steps with a value >= key. */
int api_result_lower(struct api_result *c, const struct store_recording *r, const char *column,
		     int64_t key, uint64_t *ret) MUST_USE;
/* Steps [s0, s1) of t0_ms and t1_ms; s1 INT64_MAX without t1_ms. */
int api_result_window(struct api_result *c, int64_t *ret_s0, int64_t *ret_s1) MUST_USE;
/* "0-99,205" of parameter `name`, each below `size`; *ret NULL if it is not there. */
int api_result_list(struct api_result *c, const char *name, uint64_t size, uint64_t **ret,
		    size_t *ret_n) MUST_USE;
/* max_points: 0 if it is not there. */
int api_result_max_points(struct api_result *c, int64_t *ret) MUST_USE;
/* A number of a population's or projection's shape; 0 if unknown. */
uint64_t api_result_shape(const struct api_result *c, const char *group, const char *subject,
			  const char *key);
const char *api_result_shape_text(const struct api_result *c, const char *group,
				  const char *subject, const char *key);
/* Meta of a recording; json_decref it. NULL with c->err. */
json_t *api_result_meta(struct api_result *c, const struct store_recording *r);

/* A table of the run, as columns. NOTFOUND if there is none (api_result_states.c). */
int api_result_table_read(struct api_result *c, const char *name, struct store_recording **ret,
			  const double **values) MUST_USE;

/* The spikes of a recording in steps [s0, s1), read from the store. */
struct api_result_spikes {
	const struct store_recording *recording;
	struct view_spikes view;
	uint64_t *chosen; /* neurons asked for, in their order; NULL: all */
	int64_t s0, s1;
};
int api_result_spikes_read(struct api_result *c, struct api_result_spikes *ret) MUST_USE;

#endif
