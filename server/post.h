/* post.h - requests to others, through libcurl: one that is waited for, and many at once that are not.
 *
 * Many: POSTs of a struct post belong to one thread, which starts them, waits and takes what ended. No
 * redirect is followed, no proxy asked, no answer read beyond a bound; an address is looked at when it is
 * connected to, after the name was resolved, so that no name can lead to where an address may not. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_POST_H
#define SERVER_POST_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

struct sockaddr;
struct post;

/* GET a URL, give its status. Errors: IO (no answer in time). */
int post_probe(const char *url, long timeout_s, long *ret_status, struct err *err) MUST_USE;

/* Whether an address is on the public internet: neither loopback, private, link-local, multicast, reserved
 * nor an IPv6 form that stands for an IPv4 address. */
bool post_address_public(const struct sockaddr *a);
/* An absolute http or https URL with a host and without user, password or fragment; a numeric host must be
 * public unless `private` is allowed. Errors: SYNTAX, FORBIDDEN. */
int post_url_check(const char *url, bool private, struct err *err) MUST_USE;

struct post_config {
	bool private; /* any address will do */
	double timeout_s;
};

struct post_job {
	const char *url;
	const char *const *headers; /* "Name: value", up to NULL */
	const char *body;	    /* NUL-terminated */
	void *self;
};

enum { POST_WHY_MAX = 256 };

struct post_done {
	void *self;
	long status;  /* 0: no answer */
	bool refused; /* all its addresses are forbidden */
	double duration_ms;
	char why[POST_WHY_MAX]; /* it failed; "": it did not */
};

int post_new(struct post **ret, const struct post_config *config, struct err *err) MUST_USE;
/* All is copied. */
int post_start(struct post *p, const struct post_job *job, struct err *err) MUST_USE;
/* Go on with all; wait until one goes on, post_wake, or for wait_s. */
void post_wait(struct post *p, double wait_s);
/* One that has ended; false: none. */
bool post_take(struct post *p, struct post_done *ret);
void post_wake(struct post *p); /* any thread */
void post_free(struct post *p); /* what is under way is broken off */

#endif
