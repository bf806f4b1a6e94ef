/* dataset_npy.c - arrays of numpy: one (.npy, the field is "values") or several (.npz, the fields
 * bear their names). */
/* SPDX-License-Identifier: MIT */
#include "server/dataset.h"

#include <stdio.h>
#include <string.h>

#include "server/npz.h"

static int field(struct dataset_field *f, const char *name, const unsigned char *bytes, size_t n,
		 struct err *err)
{
	int rc = npy_parse(&f->shape, bytes, n, err);

	if (rc)
		return rc;
	f->data = bytes + f->shape.data_offset;
	f->shape.data_offset = 0;
	if (f->shape.n_dims == 0) { /* a bare number is a list of one */
		f->shape.n_dims = 1;
		f->shape.dim[0] = 1;
	}
	if (dataset_bytes(&f->shape) == 0)
		return err_set(err, ERR_CORRUPT, NULL, "array %s is empty", name);
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	return 0;
}

int dataset_npy(struct dataset *ret, const unsigned char *bytes, size_t n, struct mem_arena *arena,
		struct err *err)
{
	struct dataset_field *f = NEW(arena, struct dataset_field, 1);
	int rc = f ? field(f, "values", bytes, n, err) : err_nomem(err);

	if (rc)
		return rc;
	ret->kind = "npy";
	ret->fields = f;
	ret->n_fields = 1;
	return 0;
}

/* Names that can be fields', each once; files of one kind. */
static int check(const struct npz_entry *e, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		bool once = !e[i].wav || strcmp(e[i].name, "rate_hz") != 0;

		for (size_t k = 0; k < i; k++)
			once = once && strcmp(e[i].name, e[k].name) != 0;
		if (!once || !dataset_field_valid(e[i].name))
			return err_set(err, ERR_CORRUPT, NULL,
				       "expected array names of letters, digits, _ and -, each "
				       "once; entry %zu has another",
				       i);
		if (e[i].wav != e[0].wav)
			return err_set(
				err, ERR_CORRUPT, NULL,
				"expected arrays (*.npy) or sounds (*.wav) in the zip, found "
				"both; entry %zu is the other",
				i);
	}
	return n ? 0
		 : err_set(err, ERR_CORRUPT, NULL,
			   "expected arrays (*.npy) or sounds (*.wav) in the zip, found none");
}

int dataset_npz(struct dataset *ret, const unsigned char *bytes, size_t n, size_t max,
		struct mem_arena *arena, struct err *err)
{
	struct npz_entry *entries = NULL;
	struct dataset_field *f;
	size_t n_entries = 0;
	int rc = npz_read(bytes, n, max, arena, &entries, &n_entries, err);

	if (!rc)
		rc = check(entries, n_entries, err);
	if (rc)
		return rc;
	if (entries[0].wav)
		return dataset_wav_zip(ret, entries, n_entries, arena, err);
	f = NEW(arena, struct dataset_field, n_entries);
	if (!f)
		return err_nomem(err);
	for (size_t i = 0; i < n_entries; i++) {
		rc = field(&f[i], entries[i].name, entries[i].bytes, entries[i].n, err);
		if (rc)
			return rc;
	}
	ret->kind = "npz";
	ret->fields = f;
	ret->n_fields = n_entries;
	return 0;
}
