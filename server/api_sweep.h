/* api_sweep.h - what the handlers of sweeps share. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_API_SWEEP_H
#define SERVER_API_SWEEP_H

#include <jansson.h>

#include "server/api.h"
#include "server/store_sweep.h"

/* The sweep named in the path, which the request may see; errors: NOTFOUND. */
int api_sweep_find(const struct api *api, const struct request *rq, struct store_sweep *ret,
		   struct err_list *errors) MUST_USE;
/* As the contract has it; `list`: without counts by state and the best point. New reference, NULL with
 * err. */
json_t *api_sweep_json(const struct api *api, const struct request *rq,
		       const struct store_sweep *row, bool list, struct err *err);
/* Answer with the sweep as it is now. */
int api_sweep_answer(const struct api *api, const struct request *rq, struct response *rs,
		     const char *id, int status, struct err_list *errors);
/* A metric's name can be asked for: 1 to 64 bytes without quotes and backslashes. */
bool api_sweep_metric(const char *name);

#endif
