/*
 * Bytes in and out of descriptors through one buffer: read, write, recv, send and their kin. Any thread of the watched process.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "preload/hot.h"

/* Is a transfer on c->fd to be recorded? Reads of a log sink are not. */
__attribute__((always_inline)) static inline bool data_enter(struct call *c, bool socket_call)
{
	const uint8_t policy = call_policy(c, socket_call);

	return policy != WIRE_POLICY_NONE && !(policy == WIRE_POLICY_SINK && c->event == WIRE_READ);
}

__attribute__((always_inline)) static inline uint16_t data_flags(int flags, uint16_t more)
{
	return (uint16_t)(more | (flags & MSG_PEEK ? WIRE_F_PEEK : 0) | (flags & MSG_DONTWAIT ? WIRE_F_NONBLOCK : 0));
}

/* Every case. */
#define TRANSFER_ANY(event, fd, socket_call, buf, n, msg_flags, more, real) \
	do { \
		struct call c; \
		ssize_t r; \
		uint32_t len; \
\
		if (!call_enter(&c, event, fd) || !data_enter(&c, socket_call)) \
			return real; \
		call_waits(&c, -1); \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		c.a0 = n; \
		c.a1 = (uint64_t)(uint32_t)(msg_flags); \
		c.flags = data_flags(msg_flags, more) | (c.policy == WIRE_POLICY_SINK ? WIRE_F_SINK : 0); \
		len = r > 0 && !call_drops(msg_flags) ? call_want(c.policy, (uint64_t)r) : 0; \
		emit(&c, buf, len, len); \
		return r; \
	} while (0)

/* The end of a transfer that began on the short way and came upon something unusual. Its call is put together here, so that the short way
 * needs no room for it. */
__attribute__((noinline, cold)) static ssize_t rest(uint64_t t0, uint64_t t1, int64_t ret, uint64_t asked, int fd, int msg_flags,
						    uint32_t event_flags, uintptr_t pc, uintptr_t sp)
{
	struct call c = {.t0 = t0,
			 .a0 = asked,
			 .a1 = (uint32_t)msg_flags,
			 .pc = pc,
			 .sp = sp,
			 .fd = fd,
			 .event = (uint16_t)event_flags,
			 .flags = (uint16_t)(event_flags >> 16),
			 .policy = WIRE_POLICY_SIZES};

	call_end(&c, ret, ret < 0);
	c.t1 = t1;
	emit(&c, NULL, 0, 0);
	return ret;
}

/* TRANSFER(name, kind, parameters, arguments, socket_call, flags of the call, WIRE_F_ flags): a hook; its parameters are called fd, buf
 * and n. It tries the short way, and leaves for the general one, which finds its caller's frame as if there had been no other. */
#define TRANSFER(name, kind, parameters, arguments, socket_call, msg_flags, more) \
	__attribute__((noinline)) static ssize_t any_##name parameters; \
	HOOK_FAST(ssize_t, name, parameters, arguments) \
	{ \
		struct shim_tls *const t = shim_self(); \
		struct shim_site *e; \
		uint64_t t0, t1; \
		ssize_t r; \
		bool slow; \
\
		e = hot_enter(t, &t0, kind, fd, n); \
		if (unlikely(!e)) \
			return any_##name arguments; \
		r = KNOWN(name) arguments; \
		t1 = hot_end(t, kind, t0, &slow); \
		if (unlikely(slow) || unlikely(!hot_leave(t, e, t0, t1, kind, fd, r, n, msg_flags, data_flags(msg_flags, more)))) \
			return rest(t0, t1, r, n, fd, msg_flags, (uint32_t)data_flags(msg_flags, more) << 16 | (uint32_t)(kind), \
				    (uintptr_t)__builtin_return_address(0), hot_sp()); \
		return r; \
	} \
	__attribute__((noinline)) static ssize_t any_##name parameters \
	{ \
		TRANSFER_ANY(kind, fd, socket_call, buf, n, msg_flags, more, REAL(name) arguments); \
	}

TRANSFER(read, WIRE_READ, (int fd, void *buf, size_t n), (fd, buf, n), false, 0, 0)
HOOK_ALIAS(__read, read);

TRANSFER(__read_chk, WIRE_READ, (int fd, void *buf, size_t n, size_t room), (fd, buf, n, room), false, 0, 0)

TRANSFER(write, WIRE_WRITE, (int fd, const void *buf, size_t n), (fd, buf, n), false, 0, 0)
HOOK_ALIAS(__write, write);

TRANSFER(recv, WIRE_READ, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags), true, flags, WIRE_F_SOCKET_CALL)
HOOK_ALIAS(__recv, recv);

TRANSFER(__recv_chk, WIRE_READ, (int fd, void *buf, size_t n, size_t room, int flags), (fd, buf, n, room, flags), true, flags,
	 WIRE_F_SOCKET_CALL)

TRANSFER(send, WIRE_WRITE, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags), true, flags, WIRE_F_SOCKET_CALL)
HOOK_ALIAS(__send, send);

TRANSFER(recvfrom, WIRE_READ, (int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *from_len),
	 (fd, buf, n, flags, from, from_len), true, flags, WIRE_F_SOCKET_CALL)

TRANSFER(__recvfrom_chk, WIRE_READ,
	 (int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *from, socklen_t *from_len),
	 (fd, buf, n, room, flags, from, from_len), true, flags, WIRE_F_SOCKET_CALL)

TRANSFER(sendto, WIRE_WRITE, (int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t to_len),
	 (fd, buf, n, flags, to, to_len), true, flags, WIRE_F_SOCKET_CALL)

TRANSFER(pread, WIRE_READ, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at), false, 0, WIRE_F_POSITIONED)
HOOK_ALIAS(__libc_pread, pread);

TRANSFER(pread64, WIRE_READ, (int fd, void *buf, size_t n, off64_t at), (fd, buf, n, at), false, 0, WIRE_F_POSITIONED)
HOOK_ALIAS(__pread64, pread64);

TRANSFER(__pread_chk, WIRE_READ, (int fd, void *buf, size_t n, off_t at, size_t room), (fd, buf, n, at, room), false, 0,
	 WIRE_F_POSITIONED)

TRANSFER(__pread64_chk, WIRE_READ, (int fd, void *buf, size_t n, off64_t at, size_t room), (fd, buf, n, at, room), false, 0,
	 WIRE_F_POSITIONED)

TRANSFER(pwrite, WIRE_WRITE, (int fd, const void *buf, size_t n, off_t at), (fd, buf, n, at), false, 0, WIRE_F_POSITIONED)
HOOK_ALIAS(__libc_pwrite, pwrite);

TRANSFER(pwrite64, WIRE_WRITE, (int fd, const void *buf, size_t n, off64_t at), (fd, buf, n, at), false, 0, WIRE_F_POSITIONED)
HOOK_ALIAS(__pwrite64, pwrite64);
