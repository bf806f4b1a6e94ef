/* static.c - weights that stay as they are.
 *
 * No update(): the engine does not bring such rows up to date and keeps no history for them. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity.h"

const struct plasticity_model plasticity_static = {
	.name = "static",
	.doc = "A constant weight.",
	.cite = "",
};
