/* serve_line.c - a session's lines: bytes in, bytes out, none lost and none in the way. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/serve_part.h"

enum { READ_BYTES = 1 << 16, PIPE_BYTES = 4096 };

/* As much as goes without waiting: poll() said that something does. */
static void write_some(struct serve *s)
{
	size_t n = s->out.len;
	ssize_t done = send(s->out_fd, s->out.data, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done < 0 && errno == ENOTSOCK) /* a pipe has room for PIPE_BUF, or a file */
		done = write(s->out_fd, s->out.data, n < PIPE_BYTES ? n : PIPE_BYTES);
	if (done < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (done < 0) { /* nobody listens any more */
		buf_clear(&s->out);
		s->in_end = true;
		return;
	}
	memmove(s->out.data, s->out.data + done, n - (size_t)done);
	s->out.len -= (size_t)done;
}

/* What a line that is too long has left. */
static void skip(struct serve *s)
{
	const char *end = memchr(s->in.data, '\n', s->in.len);

	if (!end) {
		buf_clear(&s->in);
		return;
	}
	s->in_from = (size_t)(end - s->in.data) + 1;
	s->in_skip = false;
}

static void read_some(struct serve *s)
{
	char bytes[READ_BYTES];
	ssize_t n = read(s->in_fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		s->in_end = true;
		return;
	}
	if (s->in_from > 0) {
		memmove(s->in.data, s->in.data + s->in_from, s->in.len - s->in_from);
		s->in.len -= s->in_from;
		s->in_from = 0;
	}
	if (buf_add(&s->in, bytes, (size_t)n)) { /* no memory: nothing can be promised any more */
		s->in_end = true;
		return;
	}
	if (s->in_skip)
		skip(s);
}

void serve_exchange(struct serve *s, int wait_ms)
{
	struct pollfd fds[3] = {
		{ .fd = s->in_fd, .events = POLLIN },
		{ .fd = s->out_fd, .events = POLLOUT },
		{ .fd = s->saving.pid ? s->saving.fd : -1, .events = POLLIN },
	};

	if (s->in_end || s->out.len > SERVE_OUT_SOFT || s->in.len - s->in_from > SERVE_LINE_MAX)
		fds[0].fd = -1;
	if (s->out.len == 0)
		fds[1].fd = -1;
	if (poll(fds, 3, wait_ms) <= 0)
		return;
	if (fds[1].revents)
		write_some(s);
	if (fds[0].revents)
		read_some(s);
	if (fds[2].revents)
		serve_ckpt_await(s);
}

char *serve_line(struct serve *s, size_t *ret_n, bool *ret_long)
{
	char *from = s->in.data + s->in_from, *end;
	size_t n = s->in.len - s->in_from;

	*ret_long = false;
	end = n ? memchr(from, '\n', n) : NULL;
	if (!end && n <= SERVE_LINE_MAX)
		return NULL;
	if (!end) {
		buf_clear(&s->in);
		s->in_from = 0;
		s->in_skip = *ret_long = true;
		return NULL;
	}
	*end = '\0';
	*ret_n = (size_t)(end - from);
	s->in_from += *ret_n + 1;
	return from;
}

static int add(const char *bytes, size_t n, void *out)
{
	return buf_add(out, bytes, n);
}

void serve_send(struct serve *s, json_t *line)
{
	size_t before = s->out.len;

	if (!line ||
	    json_dump_callback(line, add, &s->out, JSON_COMPACT | JSON_REAL_PRECISION(17)) ||
	    buf_char(&s->out, '\n')) {
		s->out.len = before; /* no memory: a reply that never comes would be waited for */
		s->out.failed = 0;
		s->in_end = true;
	}
	json_decref(line);
}

bool serve_drain(struct serve *s, double seconds)
{
	double end = serve_now_s(s) + seconds;

	while (s->out.len > 0 && serve_now_s(s) < end) {
		struct pollfd fd = { .fd = s->out_fd, .events = POLLOUT };

		if (poll(&fd, 1, 100) > 0)
			write_some(s);
	}
	return s->out.len == 0;
}

bool serve_send_fd(struct serve *s, json_t *line, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec io;
	struct msghdr m = { .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&m);
	ssize_t done = -1;

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	if (!serve_drain(s, 10.0)) {
		json_decref(line);
		return false;
	}
	serve_send(s, line);
	io = (struct iovec){ s->out.data, s->out.len };
	m.msg_iov = &io;
	m.msg_iovlen = 1;
	for (int i = 0; i < 100 && done < 0; i++) {
		struct pollfd room = { .fd = s->out_fd, .events = POLLOUT };

		(void)poll(&room, 1, 100);
		done = sendmsg(s->out_fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done < 0 && errno != EAGAIN && errno != EINTR)
			break;
	}
	if (done <= 0) {
		buf_clear(&s->out);
		return false;
	}
	memmove(s->out.data, s->out.data + done, s->out.len - (size_t)done);
	s->out.len -= (size_t)done;
	return true;
}

/* ---- replies ---- */

static json_t *error_json(const struct err *e)
{
	json_t *json = json_pack("{s:s, s:s, s:s}", "code", err_name(e->code), "path", e->path,
				 "text", e->text);

	if (json && e->line > 0)
		(void)json_object_set_new(json, "line", json_integer(e->line));
	if (json && e->line > 0)
		(void)json_object_set_new(json, "column", json_integer(e->column));
	return json;
}

static json_t *errors_json(const struct err_list *errors)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < errors->n; i++)
		(void)json_array_append_new(list, error_json(&errors->items[i]));
	return list;
}

json_t *serve_reply(struct serve *s, const struct serve_call *call, json_t *body,
		    const struct err *err, const struct err_list *errors)
{
	bool ok = !err || err->code == 0;
	json_t *line = json_object();
	int rc = 0;

	if (!line)
		return NULL;
	rc |= json_object_set_new(line, "seq", json_integer((json_int_t)call->seq));
	if (call->id)
		rc |= json_object_set(line, "id", call->id);
	if (s->live)
		rc |= json_object_set_new(line, "t_ms", serve_time(s, serve_now(s)));
	rc |= json_object_set_new(line, "ok", json_boolean(ok));
	if (ok && body)
		rc |= json_object_update(line, body);
	if (!ok)
		rc |= json_object_set_new(line, "error", error_json(err));
	if (!ok && errors && errors->n > 0)
		rc |= json_object_set_new(line, "errors", errors_json(errors));
	json_decref(body);
	if (!rc)
		return line;
	json_decref(line);
	return NULL;
}
