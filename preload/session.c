/*
 * The session's memory in this process: mapped once by the constructor, a process slot claimed in it, and claimed anew by every
 * forked child. If anything is missing the library stays switched off for good and every hook passes through.
 *
 * Owner of `shim`. Runs on the thread that loads the library, and in a fork child on its only thread.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "preload/alloc.h"
#include "preload/got.h"
#include "preload/handover.h"
#include "preload/memory.h"
#include "wire/attach.h"

#define FD_FLOOR 10 /* descriptors 0 to 2 stay as they are, even for a moment */

/* musl loads a preloaded library into its own programs, and ends them where a function is missing. There these two are, and all stays off: the
 * hooks know glibc's streams. */
#pragma weak on_exit
#pragma weak gnu_get_libc_version

static struct wire_header off_header;
static struct wire_process off_process;

struct shim shim = {.on = &off_header.enabled, .header = &off_header, .process = &off_process};

/* What was mapped for a session is never unmapped: threads that were inside a hook when it ended may still look there. The next
 * session's shared memory is laid over that of the last one. */
static struct {
	void *shared;
	size_t shared_bytes, private_bytes;
	uint32_t threads; /* that private memory is for */
} mapped;

static int32_t rseq_offset; /* wire_rseq_offset() */

static char path[SHIM_PATH_BYTES];
static char library[SHIM_PATH_BYTES];

const char *session_path(void)
{
	return path;
}

const char *session_library(void)
{
	return library;
}

static int raw_close(int fd)
{
	return (int)cpu_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

static int open_memory(void)
{
	int fd = (int)cpu_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC, 0, 0, 0);

	/* Another user's program may not open the agent's entry, but the agent may hand it over. */
	if (fd == -EACCES)
		fd = handover_ask(path);
	if (fd >= 0 && fd < FD_FLOOR) {
		const int high = (int)cpu_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FD_FLOOR, 0, 0, 0);

		raw_close(fd);
		fd = high;
	}
	return fd;
}

/* A slot of the process table, its policy bytes emptied. UINT32_MAX if there is none. */
static uint32_t claim_process(struct wire_header *h)
{
	for (uint32_t i = 0; i < h->process_max; i++) {
		struct wire_process *p = wire_process_at(h, i);
		uint32_t expected = WIRE_SLOT_FREE;

		if (atomic_load_explicit(&p->state, memory_order_relaxed) == WIRE_SLOT_FREE &&
		    atomic_compare_exchange_strong_explicit(&p->state, &expected, WIRE_SLOT_CLAIMED, memory_order_acq_rel,
							    memory_order_relaxed)) {
			const uint32_t high = atomic_load_explicit(&p->fd_high, memory_order_relaxed);

			memset((void *)(uintptr_t)wire_policy_at(h, i), WIRE_POLICY_UNKNOWN,
			       high < h->policy_fds ? high : h->policy_fds);
			atomic_store_explicit(&p->fd_high, 0, memory_order_relaxed);
			atomic_store_explicit(&p->tell_opens, 0, memory_order_relaxed);
			p->generation++;
			return i;
		}
	}
	return UINT32_MAX;
}

bool session_is_on(void)
{
	return atomic_load_explicit(&shim.on, memory_order_relaxed) != &off_header.enabled;
}

void session_on(void)
{
	atomic_store_explicit(&shim.process->enabled, 1, memory_order_release);
	atomic_store_explicit(&shim.on, &shim.header->enabled, memory_order_release);
}

void session_off(void)
{
	atomic_store_explicit(&shim.process->enabled, 0, memory_order_relaxed);
	atomic_store_explicit(&shim.on, &off_header.enabled, memory_order_seq_cst);
}

/* Show the claimed slot to the agent and switch on. */
static void go_live(uint32_t index, uint32_t parent)
{
	shim.process_index = index;
	shim.process = wire_process_at(shim.header, index);
	shim.policy = wire_policy_at(shim.header, index);
	shim.process->pid = (uint32_t)shim.pid;
	shim.process->pid_ns = shim.pid_ns;
	shim.process->parent = parent;
	atomic_store_explicit(&shim.exit_said, false, memory_order_relaxed);
	/* Before the switch: a hook that finds it empty takes itself for a forked child. */
	atomic_store_explicit(&shim.private_mem->alive, 1, memory_order_release);
	session_on();
	atomic_store_explicit(&shim.process->state, WIRE_SLOT_LIVE, memory_order_release);
}

/* For a forked child: the slot is its parent's. */
static void switch_off(void)
{
	shim.process = &off_process;
	session_off();
}

void session_child(void)
{
	const int32_t parent = shim.pid;
	const uint32_t parent_index = shim.process_index;
	struct shim_tls *t = &shim_tls;
	struct call c = {.event = WIRE_FORK_CHILD, .fd = -1};
	uint32_t index;
	uint32_t high;

	thread_reset(t);
	alloc_forked();
	if (atomic_load_explicit(&shim.quiet, memory_order_relaxed)) {
		switch_off();
		return;
	}
	shim.pid = (int32_t)cpu_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
	index = claim_process(shim.header);
	if (index == UINT32_MAX) {
		atomic_fetch_add_explicit(&shim.header->lost[WIRE_LOSS_NO_RING], 1, memory_order_relaxed);
		switch_off();
		return;
	}
	high = atomic_load_explicit(&wire_process_at(shim.header, parent_index)->fd_high, memory_order_relaxed);
	if (high > shim.policy_fds)
		high = shim.policy_fds;
	memcpy((void *)(uintptr_t)wire_policy_at(shim.header, index),
	       (const void *)(uintptr_t)wire_policy_at(shim.header, parent_index), high);
	atomic_store_explicit(&wire_process_at(shim.header, index)->fd_high, high, memory_order_relaxed);
	go_live(index, (uint32_t)parent);
	if (!thread_claim(t))
		return;
	c.t0 = c.t1 = t->fork_t0 ? t->fork_t0 : shim_ticks();
	c.a0 = (uint64_t)parent;
	emit(&c, NULL, 0, 0);
}

bool call_enter_slow(struct shim_tls *t)
{
	if (!atomic_load_explicit(&shim.private_mem->alive, memory_order_acquire))
		session_child();
	return shim_on() && (atomic_load_explicit(&t->local->alive, memory_order_relaxed) || thread_claim(t));
}

static bool is_shadow(enum wire_loss cause)
{
	if (!shim.mapped || atomic_load_explicit(&shim.quiet, memory_order_relaxed))
		return false;
	if (!atomic_load_explicit(&shim.private_mem->alive, memory_order_relaxed))
		return false; /* a real child, with memory of its own */
	if ((int32_t)cpu_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0) == shim.pid)
		return false;
	session_count(cause);
	return true;
}

bool session_is_shadow(void)
{
	return is_shadow(WIRE_LOSS_SHADOWED);
}

bool session_is_aside(void)
{
	return is_shadow(WIRE_LOSS_ASIDE);
}

/* An image of this process that exec replaced left its slots behind: nobody writes them any more. Only where the pid is that of the
 * mounted /proc, by which the session was found: in a pid namespace of its own the number may be somebody else's. */
static void retire_old_image(void)
{
	char self[16] = "";
	const long n = cpu_syscall(SYS_readlinkat, AT_FDCWD, (long)"/proc/self", (long)self, sizeof(self) - 1, 0, 0);

	if (n <= 0 || atoi(self) != shim.pid)
		return;
	for (uint32_t i = 0; i < shim.header->process_max; i++) {
		struct wire_process *p = wire_process_at(shim.header, i);

		if (atomic_load_explicit(&p->state, memory_order_acquire) != WIRE_SLOT_LIVE || p->pid != (uint32_t)shim.pid ||
		    p->pid_ns != shim.pid_ns)
			continue;
		for (uint32_t k = 0; k < shim.header->thread_max; k++) {
			struct wire_thread *w = wire_thread_at(shim.header, k);

			if (atomic_load_explicit(&w->state, memory_order_acquire) == WIRE_SLOT_LIVE && w->process == i)
				atomic_store_explicit(&w->state, WIRE_SLOT_DRAIN, memory_order_release);
		}
		atomic_store_explicit(&p->state, WIRE_SLOT_DRAIN, memory_order_release);
	}
}

static int find_self(struct dl_phdr_info *info, size_t size, void *arg)
{
	const uintptr_t here = (uintptr_t)&find_self;

	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && here >= start && here < start + p->p_memsz) {
			if (!realpath(info->dlpi_name, library))
				library[0] = '\0';
			return 1;
		}
	}
	return 0;
}

static size_t default_stack(void)
{
	pthread_attr_t attr;
	size_t bytes = 0;

	if (pthread_attr_init(&attr) == 0) {
		(void)pthread_attr_getstacksize(&attr, &bytes);
		(void)pthread_attr_destroy(&attr);
	}
	return bytes;
}

static void read_surroundings(void)
{
	const void *const *stack_end = dlsym(RTLD_DEFAULT, "__libc_stack_end");

	shim.stack_end = stack_end ? (uintptr_t)*stack_end : 0;
	rseq_offset = wire_rseq_offset();
	atomic_store_explicit(&shim.stack_min, default_stack(), memory_order_relaxed);
	shim.pid = (int32_t)cpu_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
	(void)dl_iterate_phdr(find_self, NULL);
}

/* 0, or -1: then nothing of the session stays in this process. */
static int attach_memory(int fd)
{
	size_t bytes = 0;
	size_t private_bytes = 0;
	uint32_t threads = 0;
	uint32_t index;
	struct wire_header *h = memory_map(fd, mapped.shared, mapped.shared_bytes, &threads, &bytes);

	if (!h)
		return -1;
	shim.private_mem = memory_private(threads, &private_bytes);
	if (!shim.private_mem)
		goto fail;
	shim.threads = threads;
	shim.tls_at = (int32_t)((uintptr_t)&shim_tls - cpu_thread_pointer());
	shim.rseq_at = h->rseq_tells && rseq_offset ? rseq_offset : (int32_t)((uintptr_t)&shim_tls.no_rseq - cpu_thread_pointer());
	shim.policy_fds = h->policy_fds;
	shim.hot_fds = h->clock == WIRE_CLOCK_TSC ? h->policy_fds : 0;
	shim.clock = (uint16_t)h->clock;
	shim.header = h;
	if (h != mapped.shared) {
		mapped.shared = h;
		mapped.shared_bytes = bytes;
	}
	mapped.private_bytes = private_bytes;
	mapped.threads = threads;
	script_begin();
	retire_old_image();
	index = claim_process(h);
	if (index == UINT32_MAX) {
		atomic_fetch_add_explicit(&h->lost[WIRE_LOSS_NO_RING], 1, memory_order_relaxed);
		goto fail;
	}
	go_live(index, 0);
	return 0;

fail:
	shim.header = &off_header;
	shim.policy_fds = 0;
	shim.hot_fds = 0;
	if (shim.private_mem)
		memory_unmap(shim.private_mem, private_bytes);
	if (h == mapped.shared)
		memory_cover(h, mapped.shared_bytes);
	else
		memory_unmap(h, bytes);
	return -1;
}

void session_announce(void)
{
	char exe[SHIM_PATH_BYTES / 4];
	const long n = cpu_syscall(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)exe, sizeof(exe), 0, 0);
	struct call c = {.event = WIRE_PROCESS_START, .fd = -1};

	if (!thread_claim(&shim_tls))
		return;
	c.t0 = c.t1 = shim_ticks();
	c.a0 = (uint64_t)cpu_syscall(SYS_getppid, 0, 0, 0, 0, 0, 0);
	emit(&c, exe, n > 0 ? (uint32_t)n : 0, n > 0 ? (uint32_t)n : 0);
	modules_announce();
	fd_start();
}

/* Runs for exit() and for a return from main alike, unless the exit hook has spoken. */
static void on_process_end(int status, void *arg)
{
	struct call c;

	(void)arg;
	if (atomic_exchange_explicit(&shim.exit_said, true, memory_order_relaxed) || !call_enter(&c, WIRE_PROCESS_EXIT, -1))
		return;
	alloc_rest();
	c.pc = 0;
	c.t0 = c.t1 = shim_ticks();
	c.ret = status;
	emit(&c, NULL, 0, 0);
}

static void watch_end(void)
{
	static bool done;

	if (!done && on_exit)
		(void)on_exit(on_process_end, NULL);
	done = true;
}

bool session_is_own(uintptr_t start, uintptr_t end)
{
	const uintptr_t here = (uintptr_t)&find_self;

	return here >= start && here < end;
}

static void take_text(char *to, const char *from, size_t size)
{
	const size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

/* Is this process's memory its own? A vfork child's is its parent's. */
static bool memory_is_own(void)
{
	return !session_is_set_up() || (int32_t)cpu_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0) == shim.pid;
}

/* All of the rings are far more than most limits leave room for, and a limit that is lower than what is mapped fails the program's next malloc
 * (vsftpd limits itself, shells have ulimit -v). What lies behind the rings that stay may become the program's: it is ours no more. */
void session_limited(void)
{
	const uint32_t had = atomic_load_explicit(&shim.threads, memory_order_relaxed);
	uint32_t keep;

	if (!shim.mapped || !had || atomic_load_explicit(&shim.quiet, memory_order_relaxed) || !memory_is_own())
		return;
	keep = memory_rings_allowed(shim.header);
	if (keep >= had)
		return;
	atomic_store_explicit(&shim.threads, keep, memory_order_relaxed);
	memory_rings_leave(keep, had);
	mapped.shared_bytes = shim.header->ring_off + (size_t)keep * shim.header->ring_bytes;
}

void session_detach(void)
{
	session_off();
	library[0] = '\0';
	path[0] = '\0';
	/* No thread has a slot any more, nor knows a call site: what is not `alive` takes the slow way. */
	for (uint32_t i = 0; i < mapped.threads; i++)
		atomic_store_explicit(&shim.private_mem->locals[i].alive, 0, memory_order_relaxed);
	if (mapped.private_bytes > 4096)
		memset(shim.private_mem->locals, 0, 4096 - sizeof(struct shim_private));
	if (mapped.private_bytes > 4096)
		(void)cpu_syscall(SYS_madvise, (long)shim.private_mem + 4096, (long)mapped.private_bytes - 4096, MADV_DONTNEED, 0,
				  0, 0);
	shim.threads = 0;
	if (mapped.shared)
		memory_cover(mapped.shared, mapped.shared_bytes);
}

int session_attach(const struct wire_attach *a)
{
	if (!shim.stack_end)
		read_surroundings();
	if (thread_setup() != 0)
		return -EAGAIN;
	/* The agent of the last session may have been killed: then nobody has ended it. */
	if (shim.mapped)
		session_detach();
	shim.pid = (int32_t)cpu_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
	shim.injected = true;
	shim.pid_ns = a->pid_ns;
	take_text(path, a->session, sizeof(a->session));
	take_text(library, a->library, sizeof(a->library));
	modules_forget();
	if (attach_memory(a->fd) != 0)
		return -ENOMEM;
	shim.mapped = true;
	watch_end();
	/* A program that cannot load the library would be told so by its loader, on its standard error. */
	if (library[0] && cpu_syscall(SYS_faccessat, AT_FDCWD, (long)library, 4 /* R_OK */, 0, 0, 0) != 0)
		path[0] = '\0';
	return 0;
}

__attribute__((constructor)) static void session_start(void)
{
	const int saved = errno;
	const char *const env = getenv(WIRE_ENV_SESSION);
	int fd;

	if (!gnu_get_libc_version)
		return;
	resolve_all();
	if (!env || !env[0] || strlen(env) >= sizeof(path) || getauxval(AT_SECURE))
		goto out;
	memcpy(path, env, strlen(env) + 1);
	fd = open_memory();
	if (fd < 0)
		goto out;
	read_surroundings();
	if (thread_setup() == 0 && attach_memory(fd) == 0) {
		shim.mapped = true;
		watch_end();
	}
	raw_close(fd);
	if (shim.mapped) {
		session_announce();
		(void)got_patch();
		alloc_announce();
	}
out:
	errno = saved;
}
