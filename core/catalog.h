/* catalog.h - the tables as JSON: GET /v1/models, and JSON Schemas. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_CATALOG_H
#define CORE_CATALOG_H

#include <jansson.h>

/* {"neurons": [...], "plasticity": [...], "wiring": [...], "experiments": [...]}, shapes of the
 * HTTP contract; new reference, NULL: no memory. */
json_t *catalog_models(void);
/* One: kind is "neurons", "plasticity", "wiring" or "experiments"; NULL if there is none. Aliases
 * are found too. */
json_t *catalog_model(const char *kind, const char *name);
/* JSON Schema 2020-12 of a spec, from the tables. */
json_t *catalog_schema_spec(void);
/* The manual of all models, Markdown; mem_free it. */
char *catalog_markdown(void);

#endif
