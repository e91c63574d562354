/* The session's shared memory: see memory.h. */
#include "ingest/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ingest/kept.h"

#define PAGE 4096U
#define PROCESS_MAX 4096U /* bounds of `--rings` and the like: beyond these the mapping itself hurts the service */
#define THREAD_MAX 65536U
/* No beat for so long: the agent is dead. On a busy machine it takes seconds to name its first call sites. */
#define STALE_NS 20000000000ULL
#define SLOW_NS 100000000ULL /* a call longer than this says where it came from */

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

static uint32_t power_of_two_up(uint32_t n)
{
	uint32_t p = WIRE_RING_BYTES_MIN;

	while (p < n)
		p *= 2;
	return p;
}

static int lay_out(const struct ingest_options *o, const struct tick_clock *c, struct wire_header *h)
{
	const uint32_t process_max = o->process_max != 0 ? o->process_max : WIRE_PROCESS_MAX_DEFAULT;
	const uint32_t thread_max = o->thread_max != 0 ? o->thread_max : WIRE_THREAD_MAX_DEFAULT;
	const uint32_t ring_bytes = o->ring_bytes != 0 ? o->ring_bytes : WIRE_RING_BYTES_DEFAULT;

	if (process_max > PROCESS_MAX || thread_max > THREAD_MAX || ring_bytes > WIRE_RING_BYTES_MAX)
		return -EINVAL;
	h->magic = WIRE_MAGIC;
	h->version = WIRE_VERSION;
	h->clock = c->kind;
	h->process_max = process_max;
	h->thread_max = thread_max;
	h->ring_bytes = power_of_two_up(ring_bytes);
	h->policy_fds = WIRE_POLICY_FDS;
	h->process_off = PAGE;
	h->thread_off = page_up(h->process_off + (uint64_t)process_max * sizeof(struct wire_process));
	h->policy_off = page_up(h->thread_off + (uint64_t)thread_max * sizeof(struct wire_thread));
	h->renewed_off = page_up(h->policy_off + (uint64_t)process_max * h->policy_fds);
	h->ring_off = page_up(h->renewed_off + (uint64_t)process_max * WIRE_RENEWED * sizeof(uint64_t));
	h->size_bytes = h->ring_off + (uint64_t)thread_max * h->ring_bytes;
	h->stale_ticks = clock_ticks_of(c, STALE_NS);
	h->slow_ticks = clock_ticks_of(c, SLOW_NS);
	h->policy_socket = WIRE_POLICY_HEAD_4K;
	h->policy_stdio = WIRE_POLICY_SINK;
	h->policy_logfile = WIRE_POLICY_SINK;
	h->policy_pipe = WIRE_POLICY_SIZES;
	h->policy_pair = WIRE_POLICY_SIZES;
	h->rseq_tells = kept_works();
	h->agent_pid = (uint32_t)getpid();
	atomic_init(&h->alloc_mean, o->alloc_first != 0 && o->alloc_mean != 0 ? o->alloc_first : o->alloc_mean);
	return 0;
}

int memory_make(const struct ingest_options *o, const struct tick_clock *c, struct memory *ret)
{
	struct wire_header plan = {0};
	struct wire_header *h;
	int r = lay_out(o, c, &plan);

	if (r < 0)
		return r;

	const int fd = memfd_create("gapscope", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)plan.size_bytes) < 0) {
		r = -errno;
		goto fail;
	}
	/* A watched process must not be able to shrink it under us: reading it would raise SIGBUS. */
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		r = -errno;
		goto fail;
	}
	h = mmap(NULL, plan.size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (h == MAP_FAILED) {
		r = -errno;
		goto fail;
	}
	/* It holds captured bytes: keep them out of our core dumps. */
	madvise(h, plan.size_bytes, MADV_DONTDUMP);
	memcpy(h, &plan, sizeof(plan));
	atomic_store(&h->stacks, o->stacks ? 1U : 0U);
	atomic_store(&h->heartbeat, clock_ticks(c));
	atomic_store(&h->enabled, 1U);
	*ret = (struct memory){.header = h, .size = plan.size_bytes, .fd = fd};
	return 0;
fail:
	close(fd);
	return r;
}

void memory_done(struct memory *m)
{
	if (m->header != NULL)
		munmap(m->header, m->size);
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct memory){.fd = -1};
}
