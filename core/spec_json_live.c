/* spec_json_live.c - a spec whose schedule grows.
 *
 * Entries whose time has passed are read for good, into what is known of all parameters; those that
 * are to come are read on top of that, anew whenever one is added, since an earlier one may change
 * what a later one means. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_live.h"

#include <string.h>

#include "core/spec_json_read.h"

enum { ENTRIES_MAX = 10000000 };

struct spec_json_live {
	struct spec_json_reader reader;
	json_t *json;			 /* as given */
	struct spec_json_schedule done;	 /* of entries that have passed */
	struct spec_json_entry *entries; /* [n] in order; the first n_done have passed */
	size_t n, n_done;
	struct mem_arena arena; /* of the changes given last */
};

/* A shallow copy of a spec with an array (the reference is taken) as its schedule; NULL: without. */
static json_t *with_schedule(json_t *json, json_t *schedule)
{
	json_t *copy = json_copy(json);

	if (!schedule && json_is_object(copy))
		(void)json_object_del(copy, "schedule");
	if (!schedule)
		return copy;
	if (copy && !json_object_set_new(copy, "schedule", schedule))
		return copy;
	if (!copy)
		json_decref(schedule);
	json_decref(copy);
	return NULL;
}

static int read_first(struct spec_json_live *l, json_t *schedule, struct err_list *errors)
{
	struct spec_json_live_changes changes;
	json_t *bare = with_schedule(l->json, NULL);
	int rc;

	if (!bare)
		return -ERR_NOMEM;
	rc = spec_json_read_all(&l->reader, bare, "");
	json_decref(bare);
	if (rc)
		return rc;
	l->reader.spec->steps = (int64_t)SPEC_JSON_STEPS_MAX;
	rc = spec_json_live_change(l, schedule, 0, &changes, errors);
	if (rc)
		return rc;
	l->reader.spec->changes = changes.at;
	l->reader.spec->n_changes = changes.n;
	return 0;
}

int spec_json_live_new(struct spec_json_live **ret, json_t *json, json_t *schedule,
		       const struct spec_datasets *datasets, struct mem_arena *arena,
		       struct err_list *errors)
{
	struct spec_json_live *l = mem_alloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ERR_NOMEM;
	l->json = json_incref(json);
	l->reader =
		(struct spec_json_reader){ .arena = arena, .errors = errors, .datasets = datasets };
	rc = read_first(l, schedule ? schedule : json_object_get(json, "schedule"), errors);
	if (rc)
		spec_json_live_free(l);
	else
		*ret = l;
	return rc;
}

static void entries_free(struct spec_json_entry *entries, size_t n)
{
	for (size_t i = 0; entries && i < n; i++)
		json_decref(entries[i].json);
	mem_free(entries);
}

void spec_json_live_free(struct spec_json_live *l)
{
	if (!l)
		return;
	entries_free(l->entries, l->n);
	mem_arena_release(&l->arena);
	json_decref(l->json);
	mem_free(l);
}

const struct spec *spec_json_live_spec(const struct spec_json_live *l)
{
	return l->reader.spec;
}

/* ---- change ---- */

/* A copy of one new entry, with its time. False: no memory. */
static bool copy_entry(struct spec_json_live *l, const json_t *item, const struct spec_json_at *at,
		       int64_t now, struct spec_json_entry *to)
{
	to->at = now;
	to->json = json_deep_copy(item);
	if (!to->json)
		return false;
	if (!json_is_object(to->json))
		return true; /* refused when it is read */
	if (!json_object_get(to->json, "at_ms") &&
	    json_object_set_new(to->json, "at_ms", json_real((double)now * l->reader.spec->dt)))
		return false;
	(void)spec_json_schedule_time(&l->reader, to->json, at, (double)now, &to->at);
	return true;
}

/* New entries in order; NULL with r->nomem or an error. */
static struct spec_json_entry *copy_entries(struct spec_json_live *l, json_t *added,
					    const struct spec_json_at *at, int64_t now)
{
	struct spec_json_reader *r = &l->reader;
	size_t n = json_array_size(added);
	struct spec_json_entry *e = NULL;

	if (added && !json_is_array(added))
		spec_json_read_type(r, at, "an array of changes", added);
	else if (n > ENTRIES_MAX - l->n)
		spec_json_read_fail(r, at, ERR_LIMIT, "at most %d entries, found %zu", ENTRIES_MAX,
				    l->n + n);
	else
		e = mem_alloc(n + 1, sizeof(*e));
	r->nomem = r->nomem || (!e && err_list_count(r->errors) == 0);
	for (size_t i = 0; e && i < n; i++) {
		struct spec_json_at here = spec_json_read_item(at, i);

		e[i].index = i;
		if (!copy_entry(l, json_array_get(added, i), &here, now, &e[i]))
			r->nomem = true;
	}
	if (e)
		spec_json_schedule_sort(e, n);
	return e;
}

/* What is known of rules' parameters, to be changed on trial. */
static struct spec_json_synapse *copy_synapses(struct spec_json_reader *r)
{
	size_t n = r->spec->n_projections;
	struct spec_json_synapse *copy = SPEC_JSON_NEW(r, struct spec_json_synapse, n);

	for (size_t j = 0; copy && j < n; j++) {
		const struct spec_json_synapse *from = &r->synapses[j];
		size_t ours = r->projections[j].model->n_params;
		size_t given = from->alias ? from->alias->n_params : ours;

		copy[j] = *from;
		if (!from->given || !from->params)
			continue;
		copy[j].given = SPEC_JSON_NEW(r, double, given);
		copy[j].params = SPEC_JSON_NEW(r, double, ours);
		if (!copy[j].given || !copy[j].params)
			return NULL;
		memcpy(copy[j].given, from->given, given * sizeof(double));
		memcpy(copy[j].params, from->params, ours * sizeof(double));
	}
	return copy;
}

/* Take in the entries before `now`: read without an error before, so they are again. */
static void pass(struct spec_json_live *l, const struct spec_json_at *at, int64_t now)
{
	size_t n = l->n_done;

	while (n < l->n && l->entries[n].at < now)
		n++;
	l->done.n = 0;
	spec_json_schedule_read(&l->reader, at, l->entries ? l->entries + l->n_done : NULL,
				n - l->n_done, &l->done);
	l->n_done = l->reader.nomem ? l->n_done : n;
}

/* Those to come, the earlier of two of one time first. */
static struct spec_json_entry *merge(const struct spec_json_live *l,
				     const struct spec_json_entry *fresh, size_t n_fresh)
{
	struct spec_json_entry *all = mem_alloc(l->n - l->n_done + n_fresh + 1, sizeof(*all));
	size_t k = 0, i = l->n_done;

	for (size_t j = 0; all && j < n_fresh; j++) {
		while (i < l->n && l->entries[i].at <= fresh[j].at)
			all[k++] = l->entries[i++];
		all[k++] = fresh[j];
	}
	while (all && i < l->n)
		all[k++] = l->entries[i++];
	return all;
}

/* Read entries on top of what is known, on trial. */
static void try_out(struct spec_json_live *l, const struct spec_json_at *at,
		    const struct spec_json_entry *entries, size_t n, struct mem_arena *arena,
		    struct spec_json_schedule *s)
{
	struct spec_json_reader *r = &l->reader;
	struct spec_json_synapse *synapses = r->synapses;
	struct mem_arena *own = r->arena;

	r->arena = arena;
	r->synapses = copy_synapses(r);
	s->before = l->done.params;
	if (r->synapses)
		spec_json_schedule_read(r, at, entries, n, s);
	r->arena = own;
	r->synapses = synapses;
}

/* The entries to come are now these. */
static bool keep(struct spec_json_live *l, const struct spec_json_entry *entries, size_t n)
{
	struct spec_json_entry *grown = mem_resize(l->entries, l->n_done + n + 1, sizeof(*grown));

	if (!grown)
		return false;
	l->entries = grown;
	memcpy(grown + l->n_done, entries, n * sizeof(*entries));
	l->n = l->n_done + n;
	return true;
}

static int change(struct spec_json_live *l, const struct spec_json_at *at,
		  const struct spec_json_entry *fresh, size_t n_fresh,
		  struct spec_json_live_changes *ret)
{
	struct spec_json_reader *r = &l->reader;
	size_t n = l->n - l->n_done + n_fresh;
	struct spec_json_entry *all = merge(l, fresh, n_fresh);
	struct spec_json_schedule s = { 0 };
	struct mem_arena arena;

	mem_arena_init(&arena, 0);
	if (all && err_list_count(r->errors) == 0)
		try_out(l, at, all, n, &arena, &s);
	r->nomem = r->nomem || !all;
	if (!r->nomem && err_list_count(r->errors) == 0)
		r->nomem = !keep(l, all, n);
	mem_free(all);
	if (r->nomem || err_list_count(r->errors) > 0) {
		mem_arena_release(&arena);
		return r->nomem ? -ERR_NOMEM : -ERR_INVALID;
	}
	mem_arena_release(&l->arena);
	l->arena = arena;
	*ret = (struct spec_json_live_changes){ s.changes, s.n };
	return 0;
}

int spec_json_live_change(struct spec_json_live *l, json_t *added, int64_t now,
			  struct spec_json_live_changes *ret, struct err_list *errors)
{
	struct spec_json_at root = { .key = "" };
	struct spec_json_at at = spec_json_read_key(&root, "schedule");
	size_t n = json_array_size(added);
	struct spec_json_entry *fresh;
	int rc;

	l->reader.errors = errors;
	l->reader.nomem = false;
	pass(l, &at, now);
	fresh = copy_entries(l, added, &at, now);
	if (fresh && !l->reader.nomem)
		rc = change(l, &at, fresh, n, ret);
	else
		rc = l->reader.nomem ? -ERR_NOMEM : -ERR_INVALID;
	if (rc)
		entries_free(fresh, n);
	else
		mem_free(fresh);
	return rc;
}

/* ---- texts ---- */

static json_t *entries_until(const struct spec_json_live *l, int64_t end)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < l->n && l->entries[i].at < end; i++) {
		if (json_array_append(list, l->entries[i].json)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *spec_json_live_schedule(const struct spec_json_live *l)
{
	return entries_until(l, INT64_MAX);
}

json_t *spec_json_live_past(const struct spec_json_live *l, int64_t now)
{
	json_t *list = entries_until(l, now);
	json_t *spec = list ? with_schedule(l->json, list) : NULL;

	if (!spec)
		return NULL;
	if (!json_object_set_new(spec, "duration_ms", json_real((double)now * l->reader.spec->dt)))
		return spec;
	json_decref(spec);
	return NULL;
}
