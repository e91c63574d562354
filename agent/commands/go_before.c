/* See go_before.h. */
#include "commands/go_before.h"

#include "commands/go_descriptors.h"
#include "commands/go_timers.h"

#define NS_PER_MS 1000000ULL

/* From one look to the next. */
static const uint64_t pauses[] = {100 * NS_PER_MS,  400 * NS_PER_MS,   1000 * NS_PER_MS,
				  3000 * NS_PER_MS, 10000 * NS_PER_MS, 30000 * NS_PER_MS};
#define LOOKS (sizeof(pauses) / sizeof(pauses[0]) + 1)
#define LOOKS_SURE 2U /* so many, and no timer has been missed by both */

struct look {
	struct go_deadlines *deadlines;
	uint64_t now_ns;
	const struct go_sink *to;
	bool first;
};

void go_before_begin(struct go_before *b, uint32_t pid, const struct gopclntab *t)
{
	*b = (struct go_before){.pid = pid, .pairs = gopclntab_entry(t, "runtime.(*timers).check") != 0};
}

static void on_timer(void *ctx, const struct go_timer *t)
{
	const struct look *l = ctx;

	go_deadlines_timer(l->deadlines, t, l->first, l->now_ns, l->to);
}

static void on_descriptor(void *ctx, const struct go_descriptor *d)
{
	const struct look *l = ctx;

	go_deadlines_descriptor(l->deadlines, d, l->now_ns, l->to);
}

void go_before_tick(struct go_before *b, struct go_deadlines *g, uint64_t now_ns, const struct go_sink *to)
{
	struct go_processors p;
	struct look l = {.deadlines = g, .now_ns = now_ns, .to = to, .first = b->good == 0};

	if (b->pid == 0 || b->looks >= LOOKS || now_ns < b->next_ns)
		return;
	if (b->looks == 0)
		go_descriptors_each(b->pid, on_descriptor, &l);
	if (go_processors_find(b->pid, &p) == 0 && go_timers_read(b->pid, &p, b->pairs, on_timer, &l) == 0)
		b->good++;
	if (b->good >= LOOKS_SURE)
		go_deadlines_know_all(g);
	b->next_ns = b->looks < LOOKS - 1 ? now_ns + pauses[b->looks] : 0;
	b->looks++;
}
