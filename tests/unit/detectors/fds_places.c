/*
 * Which call made the descriptors that samples of /proc count.
 */
#include "detectors/fds.h"
#include "detectors/samples.h"

static void opens(struct rig *r, const char *function, int fd, const char *path, int flags)
{
	script_event(&r->s, (struct event){.id = WIRE_OPEN,
					   .fd = -1,
					   .ret = fd,
					   .a0 = (uint64_t)flags,
					   .stack = rig_stack(r, function, "app"),
					   .data = (const uint8_t *)path,
					   .data_len = (uint32_t)strlen(path)});
}

static void makes(struct rig *r, const char *function, uint16_t event, int from, int fd)
{
	script_event(&r->s, (struct event){.id = event, .fd = from, .ret = fd, .stack = rig_stack(r, function, "app")});
}

static const char *place(struct rig *r, const char *pattern)
{
	static char text[SITE_TEXT_SIZE];
	const uint32_t stack = fds_place_of(r->state, r->s.pid, pattern);

	if (stack == 0)
		return NULL;
	evidence_site(r->s.stacks, stack, text, sizeof text);
	text[strcspn(text, "(")] = '\0';
	return text;
}

static void begin(struct rig *r)
{
	rig_init(r, &fds_detector);
	script_start(&r->s, 100, 1, "/bin/x");
}

static void test_most_are_of_one(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < 20; i++) {
		opens(&r, "leak", 10 + 3 * i, "/srv/part-17.db", O_RDONLY);
		opens(&r, "other", 11 + 3 * i, "part-2.db", O_RDONLY);
		opens(&r, "elsewhere", 12 + 3 * i, "/srv/config", O_RDONLY);
		if (i % 4)
			script_close(&r.s, 11 + 3 * i);
	}
	assert_string_equal(place(&r, "/srv/part-#.db"), "leak");
	assert_string_equal(place(&r, "/data/part-#.db (deleted)"), "leak"); /* by its last part: it may be opened by another way */
	assert_string_equal(place(&r, "/srv/config"), "elsewhere");
	assert_null(place(&r, "/srv/*")); /* nobody has more than half */
	assert_null(place(&r, "/srv/nothing"));
	rig_done(&r);
}

static void test_kinds(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < 8; i++) {
		makes(&r, "sets", WIRE_EPOLL_CREATE, -1, 100 + i);
		makes(&r, "timers", WIRE_TIMERFD_CREATE, -1, 200 + i);
		opens(&r, "events", 300 + i, "anon_inode:[eventfd]", O_CLOEXEC);
		opens(&r, "writes", 400 + i, "/srv/out", O_WRONLY);
	}
	assert_string_equal(place(&r, "anon_inode:[eventpoll]"), "sets");
	assert_string_equal(place(&r, "anon_inode:[timerfd]"), "timers");
	assert_string_equal(place(&r, "anon_inode:[eventfd]"), "events");
	assert_null(place(&r, "/srv/out")); /* judged by its site */
	for (int i = 0; i < 9; i++)
		makes(&r, "copies", WIRE_DUP, 0, 500 + i);
	assert_string_equal(place(&r, "/dev/null"), "copies");
	rig_done(&r);
}

static void test_closed(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < 8; i++)
		opens(&r, "closes", 10 + i, "/srv/config", O_RDONLY);
	opens(&r, "closes", 10, "/srv/config", O_RDONLY); /* its close was not seen */
	assert_string_equal(place(&r, "/srv/config"), "closes");
	for (int i = 0; i < 4; i++)
		script_close(&r.s, 10 + i);
	assert_non_null(place(&r, "/srv/config"));
	script_close(&r.s, 14);
	assert_null(place(&r, "/srv/config"));
	for (int i = 0; i < 8; i++)
		opens(&r, "closes", 10 + i, "/srv/config", O_RDONLY);
	script_event(&r.s, (struct event){.id = WIRE_CLOSE, .fd = 5, .flags = WIRE_F_RANGE, .a0 = UINT32_MAX});
	assert_null(place(&r, "/srv/config"));
	for (int i = 0; i < 8; i++)
		opens(&r, "closes", 10 + i, "/srv/config", O_RDONLY);
	script_exit(&r.s, 100);
	assert_null(place(&r, "/srv/config"));
	rig_done(&r);
}

TEST_MAIN(cmocka_unit_test(test_most_are_of_one), cmocka_unit_test(test_kinds), cmocka_unit_test(test_closed))
