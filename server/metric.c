/* metric.c - counters and gauges. */
/* SPDX-License-Identifier: MIT */
#include "server/metric.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum kind { COUNTER, SECONDS, GAUGE };

static const struct {
	const char *name, *label, *help;
	enum kind kind;
} rows[METRIC_N] = {
#define X(id, name, label, kind, help) { name, label, help, kind },
	METRICS(X)
#undef X
};

static atomic_int_least64_t values[METRIC_N];

void metric_add(enum metric m, int64_t n)
{
	(void)atomic_fetch_add_explicit(&values[m], n, memory_order_relaxed);
}

static void head(struct buf *out, const char *name, const char *help, bool counter)
{
	(void)buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
			 counter ? "counter" : "gauge");
}

static void sample(struct buf *out, const char *name, const char *label, double value)
{
	(void)buf_printf(out, "%s%s%s%s %.17g\n", name, *label ? "{" : "", label, *label ? "}" : "",
			 value);
}

void metric_sample(struct buf *out, const char *name, const char *label, const char *help,
		   double value)
{
	if (help)
		head(out, name, help, false);
	sample(out, name, label, value);
}

void metric_write(struct buf *out)
{
	for (int i = 0; i < METRIC_N; i++) {
		double value = (double)atomic_load_explicit(&values[i], memory_order_relaxed);

		if (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)
			head(out, rows[i].name, rows[i].help, rows[i].kind != GAUGE);
		sample(out, rows[i].name, rows[i].label,
		       rows[i].kind == SECONDS ? value * 1e-6 : value);
	}
}
