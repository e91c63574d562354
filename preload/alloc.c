/*
 * Which allocator a process has, and how its calls are sampled. See alloc.h.
 *
 * Distances between samples are drawn from an exponential distribution, so that each byte asked for has the same chance, whatever pattern
 * the program has; the record says how many bytes the thread asked for since the last one, so totals are exact. Finding runs where slots
 * are patched; the rest on any thread.
 */
#include <dlfcn.h>
#include <link.h>

#include "preload/alloc.h"

#define STALE_BYTES (1U << 20)
#define OFF_BYTES (1U << 20) /* look again after so many bytes while nothing is watched */
#define OBJECTS_MAX 256U
#define MEAN_MAX (1U << 20) /* larger ones stay as they are */
#define MEAN_STEPS_MAX 10
#define MEAN_PAID_MAX (1U << 24)
#define CREDIT_SHARE 16        /* one part in so many of a thread's time may go into samples */
#define CREDIT_MAX (1L << 17)  /* ticks: some hundred samples ahead */
#define DEBT_STEP (1L << 15)   /* ticks behind, for which the mean is doubled once more */
#define SAMPLE_MAX (1UL << 13) /* a sample that took longer was interrupted */
#define TERMS 11               /* of the logarithm's series: good for six digits */

static const char *const names[ALLOC_COUNT] = {
#define HOOK(name, family)
#define ALIAS(alias, name, family)
#define ALLOC(name, family) [ALLOC_##name] = #name,
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS
};

/* The C library's reallocarray calls its realloc by a slot, too, which is patched. */
#pragma weak gnu_get_libc_version
#pragma weak dladdr1 /* musl has neither, and is never watched */
extern const char *gnu_get_libc_version(void);

struct object {
	uintptr_t start, end;
	const char *name;
};

struct objects {
	struct object list[OBJECTS_MAX];
	unsigned int count;
};

void *alloc_real[ALLOC_COUNT];
__thread struct alloc_tls alloc_tls __attribute__((tls_model("initial-exec")));

static bool certain[ALLOC_COUNT];
static struct object allocator;
static char allocator_path[512];
static enum wire_alloc_state state = WIRE_ALLOC_NOT_FOUND;

bool alloc_wanted(void)
{
	return atomic_load_explicit(&shim.header->alloc_mean, memory_order_relaxed) != 0;
}

bool alloc_is_allocator(uintptr_t a, uintptr_t b)
{
	return allocator.start >= a && allocator.start < b;
}

static bool has(const struct object *o, const void *p)
{
	return (uintptr_t)p >= o->start && (uintptr_t)p < o->end;
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct objects *const all = arg;
	struct object o = {.start = UINTPTR_MAX, .name = info->dlpi_name};

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uintptr_t at = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD)
			continue;
		o.start = at < o.start ? at : o.start;
		o.end = at + p->p_memsz > o.end ? at + p->p_memsz : o.end;
	}
	if (all->count < OBJECTS_MAX)
		all->list[all->count++] = o;
	return 0;
}

/* Does the program itself define it? The address of a function that it only uses may lie in its PLT: that is no definition. */
static bool program_defines(const struct object *program, const void *p)
{
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	if (!p || !has(program, p))
		return false;
	return !dladdr1 || !dladdr1(p, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || symbol->st_shndx != SHN_UNDEF;
}

static void take(unsigned int i, void *library, bool libc)
{
	void *const p = dlsym(library, names[i]);
	const bool mapping = i == ALLOC_mmap || i == ALLOC_mmap64 || i == ALLOC_munmap || i == ALLOC_mremap;

	alloc_real[i] = NULL;
	if (!p || (libc && i == ALLOC_reallocarray))
		return;
	if (mapping || has(&allocator, p))
		alloc_real[i] = p;
	certain[i] = alloc_real[i] && dlsym(RTLD_DEFAULT, names[i]) == p;
}

bool alloc_is_certain(enum alloc_id i)
{
	return certain[i];
}

/* The object whose malloc the program calls: the first in the order of the loader's look-ups. */
static bool find_allocator(const struct objects *all)
{
	void *(*const open)(const char *, int) = (void *(*)(const char *, int))hook_real(HOOK_dlopen);
	const void *const libc = (const void *)gnu_get_libc_version;

	for (unsigned int i = 1; i < all->count; i++) {
		const struct object *const o = &all->list[i];
		void *library;
		bool found;

		if (!o->name || !o->name[0] || session_is_own(o->start, o->end))
			continue;
		library = open(o->name, RTLD_LAZY | RTLD_NOLOAD);
		if (!library)
			continue;
		found = has(o, dlsym(library, "malloc"));
		if (found) {
			allocator = *o;
			strncpy(allocator_path, o->name, sizeof(allocator_path) - 1);
			for (unsigned int k = 0; k < ALLOC_COUNT; k++)
				take(k, library, has(o, libc));
		}
		(void)dlclose(library);
		if (found)
			return true;
	}
	return false;
}

bool alloc_find(void)
{
	struct objects all;

	if (!alloc_wanted())
		return false;
	if (allocator.start)
		return state == WIRE_ALLOC_WATCHED;
	all.count = 0;
	(void)dl_iterate_phdr(note_object, &all);
	if (all.count && program_defines(&all.list[0], dlsym(RTLD_DEFAULT, "malloc")))
		state = WIRE_ALLOC_STATIC;
	else
		state = find_allocator(&all) ? WIRE_ALLOC_WATCHED : WIRE_ALLOC_NOT_FOUND;
	/* A name that is not there has left a message, which the program is not to find. */
	(void)dlerror();
	return state == WIRE_ALLOC_WATCHED;
}

void alloc_announce(void)
{
	struct call c = {.event = WIRE_ALLOC_STATE, .fd = -1};
	const uint32_t len = (uint32_t)strlen(allocator_path);

	if (!alloc_wanted())
		return;
	c.t0 = c.t1 = shim_ticks();
	c.a0 = atomic_load_explicit(&shim.header->alloc_mean, memory_order_relaxed);
	c.ret = state;
	emit(&c, allocator_path, len, len);
}

/* -- sampling -- */

/* ln x for 0 < x ≤ 1, without a maths library: x = m · 2^e, and the series of the area tangent for m. */
static double natural_log(double x)
{
	static const double ln2 = 0.693147180559945309;
	uint64_t bits;
	double m, z, square, term, sum = 0;
	int e;

	memcpy(&bits, &x, sizeof(bits));
	e = (int)(bits >> 52 & 0x7ff) - 1023;
	bits = (bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL;
	memcpy(&m, &bits, sizeof(m));
	z = (m - 1) / (m + 1);
	square = z * z;
	term = z;
	for (int k = 1; k <= TERMS; k += 2) {
		sum += term / k;
		term *= square;
	}
	return 2 * sum + e * ln2;
}

static uint64_t draw(struct alloc_tls *t, uint32_t mean)
{
	double u;

	t->seed ^= t->seed << 13;
	t->seed ^= t->seed >> 7;
	t->seed ^= t->seed << 17;
	u = (double)((t->seed >> 11) + 1) * 0x1p-53;
	return (uint64_t)(-natural_log(u) * mean) + 1;
}

/* Each thread has a start of its own; the first numbers are too near to it. */
static void seed(struct alloc_tls *t)
{
	t->seed = ((shim_ticks() ^ (uintptr_t)t) * 0x9e3779b97f4a7c15ULL) | 1;
	for (int i = 0; i < 8; i++)
		(void)draw(t, 1);
}

void alloc_forked(void)
{
	alloc_tls.seed = 0;
	alloc_tls.carry = 0;
}

/* A frame that lies below ours on the same stack belongs to a handler that left by longjmp. */
static bool is_nested(const struct alloc_tls *t)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	const uintptr_t in = atomic_load_explicit(&t->in, memory_order_relaxed);

	return in && !(here > in && here - in < STALE_BYTES);
}

static void begin(struct alloc_tls *t)
{
	atomic_store_explicit(&t->in, (uintptr_t)__builtin_frame_address(0), memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
}

static void end(struct alloc_tls *t)
{
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&t->in, 0, memory_order_relaxed);
}

/* A program that does little else than allocate would pay for a small mean with each call: what samples have taken since `begun` is set against
 * a share of the time, and distances double until they keep to it. The record says which mean was drawn from, so estimates stay right. */
static void pay(struct alloc_tls *t, uint64_t begun)
{
	const uint64_t now = shim_ticks();
	const uint64_t taken = now - begun, earned = (now - t->credit_at) / CREDIT_SHARE;

	t->credit = t->credit + (int64_t)earned < CREDIT_MAX ? t->credit + (int64_t)earned : CREDIT_MAX;
	t->credit -= (int64_t)(taken < SAMPLE_MAX ? taken : SAMPLE_MAX);
	t->credit_at = now;
	if (t->credit < -DEBT_STEP * MEAN_STEPS_MAX)
		t->credit = -DEBT_STEP * MEAN_STEPS_MAX;
	t->rarer = t->credit < 0 ? (uint32_t)(-t->credit / DEBT_STEP) : 0;
}

/* An agent that does not keep up gets fewer samples, each of which stands for more: each eighth of the ring that is full doubles the distance,
 * and the last one leaves next to none. */
static uint32_t mean_now(uint32_t mean, uint32_t rarer)
{
	const struct wire_ring *const ring = &shim_self()->ring;
	const struct wire_thread *const slot = ring->thread;
	uint64_t eighths;

	for (; rarer && mean < MEAN_PAID_MAX; rarer--)
		mean *= 2;
	if (!slot || mean >= MEAN_MAX)
		return mean;
	eighths = (atomic_load_explicit(&slot->head, memory_order_relaxed) -
		   atomic_load_explicit(&slot->tail, memory_order_relaxed)) *
		  8 / (ring->mask + 1);
	return mean << (eighths < 7 ? eighths : MEAN_STEPS_MAX);
}

bool alloc_due(uint64_t bytes)
{
	struct alloc_tls *const t = &alloc_tls;
	const uint32_t mean = atomic_load_explicit(&shim.header->alloc_mean, memory_order_relaxed);

	/* What no allocator gives would turn the count around. */
	if (bytes > INT64_MAX) {
		t->left += bytes;
		return false;
	}
	if (is_nested(t))
		return false;
	if (!mean || !shim_on()) {
		t->seed = 0;
		t->left = OFF_BYTES;
		return false;
	}
	if (!t->seed) {
		/* With a slot its bytes are told when it ends, sampled or not. A child that may be about to exec takes none for that. */
		if (!atomic_load_explicit(&shim_self()->local->alive, memory_order_relaxed) &&
		    atomic_load_explicit(&shim.private_mem->alive, memory_order_acquire))
			(void)call_enter_slow(shim_self());
		seed(t);
		t->carry = 0;
		t->credit = CREDIT_MAX;
		t->credit_at = shim_ticks();
		t->rarer = 0;
		t->next_mean = mean;
		t->gap = draw(t, mean);
		t->left = t->gap - bytes;
		if ((int64_t)t->left >= 0)
			return false;
	}
	t->begun = shim_ticks();
	t->carry += t->gap - t->left - bytes; /* whether these are given shows later */
	t->mean = t->next_mean;
	t->next_mean = mean_now(mean, t->rarer); /* the agent may have changed it */
	t->gap = draw(t, t->next_mean);
	t->left = t->gap;
	return true;
}

/* Publish; false: it is lost, and counted. */
static bool publish(struct call *c, const void *data, uint32_t len)
{
	const struct shim_tls *const t = shim_self();
	const struct wire_thread *const slot = t->ring.thread;
	const uint64_t before = slot->published;

	emit(c, data, len, len);
	return t->ring.thread == slot && slot->published != before;
}

static void tell_untold(void)
{
	struct call c = {.event = WIRE_FREE, .fd = -1};
	const void *block;

	while ((block = alloc_untold_take()) != NULL) {
		c.t0 = c.t1 = shim_ticks();
		c.a0 = (uintptr_t)block;
		if (publish(&c, NULL, 0))
			continue;
		if (!alloc_untold_add(block))
			session_count(WIRE_LOSS_HEAP_FREE);
		return;
	}
}

void alloc_say(struct call *c, void *block, uint64_t bytes, uint32_t kind)
{
	struct alloc_tls *const t = &alloc_tls;
	struct wire_alloc more = {.kind = kind};
	const uint64_t begun = kind == WIRE_ALLOC_HEAP ? t->begun : shim_ticks();
	bool kept = false;

	if (!block)
		return;
	begin(t);
	c->ret = 0;
	if (kind == WIRE_ALLOC_HEAP) {
		more.mean = t->mean;
		t->carry += bytes;
		c->ret = (int64_t)t->carry;
		alloc_untold_forget(block);
		kept = alloc_table_add(block);
		more.no_free = !kept;
		if (!kept)
			session_count(WIRE_LOSS_HEAP_FULL);
	}
	c->t0 = c->t1 = shim_ticks();
	c->a0 = (uintptr_t)block;
	c->a1 = bytes;
	if (publish(c, &more, sizeof(more))) {
		if (kind == WIRE_ALLOC_HEAP)
			t->carry = 0;
		if (alloc_untold_any())
			tell_untold();
	} else if (kept) {
		(void)alloc_table_take(block);
	}
	pay(t, begun);
	end(t);
}

void alloc_say_free(struct call *c, const void *block, uint64_t at)
{
	struct alloc_tls *const t = &alloc_tls;
	const uint64_t begun = shim_ticks();

	if (!call_enter(c, WIRE_FREE, -1)) {
		if (shim_on() && !alloc_untold_add(block))
			session_count(WIRE_LOSS_HEAP_FREE);
		return;
	}
	begin(t);
	c->pc = 0; /* nobody asks where */
	c->t0 = c->t1 = at ? at : begun;
	c->a0 = (uintptr_t)block;
	c->ret = 0;
	if (!publish(c, NULL, 0) && !alloc_untold_add(block))
		session_count(WIRE_LOSS_HEAP_FREE);
	pay(t, begun);
	end(t);
}

void alloc_rest(void)
{
	struct alloc_tls *const t = &alloc_tls;
	struct call c = {.event = WIRE_ALLOC_REST, .fd = -1};

	if (!t->seed)
		return;
	c.t0 = c.t1 = shim_ticks();
	c.ret = (int64_t)(t->carry + t->gap - t->left);
	t->carry = 0;
	t->gap = t->left;
	emit(&c, NULL, 0, 0);
}
