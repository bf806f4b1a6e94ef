/* crypt.c - SHA-256 by libcrypto. */
/* SPDX-License-Identifier: MIT */
#include "server/crypt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

bool crypt_sha256(const void *bytes, size_t n, char hex[CRYPT_HEX_SIZE])
{
	static const char digit[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!EVP_Digest(bytes, n, md, &len, EVP_sha256(), NULL) || len != 32)
		return false;
	for (unsigned i = 0; i < len; i++) {
		hex[2 * i] = digit[md[i] >> 4];
		hex[2 * i + 1] = digit[md[i] & 15];
	}
	hex[64] = '\0';
	return true;
}

bool crypt_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
