/* kept.c - one body in two codings, and its ETag. */
/* SPDX-License-Identifier: MIT */
#include "server/kept.h"

#include "core/base/mem.h"
#include "server/cond.h"
#include "server/encode.h"
#include "server/gzip.h"

struct kept {
	struct buf text, packed; /* packed: empty where it does not pay */
	char etag[COND_ETAG_SIZE];
};

int kept_new(struct kept **ret, struct buf *text, struct err *err)
{
	struct kept *k = mem_alloc(1, sizeof(*k));
	int rc;

	if (!k || text->failed || !cond_etag(text->data, text->len, k->etag)) {
		buf_release(text);
		mem_free(k);
		return err_nomem(err);
	}
	k->text = *text;
	*text = (struct buf){ 0 };
	buf_init(&k->packed, k->text.len);
	rc = gzip_pack(&k->packed, k->text.data, k->text.len, err);
	if (rc) {
		kept_free(k);
		return rc;
	}
	*ret = k;
	return 0;
}

void kept_free(struct kept *k)
{
	if (!k)
		return;
	buf_release(&k->text);
	buf_release(&k->packed);
	mem_free(k);
}

int kept_answer(const struct kept *k, const struct request *rq, struct response *rs)
{
	const struct buf *body = &k->text;

	rs->status = 200;
	if (cond_not_modified(rq, rs, k->etag))
		return 0;
	if (encode_accepted(rq)) {
		body = &k->packed;
		encode_packed(rq, rs);
	}
	return buf_add(&rs->body, body->data, body->len);
}
