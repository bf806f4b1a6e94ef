/* crypt.h - SHA-256, HMAC, and comparing in constant time, thin over libcrypto. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_CRYPT_H
#define SERVER_CRYPT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/attr.h"

enum { CRYPT_HEX_SIZE = 65 };

/* Lower-case hex of the SHA-256 of n bytes. False: out of memory. */
bool crypt_sha256(const void *bytes, size_t n, char hex[CRYPT_HEX_SIZE]) MUST_USE;
/* Lower-case hex of the HMAC-SHA256 (RFC 2104) of n bytes. False: out of memory. */
bool crypt_hmac_sha256(const void *key, size_t n_key, const void *bytes, size_t n,
		       char hex[CRYPT_HEX_SIZE]) MUST_USE;
/* Whether n bytes are equal, in a time that does not tell where they differ. */
bool crypt_equal(const void *a, const void *b, size_t n);

#endif
