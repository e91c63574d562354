/*
 * The life of sockets: made, connected, accepted, configured, shut down. Any thread of the watched process.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "preload/fault.h"

static uint8_t policy_of_domain(int domain)
{
	return domain == AF_INET || domain == AF_INET6 || domain == AF_UNIX ? shim.header->policy_socket
									    : (uint8_t)WIRE_POLICY_SIZES;
}

static uint32_t address_len(socklen_t len)
{
	return len > sizeof(struct sockaddr_storage) ? (uint32_t)sizeof(struct sockaddr_storage) : len;
}

HOOK_FN(int, socket, int domain, int type, int protocol)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_SOCKET, -1))
		return REAL(socket)(domain, type, protocol);
	call_begin(&c);
	r = REAL(socket)(domain, type, protocol);
	call_end(&c, r, r < 0);
	c.fd = r;
	c.a0 = (uint64_t)(uint32_t)domain << 32 | (uint32_t)type;
	c.a1 = (uint64_t)(int64_t)protocol;
	if (type & SOCK_NONBLOCK)
		c.flags |= WIRE_F_NONBLOCK;
	if (r >= 0)
		fd_set_policy(r, policy_of_domain(domain));
	emit(&c, NULL, 0, 0);
	return r;
}

HOOK_FN(int, socketpair, int domain, int type, int protocol, int fds[2])
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_SOCKETPAIR, -1))
		return REAL(socketpair)(domain, type, protocol, fds);
	call_begin(&c);
	r = REAL(socketpair)(domain, type, protocol, fds);
	call_end(&c, r, r < 0);
	c.a0 = (uint64_t)(uint32_t)domain << 32 | (uint32_t)type;
	c.a1 = (uint64_t)-1;
	if (r == 0) {
		const uint8_t pair = shim.header->policy_pair;
		const uint8_t policy = pair ? pair : policy_of_domain(domain);

		c.fd = fds[0];
		c.a1 = (uint64_t)fds[1];
		fd_set_policy(fds[0], policy);
		fd_set_policy(fds[1], policy);
	}
	emit(&c, NULL, 0, 0);
	return r;
}

/* The logging daemons' sockets are log sinks, whichever library speaks to them. */
static bool is_log_socket(const struct sockaddr *address, socklen_t len)
{
	static const char *const sinks[] = {"/dev/log", "/run/systemd/journal/socket", "/run/systemd/journal/dev-log",
					    "/run/systemd/journal/stdout"};
	const struct sockaddr_un *u = (const struct sockaddr_un *)(const void *)address;
	const size_t head = offsetof(struct sockaddr_un, sun_path);

	if (len <= head || address->sa_family != AF_UNIX)
		return false;
	for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
		if (strlen(sinks[i]) <= len - head && strncmp(u->sun_path, sinks[i], len - head) == 0)
			return true;
	}
	return false;
}

/* A connect over a network may wait for minutes, or be left by a jump out of a signal handler: the slot in flight has no room for the
 * peer's name, so a record of its own says it beforehand. */
static void connect_announce(const struct call *c, const struct sockaddr *address, socklen_t len)
{
	struct call announced = *c;
	struct sockaddr_in6 copy = {0};
	const struct iovec to = {&copy, len < sizeof(copy) ? len : sizeof(copy)};
	const struct iovec from = {(void *)(uintptr_t)address, to.iov_len};

	/* The kernel copies it: a bad pointer is for the connect itself to refuse. */
	if (!address || len < sizeof(struct sockaddr_in) || atomic_load_explicit(&shim.quiet, memory_order_relaxed) ||
	    cpu_syscall(SYS_process_vm_readv, shim.pid, (long)&to, 1, (long)&from, 1, 0) != (long)to.iov_len)
		return;
	if (copy.sin6_family != AF_INET && copy.sin6_family != AF_INET6)
		return;
	announced.event = WIRE_CONNECTING;
	announced.t0 = announced.t1 = shim_ticks();
	announced.ret = 0;
	emit(&announced, &copy, (uint32_t)to.iov_len, 0);
}

/* A socket that cannot reach the relay (it is bound to an address, or a device) goes where it wanted to. */
static int connect_relay(__typeof__(&connect) real, int fd, const struct sockaddr_in6 *relay, socklen_t relay_len,
			 const struct sockaddr *address, socklen_t len)
{
	const int r = real(fd, (const struct sockaddr *)(const void *)relay, relay_len);

	if (r == 0 || (errno != ENETUNREACH && errno != EHOSTUNREACH && errno != EADDRNOTAVAIL && errno != EINVAL))
		return r;
	fault_give_back();
	return real(fd, address, len);
}

HOOK_FN(int, connect, int fd, const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_in6 relay;
	socklen_t relay_len;
	struct call c;
	bool readable;
	int r;

	if (!call_enter(&c, WIRE_CONNECT, fd))
		return REAL(connect)(fd, address, len);
	(void)call_policy(&c, true);
	connect_announce(&c, address, len);
	call_waits(&c, -1);
	call_begin(&c);
	if (fault_leads(fd, address, len, &relay, &relay_len))
		r = connect_relay(REAL(connect), fd, &relay, relay_len, address, len);
	else
		r = REAL(connect)(fd, address, len);
	call_end(&c, r, r < 0);
	readable = address && c.err != EFAULT && c.err != EBADF && c.err != ENOTSOCK && c.err != EINVAL;
	if (c.err == EINPROGRESS) {
		c.a1 = 1;
		c.flags |= WIRE_F_NONBLOCK;
	}
	if (r == 0 && readable && is_log_socket(address, len))
		fd_set_policy(fd, WIRE_POLICY_SINK);
	emit(&c, address, readable ? address_len(len) : 0, 0);
	return r;
}
HOOK_ALIAS(__connect, connect);

HOOK_FN(int, bind, int fd, const struct sockaddr *address, socklen_t len)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_BIND, fd))
		return REAL(bind)(fd, address, len);
	call_begin(&c);
	r = REAL(bind)(fd, address, len);
	call_end(&c, r, r < 0);
	emit(&c, address, r == 0 || c.err == EADDRINUSE ? address_len(len) : 0, 0);
	return r;
}

HOOK_FN(int, listen, int fd, int backlog)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_LISTEN, fd))
		return REAL(listen)(fd, backlog);
	call_begin(&c);
	r = REAL(listen)(fd, backlog);
	call_end(&c, r, r < 0);
	c.a0 = (uint64_t)(int64_t)backlog;
	emit(&c, NULL, 0, 0);
	return r;
}

/* The peer's address is in the buffer of a caller that asked for it; for others it is asked for here. */

static void accept_say(struct call *c, int r, int flags, struct sockaddr *address, const socklen_t *len, socklen_t room)
{
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof(peer);

	c->a0 = (uint64_t)(uint32_t)flags;
	if (r < 0) {
		emit(c, NULL, 0, 0);
		return;
	}
	fd_set_policy(r, shim.header->policy_socket);
	if (address && len && *len <= room) {
		emit(c, address, address_len(*len), 0);
		return;
	}
	if (atomic_load_explicit(&shim.quiet, memory_order_relaxed) ||
	    cpu_syscall(SYS_getpeername, r, (long)&peer, (long)&peer_len, 0, 0, 0) != 0)
		peer_len = 0;
	emit(c, &peer, address_len(peer_len), 0);
}

HOOK_FN(int, accept, int fd, struct sockaddr *address, socklen_t *len)
{
	struct call c;
	socklen_t room;
	int r;

	if (!call_enter(&c, WIRE_ACCEPT, fd))
		return REAL(accept)(fd, address, len);
	room = address && len ? *len : 0;
	call_waits(&c, -1);
	call_begin(&c);
	r = REAL(accept)(fd, address, len);
	call_end(&c, r, r < 0);
	accept_say(&c, r, 0, address, len, room);
	return r;
}

HOOK_FN(int, accept4, int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	struct call c;
	socklen_t room;
	int r;

	if (!call_enter(&c, WIRE_ACCEPT, fd))
		return REAL(accept4)(fd, address, len, flags);
	room = address && len ? *len : 0;
	call_waits(&c, -1);
	call_begin(&c);
	r = REAL(accept4)(fd, address, len, flags);
	call_end(&c, r, r < 0);
	accept_say(&c, r, flags, address, len, room);
	return r;
}

HOOK_FN(int, shutdown, int fd, int how)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_SHUTDOWN, fd))
		return REAL(shutdown)(fd, how);
	call_begin(&c);
	r = REAL(shutdown)(fd, how);
	call_end(&c, r, r < 0);
	c.a0 = (uint64_t)(uint32_t)how;
	emit(&c, NULL, 0, 0);
	return r;
}

static uint64_t option_value(int level, int name, const void *value, socklen_t len)
{
	if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO) && len >= sizeof(struct timeval)) {
		struct timeval tv;

		memcpy(&tv, value, sizeof(tv));
		return (uint64_t)tv.tv_sec * 1000000000ULL + (uint64_t)tv.tv_usec * 1000ULL;
	}
	if (len >= sizeof(int)) {
		int i;

		memcpy(&i, value, sizeof(i));
		return (uint64_t)(int64_t)i;
	}
	return len ? *(const uint8_t *)value : 0;
}

HOOK_FN(int, setsockopt, int fd, int level, int name, const void *value, socklen_t len)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_SETSOCKOPT, fd))
		return REAL(setsockopt)(fd, level, name, value, len);
	call_begin(&c);
	r = REAL(setsockopt)(fd, level, name, value, len);
	call_end(&c, r, r < 0);
	c.a0 = (uint64_t)(uint32_t)level << 32 | (uint32_t)name;
	if (r == 0 && value)
		c.a1 = option_value(level, name, value, len);
	emit(&c, NULL, 0, 0);
	return r;
}

HOOK_FN(int, getsockopt, int fd, int level, int name, void *value, socklen_t *len)
{
	struct call c;
	int r;

	if (level != SOL_SOCKET || name != SO_ERROR || !call_enter(&c, WIRE_GETSOCKOPT, fd))
		return REAL(getsockopt)(fd, level, name, value, len);
	call_begin(&c);
	r = REAL(getsockopt)(fd, level, name, value, len);
	call_end(&c, r, r < 0);
	c.a0 = (uint64_t)(uint32_t)level << 32 | (uint32_t)name;
	if (r == 0)
		c.a1 = option_value(level, name, value, *len);
	emit(&c, NULL, 0, 0);
	return r;
}

/* No record: only proof mode has something to say here. */
HOOK_FN(int, getpeername, int fd, struct sockaddr *address, socklen_t *len)
{
	const bool proved = shim.header->fault.relay_port != 0 && address && len;
	const socklen_t room = proved ? *len : 0;
	const int r = REAL(getpeername)(fd, address, len);

	if (unlikely(proved) && r == 0)
		fault_peer_name(address, len, room);
	return r;
}
