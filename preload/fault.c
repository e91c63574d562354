/*
 * See fault.h. Any thread of the watched process. All system calls are made by number: errno stays, and nothing is a cancellation point.
 */
#include "preload/fault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

static bool on_time(struct wire_fault *f, uint64_t now_ns)
{
	return now_ns < atomic_load_explicit(&f->until_ns, memory_order_relaxed);
}

/* The relay is in this network, and not at these addresses of another. */
static bool same_network(const struct wire_fault *f)
{
	struct stat s = {0};

	return cpu_syscall(SYS_newfstatat, AT_FDCWD, (long)"/proc/thread-self/ns/net", (long)&s, 0, 0, 0) == 0 &&
	       s.st_ino == f->network;
}

/* No system call of ours is allowed behind a seccomp filter. */
static bool may_act(void)
{
	return !atomic_load_explicit(&shim.quiet, memory_order_relaxed);
}

static int option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return cpu_syscall(SYS_getsockopt, fd, level, name, (long)&value, (long)&len, 0) == 0 ? value : -1;
}

static void put_mapped(uint8_t to[16], const void *v4)
{
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	memcpy(to + 12, v4, 4);
}

/* The address as a row has it. False for what is led nowhere: other families, no port, no stream. */
static bool read_address(int fd, const struct sockaddr *address, socklen_t len, uint8_t to[16], uint16_t *ret_port, int *ret_family)
{
	struct sockaddr_in6 copy = {0};
	const struct iovec mine = {&copy, len < sizeof(copy) ? len : sizeof(copy)};
	const struct iovec theirs = {(void *)(uintptr_t)address, mine.iov_len};

	if (!address || len < sizeof(struct sockaddr_in) ||
	    cpu_syscall(SYS_process_vm_readv, shim.pid, (long)&mine, 1, (long)&theirs, 1, 0) != (long)mine.iov_len)
		return false;
	if (copy.sin6_family == AF_INET)
		put_mapped(to, &((const struct sockaddr_in *)(const void *)&copy)->sin_addr);
	else if (copy.sin6_family == AF_INET6 && len >= sizeof(copy))
		memcpy(to, &copy.sin6_addr, 16);
	else
		return false;
	*ret_port = copy.sin6_port;
	*ret_family = copy.sin6_family;
	/* A link-local address says nothing without its interface, which the relay does not know. */
	if (copy.sin6_port == 0 || (copy.sin6_family == AF_INET6 && to[0] == 0xfe && (to[1] & 0xc0) == 0x80))
		return false;
	return option_of(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM &&
	       (*ret_family == AF_INET || option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
}

static bool is_target(struct wire_fault *f, uint32_t row)
{
	uint32_t target = atomic_load_explicit(&f->target, memory_order_relaxed);

	if (target == 0 &&
	    atomic_compare_exchange_strong_explicit(&f->target, &target, row + 1, memory_order_relaxed, memory_order_relaxed))
		return true;
	return target == row + 1;
}

static uint16_t port_of(const struct wire_fault *f, uint32_t way)
{
	return way == WIRE_FAULT_RELAY ? f->relay_port : way == WIRE_FAULT_REFUSE ? f->refuse_port : f->silent_port;
}

bool fault_leads_slow(int fd, const struct sockaddr *address, socklen_t len, struct sockaddr_in6 *ret, socklen_t *ret_len)
{
	struct wire_fault *f = &shim.header->fault;
	const uint64_t now_ns = shim_clock_monotonic();
	const uint32_t way = fault_way();
	uint8_t peer[16];
	uint16_t port;
	int family;
	uint32_t row;

	if (way == WIRE_FAULT_NONE || way == WIRE_FAULT_RESOLVE || !may_act() || !on_time(f, now_ns) ||
	    !read_address(fd, address, len, peer, &port, &family) || !same_network(f))
		return false;
	row = wire_fault_row(f, peer, port);
	if (row == WIRE_FAULT_PEERS || !is_target(f, row) || !wire_fault_take(f, now_ns))
		return false;

	const uint32_t to = htonl(WIRE_FAULT_NET + row + 1);
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (family == AF_INET) {
		*ret_len = sizeof(*v4);
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port_of(f, way));
		v4->sin_addr.s_addr = to;
	} else {
		*ret_len = sizeof(*ret);
		ret->sin6_family = AF_INET6;
		ret->sin6_port = htons(port_of(f, way));
		put_mapped(ret->sin6_addr.s6_addr, &to);
	}
	return true;
}

void fault_give_back(void)
{
	atomic_fetch_add_explicit(&shim.header->fault.credit, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&shim.header->fault.affected, 1, memory_order_relaxed);
}

void fault_resolve_slow(void)
{
	struct wire_fault *f = &shim.header->fault;
	const struct timespec spell = {.tv_nsec = WIRE_FAULT_SPELL_NS};
	uint64_t now_ns = shim_clock_monotonic();
	const uint64_t end_ns = now_ns + f->delay_ns;

	if (!may_act() || !on_time(f, now_ns) || !wire_fault_take(f, now_ns))
		return;
	while (now_ns < end_ns && on_time(f, now_ns) && fault_way() == WIRE_FAULT_RESOLVE) {
		(void)cpu_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&spell, 0, 0, 0);
		now_ns = shim_clock_monotonic();
	}
}

/* The row that a relay's address stands for, or NULL. */
static const struct wire_fault_peer *peer_behind(const struct wire_fault *f, const uint8_t address[4], uint16_t port)
{
	uint32_t at;

	memcpy(&at, address, sizeof(at));

	const uint32_t row = ntohl(at) - WIRE_FAULT_NET - 1;

	if (port == 0 || (port != f->relay_port && port != f->silent_port) || row >= WIRE_FAULT_PEERS ||
	    atomic_load_explicit(&f->peers[row].state, memory_order_acquire) != WIRE_FAULT_PEER_READY)
		return NULL;
	return &f->peers[row];
}

void fault_peer_name(struct sockaddr *address, socklen_t *len, socklen_t room)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)address;
	const struct wire_fault_peer *p = NULL;

	if (room >= sizeof(*v4) && *len >= sizeof(*v4) && v4->sin_family == AF_INET)
		p = peer_behind(&shim.header->fault, (const uint8_t *)&v4->sin_addr, ntohs(v4->sin_port));
	else if (room >= sizeof(*v6) && *len >= sizeof(*v6) && v6->sin6_family == AF_INET6 &&
		 memcmp(v6->sin6_addr.s6_addr, mapped, sizeof(mapped)) == 0)
		p = peer_behind(&shim.header->fault, v6->sin6_addr.s6_addr + 12, ntohs(v6->sin6_port));
	if (!p)
		return;
	if (v4->sin_family == AF_INET) {
		memcpy(&v4->sin_addr, p->address + 12, 4);
		v4->sin_port = p->port;
	} else {
		memcpy(&v6->sin6_addr, p->address, 16);
		v6->sin6_port = p->port;
	}
}
