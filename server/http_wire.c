/* http_wire.c - the list of connections and the thread that looks at them. */
/* SPDX-License-Identifier: MIT */
#include "server/http_wire.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/base/mem.h"
#include "server/clock.h"
#include "server/lock.h"
#include "server/metric.h"
#include "server/thread.h"

enum { CLOSE_WAIT = 8 }; /* of tcpi_state: the other side has closed */
enum { LOOKS = 4 };	 /* in slow_s */
static const double LOOK_MIN_S = 0.05, LOOK_MAX_S = 1.0;

struct http_wire {
	int fd;
	atomic_uint stamp;	 /* 4 * times entered + phase */
	_Atomic(uint64_t) asked; /* bytes received up to the last request's end */
	atomic_bool cut;
	/* the thread's: */
	unsigned seen;	/* stamp */
	double since;	/* monotonic; begin of the time that is judged */
	uint64_t bytes; /* moved until then */
	struct http_wire *prev, *next;
};

struct http_wires {
	double slow_s;
	struct thread thread;
	struct lock lock; /* owns all below; a wire in the list has an open socket */
	struct lock_cond end;
	bool stopping;
	struct http_wire *first;
};

static bool ask(int fd, struct tcp_info *ret)
{
	socklen_t n = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &n) == 0;
}

/* What came in and was not taken yet. */
static bool has_unread(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCINQ, &n) == 0 && n > 0;
}

/* MHD sees the end of the connection and does what it does then. */
static void cut(struct http_wire *w)
{
	atomic_store(&w->cut, true);
	(void)shutdown(w->fd, SHUT_RDWR);
	metric_add(METRIC_HTTP_CUT, 1);
}

static void look(const struct http_wires *ws, struct http_wire *w, double now)
{
	unsigned stamp = atomic_load(&w->stamp), phase = stamp % 4;
	struct tcp_info t;
	uint64_t bytes;
	bool theirs = true, slow;

	if (atomic_load(&w->cut) || phase == HTTP_WIRE_BUSY || !ask(w->fd, &t))
		return;
	bytes = phase == HTTP_WIRE_ANSWER ? t.tcpi_bytes_acked : t.tcpi_bytes_received;
	slow = phase == HTTP_WIRE_HEAD ||
	       (double)(bytes - w->bytes) < (now - w->since) * HTTP_WIRE_MIN_RATE;
	if (phase == HTTP_WIRE_HEAD)
		theirs = bytes != atomic_load(&w->asked); /* else nothing is asked */
	else if (phase == HTTP_WIRE_BODY)
		theirs = !has_unread(w->fd);
	else
		theirs = t.tcpi_notsent_bytes > 0;
	if (phase == HTTP_WIRE_HEAD && stamp == w->seen && t.tcpi_state == CLOSE_WAIT &&
	    !has_unread(w->fd)) {
		cut(w);
		return;
	}
	if (stamp == w->seen && theirs && now - w->since < ws->slow_s)
		return;
	if (stamp == w->seen && theirs && slow)
		cut(w);
	w->seen = stamp;
	w->since = now;
	w->bytes = bytes;
}

static void *watch(void *self)
{
	struct http_wires *ws = self;
	double every = ws->slow_s / LOOKS;

	every = every < LOOK_MIN_S ? LOOK_MIN_S : every;
	every = every > LOOK_MAX_S ? LOOK_MAX_S : every;
	lock_take(&ws->lock);
	while (!ws->stopping) {
		double now = clock_mono_s();

		for (struct http_wire *w = ws->first; w; w = w->next)
			look(ws, w, now);
		(void)lock_cond_wait(&ws->end, &ws->lock, now + every);
	}
	lock_drop(&ws->lock);
	return NULL;
}

int http_wire_list_new(struct http_wires **ret, double slow_s, struct err *err)
{
	struct http_wires *ws = mem_alloc(1, sizeof(*ws));
	int rc;

	if (!ws)
		return err_nomem(err);
	ws->slow_s = slow_s;
	lock_init(&ws->lock);
	lock_cond_init(&ws->end);
	rc = thread_start(&ws->thread, watch, ws, err);
	if (rc) {
		http_wire_list_free(ws);
		return rc;
	}
	*ret = ws;
	return 0;
}

void http_wire_list_free(struct http_wires *ws)
{
	if (!ws)
		return;
	lock_take(&ws->lock);
	ws->stopping = true;
	lock_cond_signal(&ws->end);
	lock_drop(&ws->lock);
	thread_join(&ws->thread);
	lock_cond_release(&ws->end);
	lock_release(&ws->lock);
	mem_free(ws);
}

struct http_wire *http_wire_open(struct http_wires *ws, int fd)
{
	struct http_wire *w = mem_alloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fd = fd;
	w->since = clock_mono_s();
	lock_take(&ws->lock);
	w->next = ws->first;
	if (w->next)
		w->next->prev = w;
	ws->first = w;
	lock_drop(&ws->lock);
	return w;
}

void http_wire_close(struct http_wires *ws, struct http_wire *w)
{
	if (!w)
		return;
	lock_take(&ws->lock);
	if (w->prev)
		w->prev->next = w->next;
	else
		ws->first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	lock_drop(&ws->lock);
	mem_free(w);
}

void http_wire_enter(struct http_wire *w, enum http_wire_phase phase)
{
	struct tcp_info t;

	if (!w)
		return;
	if (phase == HTTP_WIRE_HEAD && ask(w->fd, &t))
		atomic_store(&w->asked, t.tcpi_bytes_received);
	atomic_store(&w->stamp, (atomic_load(&w->stamp) / 4 + 1) * 4 + phase);
}

bool http_wire_is_cut(const struct http_wire *w)
{
	return w && atomic_load(&w->cut);
}
