/* The session's memory as this process maps it: see memory.h. */
#include <sys/mman.h>
#include <sys/resource.h>

#include "preload/call.h"
#include "preload/memory.h"

/* Under RLIMIT_AS so much of the address space may be ours: an eighth of it; of a small one the tables and some rings, but no more than a quarter:
 * a thread's first malloc wants 64 MiB in one piece, and without them each call of it maps memory. */
#define LIMITED_SHARE 8
#define LIMITED_SHARE_MOST 4
#define LIMITED_RINGS_BYTES (64U << 20)

static bool header_fits(const struct wire_header *h, uint64_t file_bytes)
{
	const uint64_t rings = (uint64_t)h->thread_max * h->ring_bytes;

	return h->magic == WIRE_MAGIC && h->version == WIRE_VERSION && h->process_max > 0 && h->thread_max > 0 &&
	       h->policy_fds > 0 && h->ring_bytes >= WIRE_RING_BYTES_MIN && h->ring_bytes <= WIRE_RING_BYTES_MAX &&
	       (h->ring_bytes & (h->ring_bytes - 1)) == 0 && h->size_bytes <= file_bytes &&
	       h->process_off + (uint64_t)h->process_max * sizeof(struct wire_process) <= h->ring_off &&
	       h->thread_off + (uint64_t)h->thread_max * sizeof(struct wire_thread) <= h->ring_off &&
	       h->policy_off + (uint64_t)h->process_max * h->policy_fds <= h->ring_off &&
	       h->renewed_off + (uint64_t)h->process_max * WIRE_RENEWED * sizeof(uint64_t) <= h->ring_off &&
	       h->ring_off + rings <= h->size_bytes;
}

static void *raw_map(size_t bytes, int prot, int flags, int fd)
{
	const long p = cpu_syscall(SYS_mmap, 0, (long)bytes, prot, flags, fd, 0);

	return p < 0 && p > -4096 ? NULL : (void *)p;
}

void memory_unmap(void *p, size_t bytes)
{
	(void)cpu_syscall(SYS_munmap, (long)p, (long)bytes, 0, 0, 0, 0);
}

/* Make all of what was mapped without access accessible. After mlockall(MCL_FUTURE) what is accessible is filled, and these are gigabytes that
 * hardly anybody touches: so it is unlocked first. */
static bool open_all(void *p, size_t bytes)
{
	return cpu_syscall(SYS_munlock, (long)p, (long)bytes, 0, 0, 0, 0) == 0 &&
	       cpu_syscall(SYS_mprotect, (long)p, (long)bytes, PROT_READ | PROT_WRITE, 0, 0, 0) == 0;
}

/* To `at`, in place of what is there, and at once: somebody may look. Else it is unmapped. */
static bool lay_over(void *at, void *p, size_t bytes)
{
	if (cpu_syscall(SYS_mremap, (long)p, (long)bytes, (long)bytes, MREMAP_MAYMOVE | MREMAP_FIXED, (long)at, 0) == (long)at)
		return true;
	memory_unmap(p, bytes);
	return false;
}

/* The file, without access; in place of `over` with access, unless that is NULL. */
static void *map_session(int fd, void *over, size_t bytes)
{
	void *p = raw_map(bytes, PROT_NONE, MAP_SHARED, fd);

	if (!p || !over)
		return p;
	if (!open_all(p, bytes)) {
		memory_unmap(p, bytes);
		return NULL;
	}
	return lay_over(over, p, bytes) ? over : NULL;
}

/* How much of an address space that somebody has limited may be ours. */
static uint64_t map_bytes_max(const struct wire_header *h)
{
	uint64_t most = h->ring_off + LIMITED_RINGS_BYTES;
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY};

	if (cpu_syscall(SYS_prlimit64, 0, RLIMIT_AS, 0, (long)&limit, 0, 0) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	if (most > limit.rlim_cur / LIMITED_SHARE_MOST)
		most = limit.rlim_cur / LIMITED_SHARE_MOST;
	return limit.rlim_cur / LIMITED_SHARE > most ? limit.rlim_cur / LIMITED_SHARE : most;
}

uint32_t memory_rings_allowed(const struct wire_header *h)
{
	const uint64_t most = map_bytes_max(h);

	if (most >= h->ring_off + (uint64_t)h->thread_max * h->ring_bytes)
		return h->thread_max;
	return most > h->ring_off + h->ring_bytes ? (uint32_t)((most - h->ring_off) / h->ring_bytes) : 1;
}

/* All of it, or under RLIMIT_AS a prefix with as many rings as can be had. The rings are large, and most threads are never made: what no
 * thread has is not accessible, so that an mlockall() of the program does not fill it, and no core has it. Nobody looks at it yet; laid
 * over an earlier session's memory, where a thread may still look, all of it is. */
struct wire_header *memory_map(int fd, void *over, size_t over_bytes, uint32_t *ret_threads, size_t *ret_bytes)
{
	struct wire_header *h = raw_map(4096, PROT_READ, MAP_SHARED, fd);
	const long file_bytes = cpu_syscall(SYS_lseek, fd, 0, 2 /* SEEK_END */, 0, 0, 0);
	struct wire_header *all = NULL;
	uint32_t threads;
	uint64_t rings_at;
	size_t bytes = 0;

	if (!h)
		return NULL;
	if (file_bytes <= 0 || !header_fits(h, (uint64_t)file_bytes)) {
		memory_unmap(h, 4096);
		return NULL;
	}
	rings_at = h->ring_off;
	threads = memory_rings_allowed(h);
	for (; threads && !all; threads = all ? threads : threads / 2) {
		bytes = rings_at + (size_t)threads * h->ring_bytes;
		all = map_session(fd, bytes <= over_bytes ? over : NULL, bytes);
		if (all)
			break;
	}
	memory_unmap(h, 4096);
	if (all && cpu_syscall(SYS_mprotect, (long)all, (long)rings_at, PROT_READ | PROT_WRITE, 0, 0, 0) != 0) {
		memory_unmap(all, bytes);
		return NULL;
	}
	if (all) {
		(void)cpu_syscall(SYS_madvise, (long)all, (long)bytes, MADV_DONTDUMP, 0, 0, 0);
		/* After mlockall(MCL_FUTURE) it would count as locked memory of the program. */
		(void)cpu_syscall(SYS_munlock, (long)all, (long)bytes, 0, 0, 0, 0);
	}
	*ret_threads = threads;
	*ret_bytes = bytes;
	return all;
}

struct shim_private *memory_private(uint32_t threads, size_t *ret_bytes)
{
	const size_t bytes = sizeof(struct shim_private) + (size_t)threads * sizeof(struct shim_local);
	void *p = raw_map(bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	if (!p)
		return NULL;
	if (!open_all(p, bytes) || cpu_syscall(SYS_madvise, (long)p, (long)bytes, MADV_WIPEONFORK, 0, 0, 0) != 0) {
		memory_unmap(p, bytes);
		return NULL;
	}
	*ret_bytes = bytes;
	return p;
}

void memory_cover(struct wire_header *h, size_t bytes)
{
	struct wire_header *quiet = raw_map(bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	if (!quiet)
		return;
	if (!open_all(quiet, bytes)) {
		memory_unmap(quiet, bytes);
		return;
	}
	memcpy(quiet, h, sizeof(*h));
	atomic_store_explicit(&quiet->enabled, 0, memory_order_relaxed);
	(void)lay_over(h, quiet, bytes);
}

static bool open_rings(uint32_t first, uint32_t n)
{
	return cpu_syscall(SYS_mprotect, (long)wire_ring_at(shim.header, first), (long)n * (long)shim.header->ring_bytes,
			   PROT_READ | PROT_WRITE, 0, 0, 0) == 0;
}

bool memory_ring_open(uint32_t index)
{
	_Atomic uint32_t *const ring = &shim.private_mem->locals[index].ring;
	uint32_t was = SHIM_RING_CLOSED;

	/* Said before it is used: from now on memory_rings_leave leaves it alone. */
	if (!atomic_compare_exchange_strong_explicit(ring, &was, SHIM_RING_OPEN, memory_order_acq_rel, memory_order_acquire))
		return was == SHIM_RING_OPEN;
	if (atomic_load_explicit(&shim.quiet, memory_order_relaxed) || open_rings(index, 1))
		return true;
	atomic_store_explicit(ring, SHIM_RING_CLOSED, memory_order_release);
	return false;
}

void memory_ring_close(struct shim_local *l)
{
	atomic_store_explicit(&l->ring, SHIM_RING_CLOSED, memory_order_release);
}

static bool leave(uint32_t index)
{
	uint32_t was = SHIM_RING_CLOSED;

	return atomic_compare_exchange_strong_explicit(&shim.private_mem->locals[index].ring, &was, SHIM_RING_GONE,
						       memory_order_acq_rel, memory_order_relaxed);
}

void memory_rings_leave(uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++) {
		const uint32_t from = i;

		while (i < end && leave(i))
			i++;
		if (i > from)
			memory_unmap(wire_ring_at(shim.header, from), (size_t)(i - from) * shim.header->ring_bytes);
	}
}

void memory_rings_open(void)
{
	if (shim.mapped && !atomic_load_explicit(&shim.quiet, memory_order_relaxed))
		(void)open_rings(0, shim.threads);
}
