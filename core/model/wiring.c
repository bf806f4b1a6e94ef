/* wiring.c - the list of wiring rules. */
/* SPDX-License-Identifier: MIT */
#include "core/model/wiring.h"

#include <string.h>

#define X(name) &wiring_##name,
const struct wiring_rule *const wiring_rules[] = { WIRING_RULES(X) NULL };
#undef X

const struct wiring_rule *wiring_find(const char *name)
{
	for (size_t i = 0; wiring_rules[i]; i++)
		if (!strcmp(wiring_rules[i]->name, name))
			return wiring_rules[i];
	return NULL;
}
