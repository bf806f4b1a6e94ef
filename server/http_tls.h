/* http_tls.h - certificate and key for TLS, read once at the start. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_HTTP_TLS_H
#define SERVER_HTTP_TLS_H

#include "core/base/err.h"

enum { HTTP_TLS_OPTIONS = 4 };
struct MHD_OptionItem;

struct http_tls {
	char *cert, *key; /* PEM; NULL: no TLS */
};

/* Read both files. Errors: IO (the option, the file, why), FORBIDDEN (everybody on this machine may read the
 * key), SYNTAX (no PEM), LIMIT. */
int http_tls_read(struct http_tls *ret, const char *cert_path, const char *key_path,
		  struct err *err) MUST_USE;
/* As options of libmicrohttpd, [HTTP_TLS_OPTIONS]; none but the end without TLS. NOTFOUND: it cannot TLS. */
int http_tls_options(const struct http_tls *tls, struct MHD_OptionItem *options,
		     struct err *err) MUST_USE;
void http_tls_free(struct http_tls *t); /* the key's bytes are overwritten */

#endif
