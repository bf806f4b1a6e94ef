/* http_address.h - where to listen, as bind() takes it. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_HTTP_ADDRESS_H
#define SERVER_HTTP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

struct http_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u;
	bool is_v6;
};

/* Numeric, IPv4 or IPv6 without brackets. SYNTAX: neither. */
int http_address_read(struct http_address *a, const char *text, uint16_t port,
		      struct err *err) MUST_USE;

#endif
