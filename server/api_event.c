/* api_event.c - GET /v1/runs/{id}/events: what happens to a run, as it happens. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "server/api_run.h"
#include "server/event.h"

int api_run_events(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	const char *last = http_header(rq, "Last-Event-ID");
	struct err err = { 0 };
	struct store_run run;
	int64_t newest = 0, after = last ? strtoll(last, NULL, 10) : 0;
	int rc = api_run_find(api, rq, &run, errors);

	if (rc)
		return rc;
	/* All was said: 204 tells an EventSource not to come again. */
	if (run_state_final(run.state) && last) {
		if (store_event_last(api->store, run.id, &newest, &err))
			return api_run_fail(&err, errors);
		if (after >= newest) {
			rs->status = 204;
			return 0;
		}
	}
	if (event_stream(&rs->stream, api->event, api->store, run.id, after > 0 ? after : 0, &err))
		return api_run_fail(&err, errors);
	event_topic(run.id, rs->topic);
	http_add_header(rs, "X-Accel-Buffering",
			"no"); /* a proxy in front must not hold lines back */
	rs->content_type = "text/event-stream";
	rs->status = 200;
	return 0;
}
