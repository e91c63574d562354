/* callsite.c: a snapshot becomes a named stack, and later records of the same site get it too, in forked children as well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/callsite.h"
#include "ingest/snapshot.h"

#define PARENT 100U
#define CHILD 200U
#define SITE 77U

static struct wire_stack stack;
static uint8_t bytes[WIRE_STACK_BYTES];

struct fixture {
	struct stacks *stacks;
	struct counters counters;
	struct callsites *sites;
};

static uint32_t feed(struct fixture *f, const struct event *e, uint32_t site, bool snapshot)
{
	struct pending *p = pending_new(NULL, e, snapshot ? &stack : NULL, snapshot ? bytes : NULL);
	uint32_t id;

	assert_non_null(p);
	p->site = site;
	id = callsites_stack(f->sites, p);
	pending_free(p);
	return id;
}

static void feed_module(void *ctx, const struct event *e)
{
	feed(ctx, e, 0, false);
}

__attribute__((noinline)) static int pay_the_bill(int x)
{
	SNAPSHOT(&stack, bytes);
	return x + 1;
}

__attribute__((noinline)) static int handle_request(int x)
{
	const int y = pay_the_bill(x);

	__asm__ volatile("" ::: "memory");
	return y;
}

static int open_sites(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->stacks = stacks_new();
	f->sites = callsites_new(f->stacks, &f->counters);
	snapshot_modules(PARENT, feed_module, f);
	handle_request(1);
	*state = f;
	return 0;
}

static int close_sites(void **state)
{
	struct fixture *f = *state;

	callsites_free(f->sites);
	stacks_free(f->stacks);
	free(f);
	return 0;
}

static const struct event a_read = {.id = WIRE_READ, .pid = PARENT};

static void a_snapshot_is_named(void **state)
{
	struct fixture *f = *state;
	const uint32_t id = feed(f, &a_read, SITE, true);
	const struct frame *frames;
	size_t n;

	assert_true(id > 0);
	frames = stacks_frames(f->stacks, id, &n);
	assert_true(n >= 3);
	assert_string_equal(frames[0].function, "pay_the_bill");
	assert_string_equal(frames[1].function, "handle_request");
	assert_non_null(strstr(frames[0].module, "callsite"));
	assert_false(frames[0].runtime);
	assert_non_null(frames[1].file);
	assert_non_null(strstr(frames[1].file, "callsite.c"));
	assert_true(frames[1].line > 0);
	assert_int_equal(f->counters.stacks_taken, 1);
	assert_int_equal(f->counters.stacks_unresolved, 0);
}

static void a_site_is_remembered(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	assert_int_equal(feed(f, &a_read, SITE, false), 0);
	id = feed(f, &a_read, SITE, true);
	assert_int_equal(feed(f, &a_read, SITE, false), id);
	assert_int_equal(feed(f, &a_read, SITE, true), id);
	assert_int_equal(feed(f, &a_read, SITE + 1, false), 0);
	assert_int_equal(feed(f, &a_read, 0, false), 0);
	assert_int_equal(stacks_count(f->stacks), 1);
}

static void a_child_has_its_parents_sites(void **state)
{
	const struct event fork = {.id = WIRE_FORK_CHILD, .pid = CHILD, .a0 = PARENT};
	const struct event child_read = {.id = WIRE_READ, .pid = CHILD};
	const struct event exec = {.id = WIRE_PROCESS_START, .pid = CHILD};
	struct fixture *f = *state;
	const uint32_t id = feed(f, &a_read, SITE, true);

	assert_int_equal(feed(f, &child_read, SITE, false), 0);
	feed(f, &fork, 0, false);
	assert_int_equal(feed(f, &child_read, SITE, false), id);
	/* Its code is the parent's: a snapshot of its own can be read. */
	assert_int_equal(feed(f, &child_read, SITE + 1, true), id);
	feed(f, &exec, 0, false);
	assert_int_equal(feed(f, &child_read, SITE, false), 0);
	assert_int_equal(feed(f, &child_read, SITE, true), 0);
	assert_int_equal(f->counters.stacks_unresolved, 1);
	assert_int_equal(feed(f, &a_read, SITE, false), id);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_sites, close_sites)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_snapshot_is_named),
		T(a_site_is_remembered),
		T(a_child_has_its_parents_sites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
