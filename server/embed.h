/* embed.h - files that the server carries inside: page, migrations, presets, schemas.
 *
 * The table is made by the Makefile (embed.awk, .incbin), sorted by path. Names: "web/index.html",
 * "web/uPlot.iife.min.js", "schema/sql/001_init.sql", "schema/presets/stdp_window.json". A zero
 * byte stands behind each file's end, so a text may be used as a string. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_EMBED_H
#define SERVER_EMBED_H

struct embed_file {
	const char *name;		 /* path below the root; npm files directly below web/ */
	const unsigned char *data, *end; /* data up to end */
};

extern const struct embed_file embed_files[]; /* ends with name NULL */

#endif
