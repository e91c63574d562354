/*
 * Bytes in and out of descriptors through one buffer: read, write, recv, send and their kin. Any thread of the watched process.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "preload/call.h"

/* Is a transfer on c->fd to be recorded? Reads of a log sink are not. */
__attribute__((always_inline)) static inline bool data_enter(struct call *c, bool socket_call)
{
	const uint8_t policy = call_policy(c, socket_call);

	return policy != WIRE_POLICY_NONE && !(policy == WIRE_POLICY_SINK && c->event == WIRE_READ);
}

__attribute__((always_inline)) static inline void data_say(struct call *c, const void *buf, uint64_t asked, int flags,
							   uint16_t more)
{
	uint32_t len = c->ret > 0 ? call_want(c->policy, (uint64_t)c->ret) : 0;

	c->a0 = asked;
	c->a1 = (uint64_t)(uint32_t)flags;
	c->flags = more;
	if (flags & MSG_PEEK)
		c->flags |= WIRE_F_PEEK;
	if (flags & MSG_DONTWAIT)
		c->flags |= WIRE_F_NONBLOCK;
	if (c->policy == WIRE_POLICY_SINK)
		c->flags |= WIRE_F_SINK;
	/* With MSG_TRUNC a datagram's length may be more than the buffer got. */
	if (len > asked)
		len = (uint32_t)asked;
	emit(c, buf, len, len);
}

#define TRANSFER(event, fd, socket_call, buf, n, msg_flags, more, real) \
	do { \
		struct call c; \
		ssize_t r; \
\
		if (!call_enter(&c, event, fd) || !data_enter(&c, socket_call)) \
			return real; \
		call_waits(&c, -1); \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		data_say(&c, buf, n, msg_flags, more); \
		return r; \
	} while (0)

HOOK_FAST(ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n))
{
	TRANSFER(WIRE_READ, fd, false, buf, n, 0, 0, REAL(read)(fd, buf, n));
}
HOOK_ALIAS(__read, read);

HOOK_FAST(ssize_t, __read_chk, (int fd, void *buf, size_t n, size_t room), (fd, buf, n, room))
{
	TRANSFER(WIRE_READ, fd, false, buf, n, 0, 0, REAL(__read_chk)(fd, buf, n, room));
}

HOOK_FAST(ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n))
{
	TRANSFER(WIRE_WRITE, fd, false, buf, n, 0, 0, REAL(write)(fd, buf, n));
}
HOOK_ALIAS(__write, write);

HOOK_FAST(ssize_t, recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags))
{
	TRANSFER(WIRE_READ, fd, true, buf, n, flags, WIRE_F_SOCKET_CALL, REAL(recv)(fd, buf, n, flags));
}
HOOK_ALIAS(__recv, recv);

HOOK_FAST(ssize_t, __recv_chk, (int fd, void *buf, size_t n, size_t room, int flags), (fd, buf, n, room, flags))
{
	TRANSFER(WIRE_READ, fd, true, buf, n, flags, WIRE_F_SOCKET_CALL, REAL(__recv_chk)(fd, buf, n, room, flags));
}

HOOK_FAST(ssize_t, send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags))
{
	TRANSFER(WIRE_WRITE, fd, true, buf, n, flags, WIRE_F_SOCKET_CALL, REAL(send)(fd, buf, n, flags));
}
HOOK_ALIAS(__send, send);

HOOK_FAST(ssize_t, recvfrom, (int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *len),
	  (fd, buf, n, flags, from, len))
{
	TRANSFER(WIRE_READ, fd, true, buf, n, flags, WIRE_F_SOCKET_CALL, REAL(recvfrom)(fd, buf, n, flags, from, len));
}

HOOK_FAST(ssize_t, __recvfrom_chk, (int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *from, socklen_t *len),
	  (fd, buf, n, room, flags, from, len))
{
	TRANSFER(WIRE_READ, fd, true, buf, n, flags, WIRE_F_SOCKET_CALL, REAL(__recvfrom_chk)(fd, buf, n, room, flags, from, len));
}

HOOK_FAST(ssize_t, sendto, (int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t len),
	  (fd, buf, n, flags, to, len))
{
	TRANSFER(WIRE_WRITE, fd, true, buf, n, flags, WIRE_F_SOCKET_CALL, REAL(sendto)(fd, buf, n, flags, to, len));
}

HOOK_FAST(ssize_t, pread, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at))
{
	TRANSFER(WIRE_READ, fd, false, buf, n, 0, WIRE_F_POSITIONED, REAL(pread)(fd, buf, n, at));
}
HOOK_ALIAS(__libc_pread, pread);

HOOK_FAST(ssize_t, pread64, (int fd, void *buf, size_t n, off64_t at), (fd, buf, n, at))
{
	TRANSFER(WIRE_READ, fd, false, buf, n, 0, WIRE_F_POSITIONED, REAL(pread64)(fd, buf, n, at));
}
HOOK_ALIAS(__pread64, pread64);

HOOK_FAST(ssize_t, __pread_chk, (int fd, void *buf, size_t n, off_t at, size_t room), (fd, buf, n, at, room))
{
	TRANSFER(WIRE_READ, fd, false, buf, n, 0, WIRE_F_POSITIONED, REAL(__pread_chk)(fd, buf, n, at, room));
}

HOOK_FAST(ssize_t, __pread64_chk, (int fd, void *buf, size_t n, off64_t at, size_t room), (fd, buf, n, at, room))
{
	TRANSFER(WIRE_READ, fd, false, buf, n, 0, WIRE_F_POSITIONED, REAL(__pread64_chk)(fd, buf, n, at, room));
}

HOOK_FAST(ssize_t, pwrite, (int fd, const void *buf, size_t n, off_t at), (fd, buf, n, at))
{
	TRANSFER(WIRE_WRITE, fd, false, buf, n, 0, WIRE_F_POSITIONED, REAL(pwrite)(fd, buf, n, at));
}
HOOK_ALIAS(__libc_pwrite, pwrite);

HOOK_FAST(ssize_t, pwrite64, (int fd, const void *buf, size_t n, off64_t at), (fd, buf, n, at))
{
	TRANSFER(WIRE_WRITE, fd, false, buf, n, 0, WIRE_F_POSITIONED, REAL(pwrite64)(fd, buf, n, at));
}
HOOK_ALIAS(__pwrite64, pwrite64);
