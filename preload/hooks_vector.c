/*
 * Bytes in and out of descriptors through several buffers, several messages, or none at all (sendfile, splice). Any thread of the
 * watched process. The heads of several buffers are gathered into one record.
 */
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#include "preload/call.h"
#include "preload/limit.h"

static bool vector_enter(struct call *c, bool socket_call)
{
	const uint8_t policy = call_policy(c, socket_call);

	return policy != WIRE_POLICY_NONE && !(policy == WIRE_POLICY_SINK && c->event == WIRE_READ);
}

static uint64_t vector_bytes(const struct iovec *iov, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += iov[i].iov_len;
	return sum;
}

static void vector_say(struct call *c, const struct iovec *iov, size_t count, int flags, uint16_t more, int64_t bytes)
{
	uint64_t asked;

	c->flags |= more;
	if (flags & MSG_PEEK)
		c->flags |= WIRE_F_PEEK;
	if (flags & MSG_DONTWAIT)
		c->flags |= WIRE_F_NONBLOCK;
	if (c->policy == WIRE_POLICY_SINK)
		c->flags |= WIRE_F_SINK;
	if (c->ret < 0 || bytes < 0) {
		c->flags |= WIRE_F_VECTOR;
		emit(c, NULL, 0, 0);
		return;
	}
	asked = vector_bytes(iov, count);
	if (c->event == WIRE_READ || c->event == WIRE_WRITE)
		c->a0 = asked;
	emit_vector(c, iov, count, call_drops(flags) ? 0 : call_want(c->policy, (uint64_t)bytes < asked ? (uint64_t)bytes : asked));
}

#define VECTOR(event, fd, iov, count, more, real) \
	do { \
		struct call c; \
		ssize_t r; \
\
		if (!call_enter(&c, event, fd) || !vector_enter(&c, false)) \
			return real; \
		call_waits(&c, -1); \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		vector_say(&c, iov, (size_t)(count), 0, more, r); \
		return r; \
	} while (0)

HOOK_FN(ssize_t, readv, int fd, const struct iovec *iov, int count)
{
	VECTOR(WIRE_READ, fd, iov, count, 0, REAL(readv)(fd, iov, count));
}

HOOK_FN(ssize_t, writev, int fd, const struct iovec *iov, int count)
{
	VECTOR(WIRE_WRITE, fd, iov, count, 0, REAL(writev)(fd, iov, count));
}

#define POSITIONED(type, name, event, offset_type) \
	HOOK_FN(type, name, int fd, const struct iovec *iov, int count, offset_type at) \
	{ \
		VECTOR(event, fd, iov, count, WIRE_F_POSITIONED, REAL(name)(fd, iov, count, at)); \
	}
#define POSITIONED2(type, name, event, offset_type) \
	HOOK_FN(type, name, int fd, const struct iovec *iov, int count, offset_type at, int flags) \
	{ \
		VECTOR(event, fd, iov, count, WIRE_F_POSITIONED, REAL(name)(fd, iov, count, at, flags)); \
	}
POSITIONED(ssize_t, preadv, WIRE_READ, off_t)
POSITIONED(ssize_t, preadv64, WIRE_READ, off64_t)
POSITIONED(ssize_t, pwritev, WIRE_WRITE, off_t)
POSITIONED(ssize_t, pwritev64, WIRE_WRITE, off64_t)
POSITIONED2(ssize_t, preadv2, WIRE_READ, off_t)
POSITIONED2(ssize_t, preadv64v2, WIRE_READ, off64_t)
POSITIONED2(ssize_t, pwritev2, WIRE_WRITE, off_t)
POSITIONED2(ssize_t, pwritev64v2, WIRE_WRITE, off64_t)

HOOK_FN(ssize_t, recvmsg, int fd, struct msghdr *message, int flags)
{
	struct call c;
	ssize_t r;

	if (!call_enter(&c, WIRE_READ, fd) || !vector_enter(&c, true))
		return REAL(recvmsg)(fd, message, flags);
	call_waits(&c, -1);
	call_begin(&c);
	r = REAL(recvmsg)(fd, message, flags);
	call_end(&c, r, r < 0);
	c.a1 = (uint64_t)(uint32_t)flags;
	vector_say(&c, r < 0 ? NULL : message->msg_iov, r < 0 ? 0 : message->msg_iovlen, flags, WIRE_F_SOCKET_CALL, r);
	return r;
}

/* libsystemd sends each journal entry to a well-known socket with this very call: so all of sd_journal_* is seen here, whether or not
 * the library was loaded when we were. The bytes count as logged even where no journal listens. */
static bool is_journal(const struct msghdr *message)
{
	static const char path[] = "/run/systemd/journal/socket";
	const struct sockaddr_un *u;

	if (!message->msg_name || message->msg_namelen < offsetof(struct sockaddr_un, sun_path) + sizeof(path) - 1)
		return false;
	u = message->msg_name;
	return u->sun_family == AF_UNIX && memcmp(u->sun_path, path, sizeof(path) - 1) == 0;
}

static void journal_say(struct call *c, const struct msghdr *message)
{
	const uint64_t bytes = vector_bytes(message->msg_iov, message->msg_iovlen);

	c->event = WIRE_JOURNAL;
	c->flags = WIRE_F_SINK | WIRE_F_SOCKET_CALL;
	c->a0 = (uint64_t)-1;
	emit_vector(c, message->msg_iov, message->msg_iovlen, bytes);
}

HOOK_FN(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags)
{
	struct call c;
	ssize_t r;

	if (!call_enter(&c, WIRE_WRITE, fd) || !vector_enter(&c, true))
		return REAL(sendmsg)(fd, message, flags);
	call_waits(&c, -1);
	call_begin(&c);
	r = REAL(sendmsg)(fd, message, flags);
	call_end(&c, r, r < 0);
	c.a1 = (uint64_t)(uint32_t)flags;
	/* With these errors the kernel had read the message: only then may we. */
	if ((r >= 0 || c.err == ENOENT || c.err == ECONNREFUSED) && is_journal(message))
		journal_say(&c, message);
	else
		vector_say(&c, r < 0 ? NULL : message->msg_iov, r < 0 ? 0 : message->msg_iovlen, flags, WIRE_F_SOCKET_CALL, r);
	return r;
}

/* Only the first message's head is taken; a0 holds the bytes of all. */
static void messages_say(struct call *c, const struct mmsghdr *all, int n, int flags, uint64_t a1)
{
	uint64_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += all[i].msg_len;
	c->a0 = sum;
	c->a1 = a1;
	vector_say(c, n > 0 ? all[0].msg_hdr.msg_iov : NULL, n > 0 ? all[0].msg_hdr.msg_iovlen : 0, flags, WIRE_F_SOCKET_CALL,
		   n > 0 ? (int64_t)all[0].msg_len : -1);
}

HOOK_FN(int, recvmmsg, int fd, struct mmsghdr *all, unsigned int count, int flags, struct timespec *limit)
{
	struct call c;
	int64_t limit_ns;
	int r;

	if (!call_enter(&c, WIRE_RECVMMSG, fd) || !vector_enter(&c, true))
		return REAL(recvmmsg)(fd, all, count, flags, limit);
	limit_ns = limit_timespec(limit);
	call_waits(&c, limit_ns);
	call_begin(&c);
	r = REAL(recvmmsg)(fd, all, count, flags, limit);
	call_end(&c, r, r < 0);
	messages_say(&c, all, r, flags, (uint64_t)limit_ns);
	return r;
}

HOOK_FN(int, sendmmsg, int fd, struct mmsghdr *all, unsigned int count, int flags)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_SENDMMSG, fd) || !vector_enter(&c, true))
		return REAL(sendmmsg)(fd, all, count, flags);
	call_waits(&c, -1);
	call_begin(&c);
	r = REAL(sendmmsg)(fd, all, count, flags);
	call_end(&c, r, r < 0);
	messages_say(&c, all, r, flags, (uint64_t)(uint32_t)flags);
	return r;
}
HOOK_ALIAS(__sendmmsg, sendmmsg);

/* From one descriptor to another: of interest if either is. */
static bool passage_enter(struct call *c, int in)
{
	struct call other = {.fd = in};

	return call_policy(c, false) != WIRE_POLICY_NONE || call_policy(&other, false) != WIRE_POLICY_NONE;
}

#define PASSAGE(event, out, in, n, real) \
	do { \
		struct call c; \
		ssize_t r; \
\
		if (!call_enter(&c, event, out) || !passage_enter(&c, in)) \
			return real; \
		call_waits(&c, -1); \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		c.a0 = n; \
		c.a1 = (uint64_t)(uint32_t)(in); \
		emit(&c, NULL, 0, 0); \
		return r; \
	} while (0)

HOOK_FN(ssize_t, sendfile, int out, int in, off_t *at, size_t n)
{
	PASSAGE(WIRE_SENDFILE, out, in, n, REAL(sendfile)(out, in, at, n));
}

HOOK_FN(ssize_t, sendfile64, int out, int in, off64_t *at, size_t n)
{
	PASSAGE(WIRE_SENDFILE, out, in, n, REAL(sendfile64)(out, in, at, n));
}

HOOK_FN(ssize_t, splice, int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned int flags)
{
	PASSAGE(WIRE_SPLICE, out, in, n, REAL(splice)(in, in_at, out, out_at, n, flags));
}

HOOK_FN(ssize_t, tee, int in, int out, size_t n, unsigned int flags)
{
	PASSAGE(WIRE_SPLICE, out, in, n, REAL(tee)(in, out, n, flags));
}
