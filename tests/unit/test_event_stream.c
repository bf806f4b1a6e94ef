/* test_event_stream - lines of events, places composed and taken apart, sources that are let go of. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "server/event_stream.h"

/* Says "a", "b", ... one a read, n in all. */
struct fake {
	int said, n, freed;
};

static int fake_read(void *self, const struct event_sink *to, bool *end)
{
	struct fake *f = self;
	char place[16], data[32];

	if (f->said < f->n) {
		(void)snprintf(place, sizeof(place), "%d", ++f->said);
		(void)snprintf(data, sizeof(data), "{\"x\":%d}", f->said);
		to->say(to->self, place, "state", data);
		to->say(to->self, NULL, "progress", "{}");
	}
	*end = f->said == f->n;
	return 0;
}

static void fake_free(void *self)
{
	((struct fake *)self)->freed++;
}

static struct event_source source(struct fake *f, const char *place)
{
	struct event_source s = { .self = f, .read = fake_read, .free = fake_free };

	(void)snprintf(s.place, sizeof(s.place), "%s", place);
	return s;
}

static bool hear(struct http_stream *st, const char *want)
{
	struct buf out;
	bool end = false;

	buf_init(&out, 1 << 16);
	cr_assert_eq(st->read(st->self, &out, &end), 0);
	cr_assert_str_eq(out.data ? out.data : "", want);
	buf_release(&out);
	return end;
}

Test(event_stream, one_source_is_said_as_it_is)
{
	struct fake f = { .n = 2 };
	struct http_stream st;

	cr_assert_eq(event_stream_one(&st, source(&f, "7"), NULL), 0);
	cr_assert_not(hear(&st, "retry: 2000\nid: 7\n\n"
				"id: 1\nevent: state\ndata: {\"x\":1}\n\n"
				"event: progress\ndata: {}\n\n"));
	cr_assert(hear(&st, "id: 2\nevent: state\ndata: {\"x\":2}\n\n"
			    "event: progress\ndata: {}\n\n"));
	st.free(st.self);
	cr_assert_eq(f.freed, 1);
}

Test(event_stream, many_sources_have_topics_and_one_id)
{
	static const char *const topics[] = { "run:1", "session:2", "run:3" };
	struct fake f[3] = { { .n = 2 }, { .n = 1 }, { .n = 5 } };
	struct event_source s[3] = { source(&f[0], "0"), source(&f[1], "ab:4"),
				     source(&f[2], "9") };
	struct http_stream st;

	s[2].ended = true; /* all of it was said before */
	cr_assert_eq(event_stream_many(&st, s, topics, 3, NULL), 0);
	cr_assert_not(hear(&st,
			   "retry: 2000\nid: 0,ab:4,9\n\n"
			   "id: 1,ab:4,9\nevent: state\ndata: {\"topic\":\"run:1\",\"x\":1}\n\n"
			   "event: progress\ndata: {\"topic\":\"run:1\"}\n\n"
			   "id: 1,1,9\nevent: state\ndata: {\"topic\":\"session:2\",\"x\":1}\n\n"
			   "event: progress\ndata: {\"topic\":\"session:2\"}\n\n"));
	cr_assert(hear(&st, "id: 2,1,9\nevent: state\ndata: {\"topic\":\"run:1\",\"x\":2}\n\n"
			    "event: progress\ndata: {\"topic\":\"run:1\"}\n\n"));
	st.free(st.self);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(f[i].freed, 1);
}

Test(event_stream, without_memory_the_sources_are_let_go_of)
{
	static const char *const topics[] = { "run:1", "run:2" };
	size_t live = mem_live();

	for (size_t k = 1; k < 10; k++) {
		struct fake f[2] = { { .n = 1 }, { .n = 1 } };
		struct event_source s[2] = { source(&f[0], "0"), source(&f[1], "0") };
		struct http_stream st;
		int rc;

		mem_fail_at(k, false);
		rc = event_stream_many(&st, s, topics, 2, NULL);
		mem_fail_at(0, false);
		cr_assert(rc == 0 || rc == -ERR_NOMEM);
		cr_assert(k > 1 || rc == -ERR_NOMEM);
		if (!rc)
			st.free(st.self);
		cr_assert_eq(f[0].freed, 1, "allocation %zu", k);
		cr_assert_eq(f[1].freed, 1, "allocation %zu", k);
		cr_assert_eq(mem_live(), live);
	}
}

Test(event_stream, a_composed_id_is_taken_apart)
{
	char place[EVENT_PLACE_MAX];

	cr_assert(event_stream_place("12,ab:3,0", 3, 1, place));
	cr_assert_str_eq(place, "ab:3");
	cr_assert(event_stream_place("12,ab:3,0", 3, 2, place));
	cr_assert_str_eq(place, "0");
	cr_assert(event_stream_place(",", 2, 1, place));
	cr_assert_str_eq(place, "");
	cr_assert_not(event_stream_place("12,3", 3, 0, place));
	cr_assert_not(event_stream_place("12,3,4,5", 3, 0, place));
	cr_assert_not(event_stream_place("1234567890123456789012345678901234567890", 1, 0, place));
}
