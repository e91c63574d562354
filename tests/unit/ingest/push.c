/* push.c: records of a second source come out in order with those of the rings, are counted, and name the stacks of their sites. */
#include <errno.h>

#include "ingest/session.h"

#include "ingest/snapshot.h"
#include "test.h"

static uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static struct wire_record record(uint16_t event, int fd, uint64_t a0)
{
	const uint64_t now = mono_ns();

	return (struct wire_record){.event = event, .units = 1, .fd = fd, .a0 = a0, .t0 = now, .t1 = now};
}

struct source {
	struct fixture *f;
	unsigned int polls, drains;
};

static void source_poll(void *ctx, bool drain)
{
	struct source *s = ctx;

	s->polls++;
	s->drains += drain;
	if (s->polls == 1) {
		for (uint64_t i = 0; i < 10; i++) {
			const struct wire_record r = record(WIRE_SLEEP, 1, i);

			ingest_push(s->f->in, own_pid(), own_tid(), &r, NULL);
		}
		ingest_push_lost(s->f->in, WIRE_LOSS_PROBE_FULL, 3);
	}
}

static void pushed_records_are_records(void **state)
{
	struct fixture *f = open_session(0);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	struct wire_record r = producer_record(&p, WIRE_SLEEP, 0);
	struct source s = {.f = f};

	(void)state;
	ingest_on_poll(f->in, source_poll, &s);
	producer_put(&p, &r, NULL, NULL, NULL);
	poll_session(f, false);
	poll_session(f, true);
	assert_int_equal(s.polls, 2);
	assert_int_equal(s.drains, 1);
	assert_int_equal(f->seen.of_thread[0], 1);
	assert_int_equal(f->seen.of_thread[1], 10);
	assert_int_equal(f->counters.published, 11);
	assert_int_equal(f->counters.lost[WIRE_LOSS_PROBE_FULL], 3);
	assert_int_equal(f->seen.lost[WIRE_LOSS_PROBE_FULL], 3);
	ingest_on_poll(f->in, NULL, &s);
	poll_session(f, true);
	assert_int_equal(s.polls, 2);
	close_session(f);
}

static void adopted_processes_live_until_they_do_not(void **state)
{
	struct fixture *f = open_session(0);

	(void)state;
	assert_int_equal(ingest_adopt(f->in, own_pid()), 0);
	assert_int_equal(ingest_adopt(f->in, own_pid()), 0); /* once */
	poll_session(f, true);
	assert_int_equal(ingest_live(f->in), 1);
	assert_int_equal(ingest_adopt(f->in, 4194304), 0); /* no such process */
	assert_int_equal(ingest_live(f->in), 1);
	poll_session(f, true);
	poll_session(f, true);
	assert_int_equal(f->seen.gone, 1);
	for (uint32_t i = 0; i < 8; i++)
		(void)ingest_adopt(f->in, 100 + i);
	assert_int_equal(ingest_adopt(f->in, 99), -ENOSPC);
	close_session(f);
}

struct stacks_seen {
	uint32_t stack;
	size_t others;
};

static void see_stack(void *ctx, const struct event *e)
{
	struct stacks_seen *s = ctx;

	s->others += e->id == 0;
	if (e->id == WIRE_CONNECT)
		s->stack = e->stack;
}

struct pushing {
	struct ingest *in;
};

static void push_module(void *ctx, const struct event *e)
{
	const struct pushing *to = ctx;
	struct wire_record r = record(WIRE_MODULE, -1, e->a0);

	r.a1 = e->a1;
	r.data_len = e->data_len;
	ingest_push(to->in, e->pid, e->pid, &r, e->data);
}

__attribute__((noinline)) static void take(struct wire_stack *stack, uint8_t *bytes)
{
	SNAPSHOT(stack, bytes);
}

static void a_site_brings_its_stack(void **state)
{
	struct fixture *f = open_session(0);
	struct pushing to = {.in = f->in};
	struct snapshot_modules modules = {.fn = push_module, .ctx = &to, .pid = own_pid()};
	struct wire_stack stack = {0};
	static uint8_t bytes[WIRE_STACK_BYTES]; /* not in the stack that is copied */
	struct stacks_seen seen = {0};
	struct wire_record r;
	const struct frame *frames;
	bool found = false;
	size_t n = 0;

	(void)state;
	dl_iterate_phdr(snapshot_module, &modules);
	take(&stack, bytes);

	const uint64_t pcs[1] = {stack.regs[16]};
	const struct ingest_stack s = {.mono_ns = mono_ns(), .site = 77, .stack = &stack, .bytes = bytes, .pcs = pcs, .pcs_n = 1};

	ingest_push_stack(f->in, own_pid(), &s);
	r = record(WIRE_CONNECT, 5, 0);
	r.site = 77;
	ingest_push(f->in, own_pid(), own_tid(), &r, NULL);
	ingest_poll(f->in, true, see_stack, &seen, NULL);
	assert_int_equal(seen.others, 0); /* nobody is told of the stack itself */
	frames = stacks_frames(f->stacks, seen.stack, &n);
	for (size_t i = 0; i < n; i++)
		found = found || (frames[i].function != NULL && strcmp(frames[i].function, "a_site_brings_its_stack") == 0);
	assert_true(found);
	close_session(f);
}

TEST_MAIN(cmocka_unit_test(pushed_records_are_records), cmocka_unit_test(adopted_processes_live_until_they_do_not),
	  cmocka_unit_test(a_site_brings_its_stack))
