/* api_metrics.c - GET /metrics of the admin listener: the counters, and what the store and the
 * process are now. */
/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine.h"
#include "server/api_run.h"
#include "server/config.h"
#include "server/metric.h"
#include "server/store_sweep.h"

/* Runs by state; states without a run are shown as 0. */
static int runs(const struct api *api, struct buf *out, struct err *err)
{
	int64_t n[RUN_N] = { 0 };
	char label[64];
	int rc = store_run_states(api->store, n, err);

	for (int s = 0; !rc && s < RUN_N; s++) {
		(void)snprintf(label, sizeof(label), "state=\"%s\"",
			       run_state_name((enum run_state)s));
		metric_sample(out, "stdpd_runs", label, s ? NULL : "Stored runs by state.",
			      (double)n[s]);
	}
	return rc;
}

/* Points of sweeps that go on, for which there is no run yet. */
static int sweeps(const struct api *api, struct mem_arena *arena, struct buf *out, struct err *err)
{
	struct store_sweep *rows;
	int64_t points = 0;
	size_t n = 0;
	int rc = store_sweep_active(api->store, arena, &rows, &n, err);

	for (size_t i = 0; !rc && i < n; i++)
		points += rows[i].points - rows[i].next_point;
	metric_sample(out, "stdpd_sweeps", "", "Sweeps that go on.", (double)n);
	metric_sample(out, "stdpd_sweep_points_pending", "", "Their points without a run yet.",
		      (double)points);
	return rc;
}

static double file_bytes(const char *dir, const char *name)
{
	char path[4200];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) ? 0.0 : (double)st.st_size;
}

/* Pages in memory, the second number of statm. */
static double resident_bytes(void)
{
	char text[128] = "", *end = text;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	(void)strtol(text, &end, 10);
	return (double)strtol(end, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

int api_metrics(const struct api *api, struct request *rq, struct response *rs,
		struct err_list *errors)
{
	const char *dir = store_dir(api->store);
	struct buf *out = &rs->body;
	struct err err = { 0 };

	metric_sample(out, "stdpd_info", "version=\"" ENGINE_VERSION "\"", "The program.", 1.0);
	metric_write(out);
	if (runs(api, out, &err) || sweeps(api, rq->arena, out, &err))
		return api_run_fail(&err, errors);
	metric_sample(out, "stdpd_slots", "", "Simulations that may run at once.",
		      (double)api->config->slots);
	metric_sample(out, "stdpd_database_bytes", "", "Size of the database with its log.",
		      file_bytes(dir, "stdpd.db") + file_bytes(dir, "stdpd.db-wal"));
	metric_sample(out, "process_resident_memory_bytes", "",
		      "Memory of the server, without its simulations.", resident_bytes());
	rs->content_type = "text/plain; version=0.0.4; charset=utf-8";
	rs->status = 200;
	return 0;
}
