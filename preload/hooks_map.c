/*
 * Memory that the program maps itself: anonymous, and to be used at once. Each call is told; a system call costs more than its record. Never
 * patched in the allocator or libc. Any thread of the watched process. MAP_FIXED is left out: there a runtime (a JVM, say) puts pages of its
 * own heap into a place that it has reserved before, and gives them back or not as it likes.
 *
 * An allocator that we do not know as such may call these with its locks held: a thread that has no slot yet takes none here, for what that
 * calls may allocate.
 */
#include <sys/mman.h>

#include "preload/alloc.h"

static bool has_slot(void)
{
	return shim_on() && session_is_set_up() && shim_self()->state == SHIM_THREAD_LIVE;
}

static bool is_memory(int prot, int flags)
{
	return (flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE) && !(flags & MAP_FIXED) && (prot & PROT_WRITE);
}

#define MAP(name, type) \
	ALLOC_FN(void *, name, void *at, size_t size, int prot, int flags, int fd, type offset) \
	{ \
		struct call c; \
		void *p; \
\
		if (!is_memory(prot, flags) || !has_slot() || !call_enter(&c, WIRE_ALLOC, -1)) \
			return ALLOC_REAL(name)(at, size, prot, flags, fd, offset); \
		p = ALLOC_REAL(name)(at, size, prot, flags, fd, offset); \
		if (p != MAP_FAILED) \
			alloc_say(&c, p, size, WIRE_ALLOC_MAP); \
		return p; \
	}

MAP(mmap, off_t)
MAP(mmap64, off64_t)

static void say_unmap(struct call *c, void *at, size_t size, uint64_t when)
{
	c->pc = 0;
	c->t0 = c->t1 = when;
	c->a0 = (uintptr_t)at;
	c->a1 = size;
	c->ret = 0;
	emit(c, NULL, 0, 0);
}

ALLOC_FN(int, munmap, void *at, size_t size)
{
	const uint64_t when = shim_ticks();
	struct call c;
	int r;

	if (!has_slot() || !call_enter(&c, WIRE_UNMAP, -1))
		return ALLOC_REAL(munmap)(at, size);
	r = ALLOC_REAL(munmap)(at, size);
	if (r == 0)
		say_unmap(&c, at, size, when);
	return r;
}

ALLOC_FN(void *, mremap, void *at, size_t old_size, size_t size, int flags, void *to)
{
	const uint64_t when = shim_ticks();
	struct call c, gone;
	void *p;

	/* `to` is there only with MREMAP_FIXED, but reading it harms nobody: it comes in a register. */
	if (!has_slot() || !call_enter(&c, WIRE_ALLOC, -1) || !call_enter(&gone, WIRE_UNMAP, -1))
		return ALLOC_REAL(mremap)(at, old_size, size, flags, to);
	p = ALLOC_REAL(mremap)(at, old_size, size, flags, to);
	if (p != MAP_FAILED) {
		say_unmap(&gone, at, old_size, when);
		alloc_say(&c, p, size, WIRE_ALLOC_MAP);
	}
	return p;
}
