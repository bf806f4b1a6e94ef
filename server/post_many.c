/* post_many.c - POSTs at once, on curl's multi handle. */
/* SPDX-License-Identifier: MIT */
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/mem.h"
#include "core/engine.h"
#include "server/post.h"

enum { ANSWER_MAX = 65536, CONNECT_SHARE = 2, KEPT_MAX = 16 };

struct post {
	struct post_config config;
	CURLM *multi;
	struct transfer *list;
};

struct transfer {
	struct post *post;
	struct transfer *prev, *next;
	CURL *easy;
	struct curl_slist *headers;
	void *self;
	size_t got; /* bytes of the answer */
	bool refused;
	char why[CURL_ERROR_SIZE];
};

/* ---- what curl asks ---- */

/* Here an address is known, whatever name led to it. */
static curl_socket_t on_socket(void *self, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = self;
	int fd;

	(void)purpose;
	if (!t->post->config.private && !post_address_public(&a->addr)) {
		t->refused = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(a->family, a->socktype, a->protocol);
	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* The answer's text is of no use; too much of it ends the transfer, its status stays. */
static size_t on_answer(char *data, size_t size, size_t n, void *self)
{
	struct transfer *t = self;

	(void)data;
	t->got += size * n;
	return t->got > ANSWER_MAX ? 0 : size * n;
}

/* ---- life ---- */

static void drop(struct transfer *t)
{
	if (t->easy) {
		(void)curl_multi_remove_handle(t->post->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	curl_slist_free_all(t->headers);
	if (t->prev)
		t->prev->next = t->next;
	else
		t->post->list = t->next;
	if (t->next)
		t->next->prev = t->prev;
	mem_free(t);
}

int post_new(struct post **ret, const struct post_config *config, struct err *err)
{
	struct post *p;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return err_nomem(err);
	p = mem_alloc(1, sizeof(*p));
	if (p)
		p->multi = curl_multi_init();
	if (!p || !p->multi) {
		post_free(p);
		return err_nomem(err);
	}
	p->config = *config;
	(void)curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_MAX);
	*ret = p;
	return 0;
}

void post_free(struct post *p)
{
	if (!p)
		return;
	while (p->list)
		drop(p->list);
	(void)curl_multi_cleanup(p->multi);
	mem_free(p);
}

static CURLcode set_up(struct transfer *t, const struct post_job *job)
{
	long timeout_ms = (long)(t->post->config.timeout_s * 1e3);
	CURL *e = t->easy;
	CURLcode rc = curl_easy_setopt(e, CURLOPT_URL, job->url);

#define SET(option, value) rc = rc ? rc : curl_easy_setopt(e, option, value)
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, timeout_ms / CONNECT_SHARE + 1);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_answer);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_ERRORBUFFER, t->why);
	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_USERAGENT, "stdpd/" ENGINE_VERSION);
	SET(CURLOPT_HTTPHEADER, t->headers);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(job->body));
	SET(CURLOPT_COPYPOSTFIELDS, job->body);
#undef SET
	return rc;
}

static bool add_header(struct transfer *t, const char *line)
{
	struct curl_slist *grown = curl_slist_append(t->headers, line);

	if (grown)
		t->headers = grown;
	return grown;
}

int post_start(struct post *p, const struct post_job *job, struct err *err)
{
	struct transfer *t = mem_alloc(1, sizeof(*t));
	bool ok;

	if (!t)
		return err_nomem(err);
	t->post = p;
	t->self = job->self;
	t->next = p->list;
	if (t->next)
		t->next->prev = t;
	p->list = t;
	t->easy = curl_easy_init();
	ok = t->easy && add_header(t, "Expect:");
	for (size_t i = 0; ok && job->headers[i]; i++)
		ok = add_header(t, job->headers[i]);
	if (ok && !set_up(t, job) && !curl_multi_add_handle(p->multi, t->easy))
		return 0;
	drop(t);
	return err_nomem(err);
}

/* A transfer may end in the first look already, at once or since the last: then there is no wait. */
void post_wait(struct post *p, double wait_s)
{
	int running = 0, begun = 0;

	for (const struct transfer *t = p->list; t; t = t->next)
		begun++;
	(void)curl_multi_perform(p->multi, &running);
	if (running < begun)
		return;
	(void)curl_multi_poll(p->multi, NULL, 0, (int)(wait_s * 1e3), NULL);
	(void)curl_multi_perform(p->multi, &running);
}

void post_wake(struct post *p)
{
	(void)curl_multi_wakeup(p->multi);
}

/* Why an attempt failed, for people. */
static void explain(const struct transfer *t, CURLcode rc, struct post_done *d)
{
	if (d->status >= 200 && d->status < 300)
		return;
	if (d->status >= 300 && d->status < 400)
		(void)snprintf(d->why, sizeof(d->why), "status %ld: redirects are not followed",
			       d->status);
	else if (d->status)
		(void)snprintf(d->why, sizeof(d->why), "status %ld", d->status);
	else if (d->refused)
		(void)snprintf(d->why, sizeof(d->why),
			       "its address is not public; see --webhook-private");
	else
		(void)snprintf(d->why, sizeof(d->why), "%.200s",
			       *t->why ? t->why : curl_easy_strerror(rc));
}

bool post_take(struct post *p, struct post_done *ret)
{
	struct CURLMsg *m;
	int left = 0;

	while ((m = curl_multi_info_read(p->multi, &left)) != NULL) {
		struct transfer *t = NULL;
		curl_off_t us = 0;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		*ret = (struct post_done){ .self = t->self };
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &ret->status);
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_TOTAL_TIME_T, &us);
		ret->duration_ms = (double)us * 1e-3;
		ret->refused = t->refused && !ret->status;
		explain(t, m->data.result, ret);
		drop(t);
		return true;
	}
	return false;
}
