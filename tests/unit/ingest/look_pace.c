/* look_pace.c: busy rings are looked at more rarely while they have room and hold nothing new, idle ones as rarely as a burst allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/look_pace.h"

#define MS 1000000ULL
#define RING (4U << 20)

static uint64_t now_ns;

/* A look `ms` after the one before, which finds a ring filled at `rate` bytes a ms. */
static unsigned int look(struct look_pace *p, unsigned int ms, uint64_t rate, bool news)
{
	const struct look l = {
		.now_ns = now_ns += ms * MS, .fullest = rate * ms, .ring_bytes = RING, .records = rate > 0 ? 1 : 0, .news = news};

	return look_pace_wait(p, &l);
}

/* So many looks at a service of this rate; what the last one says. */
static unsigned int looks(struct look_pace *p, unsigned int n, uint64_t rate)
{
	unsigned int wait = 4;

	while (n-- > 0)
		wait = look(p, wait, rate, false);
	return wait;
}

/* A rest of `ms` in all; what the last look says. */
static unsigned int rest(struct look_pace *p, unsigned int ms, unsigned int wait)
{
	for (unsigned int passed = 0; passed < ms; passed += wait)
		wait = look(p, wait, 0, false);
	return wait;
}

static int start(void **state)
{
	(void)state;
	now_ns = 1000000000000ULL;
	return 0;
}

static void busy_and_calm(void **state)
{
	struct look_pace p = {0};

	(void)state;
	assert_in_range(look(&p, 1, 2000, false), 4, 5);
	assert_int_equal(looks(&p, 200, 2000), LOOK_BUSY_MAX_MS);
	assert_int_equal(look(&p, 16, 2000, true), 4); /* a new call site: what comes with it is named soon */
	assert_int_equal(looks(&p, 200, 40000), 6);    /* a sixteenth of the ring */
	assert_int_equal(look(&p, 8, 200000, false), LOOK_MIN_MS);
}

static void a_busy_machine(void **state)
{
	struct look_pace p = {0};

	(void)state;
	assert_int_equal(looks(&p, 200, 2000), LOOK_BUSY_MAX_MS);
	assert_int_equal(look(&p, LOOK_BUSY_MAX_MS + 30, 2000, false), 4);
	looks(&p, 300, 2000);
}

static void idle(void **state)
{
	struct look_pace p = {0};

	(void)state;
	looks(&p, 10, 2000);
	assert_in_range(rest(&p, 1000, 4), 20, 30);
	assert_int_equal(rest(&p, 10000, 20), LOOK_MAX_MS);
	assert_in_range(look(&p, 100, 2000, false), 4, 5);
}

static void a_burst_finds_room(void **state)
{
	struct look_pace p = {0};

	(void)state;
	looks(&p, 10, 60000);
	assert_in_range(rest(&p, 10000, 4), RING / 2 / 60000 - 1, RING / 2 / 60000 + 10);
	assert_int_equal(rest(&p, 200000, 20), LOOK_MAX_MS); /* it was long ago */
}

static void events_in_the_window(void **state)
{
	struct look_pace p = {0};
	const struct look l = {.now_ns = now_ns + 900000 * MS, .ring_bytes = RING, .held = true};

	(void)state;
	rest(&p, 10000, 4);
	assert_int_equal(look_pace_wait(&p, &l), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(busy_and_calm, start),
		cmocka_unit_test_setup(a_busy_machine, start),
		cmocka_unit_test_setup(idle, start),
		cmocka_unit_test_setup(a_burst_finds_room, start),
		cmocka_unit_test_setup(events_in_the_window, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
