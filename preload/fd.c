/*
 * What to capture on a descriptor: the policy byte, first set here, lowered or raised by the agent afterwards.
 *
 * On any thread of the watched process. System calls only where a descriptor is seen for the first time.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "preload/call.h"

static void put(int fd, uint8_t policy)
{
	uint32_t high;

	if ((uint32_t)fd >= shim.policy_fds)
		return;
	atomic_store_explicit(&shim.policy[fd], policy, memory_order_relaxed);
	high = atomic_load_explicit(&shim.process->fd_high, memory_order_relaxed);
	while (high <= (uint32_t)fd && !atomic_compare_exchange_weak_explicit(&shim.process->fd_high, &high, (uint32_t)fd + 1,
									      memory_order_relaxed, memory_order_relaxed))
		;
}

void fd_set_policy(int fd, uint8_t policy)
{
	if ((uint32_t)fd < shim.policy_fds)
		atomic_store_explicit(wire_renewed_at(shim.header, shim.process_index, fd), shim_ticks(), memory_order_relaxed);
	put(fd, policy);
}

void fd_copy_policy(int from, int to)
{
	uint8_t policy = WIRE_POLICY_UNKNOWN;

	if ((uint32_t)from < shim.policy_fds)
		policy = atomic_load_explicit(&shim.policy[from], memory_order_relaxed);
	/* The dup is told: so both closes are to be told. */
	if (policy >= WIRE_POLICY_OPENED) {
		policy = policy == WIRE_POLICY_FILE ? WIRE_POLICY_NONE : WIRE_POLICY_UNKNOWN;
		fd_set_policy(from, policy);
	}
	fd_set_policy(to, policy);
}

bool fd_opens_are_told(void)
{
	return unlikely(atomic_load_explicit(&shim.process->tell_opens, memory_order_relaxed));
}

bool fd_opened(int fd)
{
	uint8_t before;

	if (fd_opens_are_told())
		return false;
	if ((uint32_t)fd >= shim.policy_fds)
		return true;
	before = atomic_load_explicit(&shim.policy[fd], memory_order_relaxed);
	if (before != WIRE_POLICY_UNKNOWN && before < WIRE_POLICY_OPENED)
		return false;
	put(fd, WIRE_POLICY_OPENED);
	return true;
}

/* The number is free for another thread as soon as the call is made, so the byte is cleared before. In a vfork child this clears a byte of
 * its parent's, which then looks at its descriptor once more. */
bool fd_closing(int fd)
{
	if ((uint32_t)fd >= shim.policy_fds || atomic_load_explicit(&shim.policy[fd], memory_order_relaxed) < WIRE_POLICY_OPENED ||
	    !session_is_set_up())
		return false;
	atomic_store_explicit(&shim.policy[fd], WIRE_POLICY_UNKNOWN, memory_order_relaxed);
	return true;
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	const size_t n = strlen(end);

	return len >= n && memcmp(s + len - n, end, n) == 0;
}

uint8_t fd_policy_of_path(const char *path, int flags)
{
	size_t len;

	if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH))
		return WIRE_POLICY_NONE;
	len = strnlen(path, SHIM_PATH_BYTES);
	if (len == SHIM_PATH_BYTES || strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0)
		return WIRE_POLICY_NONE;
	if ((flags & O_APPEND) || ends_with(path, len, ".log") || strstr(path, "/log/") || strstr(path, "/logs/"))
		return shim.header->policy_logfile;
	return WIRE_POLICY_NONE;
}

static uint8_t classify_file(int fd, int flags)
{
	char link[32] = "/proc/self/fd/";
	char path[SHIM_PATH_BYTES / 4];
	char digits[12];
	size_t at = strlen(link);
	size_t n = 0;
	long len;

	if ((flags & O_ACCMODE) == O_RDONLY)
		return WIRE_POLICY_NONE;
	do {
		digits[n++] = (char)('0' + fd % 10);
		fd /= 10;
	} while (fd);
	while (n)
		link[at++] = digits[--n];
	len = cpu_syscall(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, sizeof(path) - 1, 0, 0);
	path[len > 0 ? len : 0] = '\0';
	return fd_policy_of_path(path, flags);
}

/* One of the numbers that a socket was made with. */
static uint64_t socket_number(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return cpu_syscall(SYS_getsockopt, fd, SOL_SOCKET, name, (long)&value, (long)&len, 0) == 0 ? (uint64_t)(uint32_t)value : 0;
}

static void say_kind(int fd, enum wire_fd_kind kind, long flags)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	struct call c = {.event = WIRE_FD_KIND, .fd = fd, .a0 = kind, .a1 = flags < 0 ? 0 : (uint64_t)flags};

	if (kind != WIRE_FD_SOCKET || cpu_syscall(SYS_getpeername, fd, (long)&peer, (long)&len, 0, 0, 0) != 0)
		len = 0;
	if (len > sizeof(peer))
		len = sizeof(peer);
	if (kind == WIRE_FD_SOCKET)
		c.a1 |= socket_number(fd, SO_TYPE) << WIRE_TYPE_SHIFT | socket_number(fd, SO_DOMAIN) << WIRE_DOMAIN_SHIFT;
	c.t0 = c.t1 = shim_ticks();
	emit(&c, &peer, len, len);
}

static uint8_t classify_stdio(uint8_t found, enum wire_fd_kind kind)
{
	return kind == WIRE_FD_TTY || kind == WIRE_FD_OTHER ? found : shim.header->policy_stdio;
}

static uint8_t classify(int fd, bool stdio, bool opened)
{
	struct stat st = {0};
	enum wire_fd_kind kind = WIRE_FD_OTHER;
	uint8_t policy = WIRE_POLICY_NONE;
	long flags;

	if (atomic_load_explicit(&shim.quiet, memory_order_relaxed))
		return opened ? WIRE_POLICY_NONE : WIRE_POLICY_SIZES;
	if (fd < 0 || cpu_syscall(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) != 0)
		return WIRE_POLICY_SIZES;
	if (opened && S_ISREG(st.st_mode)) {
		fd_set_policy(fd, WIRE_POLICY_FILE);
		return WIRE_POLICY_NONE;
	}
	/* A vfork child's descriptor is none of its parent's. */
	if (session_is_shadow())
		return WIRE_POLICY_NONE;
	flags = cpu_syscall(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	if (S_ISSOCK(st.st_mode)) {
		kind = WIRE_FD_SOCKET;
		policy = shim.header->policy_socket;
	} else if (S_ISFIFO(st.st_mode)) {
		kind = WIRE_FD_PIPE;
		policy = shim.header->policy_pipe;
	} else if (S_ISREG(st.st_mode)) {
		kind = WIRE_FD_FILE;
		policy = classify_file(fd, (int)flags);
	} else if (S_ISCHR(st.st_mode)) {
		char termios[128];

		kind = cpu_syscall(SYS_ioctl, fd, 0x5401 /* TCGETS */, (long)termios, 0, 0, 0) == 0 ? WIRE_FD_TTY : WIRE_FD_OTHER;
	}
	if (stdio)
		policy = classify_stdio(policy, kind);
	if (policy == WIRE_POLICY_UNKNOWN)
		policy = WIRE_POLICY_SIZES;
	fd_set_policy(fd, policy);
	say_kind(fd, kind, flags);
	return policy;
}

uint8_t fd_classify(int fd)
{
	const uint8_t known = (uint32_t)fd < shim.policy_fds ? atomic_load_explicit(&shim.policy[fd], memory_order_relaxed)
							     : (uint8_t)WIRE_POLICY_UNKNOWN;

	return known == WIRE_POLICY_FILE ? WIRE_POLICY_NONE : classify(fd, fd == 1 || fd == 2, known == WIRE_POLICY_OPENED);
}

void fd_start(void)
{
	(void)fd_classify(1);
	(void)fd_classify(2);
}
