/* http_tls.c - two PEM files. */
/* SPDX-License-Identifier: MIT */
#include "server/http_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"

enum { PEM_MAX = 1 << 20 };

static void wipe(char *text)
{
	volatile char *at = text;

	while (at && *at)
		*at++ = '\0';
	mem_free(text);
}

static int read_all(int fd, const char *option, const char *path, char **ret, struct err *err)
{
	char *text = mem_alloc(PEM_MAX + 1, 1);
	size_t n = 0;
	ssize_t got = 1;

	if (!text)
		return err_nomem(err);
	while (n < PEM_MAX && got > 0) {
		got = read(fd, text + n, PEM_MAX - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got == 0 && strstr(text, "-----BEGIN ")) {
		*ret = text;
		return 0;
	}
	wipe(text);
	if (got < 0)
		return err_set(err, ERR_IO, NULL, "--%s: %s cannot be read: %s", option, path,
			       strerror(errno));
	return err_set(err, ERR_SYNTAX, NULL,
		       "--%s: expected a PEM file, found something else in %s", option, path);
}

static int read_pem(const char *option, const char *path, bool secret, char **ret, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;
	struct stat st;

	if (fd < 0)
		return err_set(err, ERR_IO, NULL, "--%s: %s cannot be read: %s", option, path,
			       strerror(errno));
	if (secret && fstat(fd, &st) == 0 && (st.st_mode & S_IRWXO))
		rc = err_set(err, ERR_FORBIDDEN, NULL,
			     "--%s: everybody on this machine may read %s, found mode %03o; chmod "
			     "o-rwx first",
			     option, path, (unsigned)(st.st_mode & 0777));
	else
		rc = read_all(fd, option, path, ret, err);
	(void)close(fd);
	return rc;
}

int http_tls_read(struct http_tls *ret, const char *cert_path, const char *key_path,
		  struct err *err)
{
	int rc = read_pem("tls-cert", cert_path, false, &ret->cert, err);

	if (!rc)
		rc = read_pem("tls-key", key_path, true, &ret->key, err);
	if (rc)
		http_tls_free(ret);
	return rc;
}

void http_tls_free(struct http_tls *t)
{
	wipe(t->cert);
	wipe(t->key);
	*t = (struct http_tls){ 0 };
}

int http_tls_options(const struct http_tls *tls, struct MHD_OptionItem *options, struct err *err)
{
	static char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"; /* GnuTLS's words */
	size_t n = 0;

	if (tls->cert && MHD_is_feature_supported(MHD_FEATURE_SSL) != MHD_YES)
		return err_set(err, ERR_NOTFOUND, NULL,
			       "--tls-cert: libmicrohttpd was built without TLS here");
	if (tls->cert) {
		options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, tls->cert };
		options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key };
		options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, versions };
	}
	options[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return 0;
}
