/* id.c - random ids from the kernel. */
/* SPDX-License-Identifier: MIT */
#include "server/id.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

void id_new(char text[ID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bits[ID_LEN / 2];
	ssize_t n = getrandom(bits, sizeof(bits), 0); /* up to 256 bytes never come short */

	assert(n == (ssize_t)sizeof(bits));
	(void)n;
	for (size_t i = 0; i < sizeof(bits); i++) {
		text[2 * i] = hex[bits[i] >> 4];
		text[2 * i + 1] = hex[bits[i] & 15];
	}
	text[ID_LEN] = '\0';
}

bool id_valid(const char *text)
{
	return strlen(text) == ID_LEN && strspn(text, "0123456789abcdef") == ID_LEN;
}
