/*
 * What a stdio call put into its stream. See stream.h.
 *
 * On the thread that makes the call. Text that is no longer in the stream's buffer is formatted a second time, into the thread's own
 * scratch memory: never onto the stack, which may be small.
 */
#include "preload/stream.h"

#include <sys/uio.h>

bool stream_sink(struct call *c)
{
	if (c->fd < 0)
		return false;
	c->flags = WIRE_F_SINK;
	return call_policy(c, false) == WIRE_POLICY_SINK;
}

void stream_say(struct call *c, const void *data, size_t len)
{
	const uint32_t want = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;

	c->a0 = len;
	emit(c, data, want, want);
}

void stream_say_parts(struct call *c, const char *a, const char *b, const char *d, const char *end)
{
	const char *const parts[] = {a, b, d, end};
	struct iovec iov[4];
	size_t sum = 0;

	for (size_t i = 0; i < 4; i++) {
		iov[i].iov_base = (void *)(uintptr_t)parts[i];
		iov[i].iov_len = parts[i] ? strlen(parts[i]) : 0;
		sum += iov[i].iov_len;
	}
	c->a0 = sum;
	emit_vector(c, iov, 4, sum);
}

/* %n would store a second time. Anything that looks like it will do. */
static bool stores(const char *format)
{
	static const char between[] = "0123456789-+ #'I.*$hlqjzLt";

	for (const char *p = strchr(format, '%'); p; p = strchr(p, '%')) {
		p++;
		p += strspn(p, between);
		if (*p == 'n')
			return true;
		if (*p)
			p++;
	}
	return false;
}

void stream_say_format(struct call *c, int saved_errno, uint32_t want, const char *format, va_list ap)
{
	struct shim_tls *t = &shim_tls;
	const int after = errno;
	int n = 0;

	/* A handler that nests in vsnprintf must not use the same scratch. */
	if (!want || t->state != SHIM_THREAD_LIVE || t->formatting || stores(format)) {
		emit(c, NULL, 0, want == STREAM_ALL ? 0 : want);
		return;
	}
	t->formatting = true;
	atomic_signal_fence(memory_order_seq_cst);
	errno = saved_errno;
	n = vsnprintf(t->local->scratch, SHIM_SCRATCH_BYTES, format, ap);
	errno = after;
	if (want == STREAM_ALL) {
		want = n > 0 ? (uint32_t)n : 0;
		if (c->event == WIRE_STDIO)
			c->a0 = want;
	}
	emit(c, t->local->scratch, want < SHIM_SCRATCH_BYTES ? want : SHIM_SCRATCH_BYTES - 1, want);
	atomic_signal_fence(memory_order_seq_cst);
	t->formatting = false;
}

void stream_say_printf(struct call *c, const FILE *f, struct stream_mark before, int r, const char *format, va_list ap)
{
	if (r > 0 && f->_IO_write_base == before.base && before.at && f->_IO_write_ptr - before.at == r) {
		stream_say(c, before.at, (size_t)r);
		return;
	}
	c->a0 = r > 0 ? (uint64_t)r : 0;
	stream_say_format(c, before.saved_errno, r > 0 ? (uint32_t)r : 0, format, ap);
}
