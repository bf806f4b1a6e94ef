/* http_address.c - text to socket address. */
/* SPDX-License-Identifier: MIT */
#include "server/http_address.h"

#include <arpa/inet.h>
#include <string.h>

int http_address_read(struct http_address *a, const char *text, uint16_t port, struct err *err)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->u.v4.sin_addr) == 1) {
		a->u.v4.sin_family = AF_INET;
		a->u.v4.sin_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &a->u.v6.sin6_addr) == 1) {
		a->u.v6.sin6_family = AF_INET6;
		a->u.v6.sin6_port = htons(port);
		a->is_v6 = true;
		return 0;
	}
	return err_set(err, ERR_SYNTAX, NULL, "expected a numeric address to listen on, found %s",
		       text);
}
