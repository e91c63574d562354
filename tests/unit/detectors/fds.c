/*
 * Descriptor leaks by call site: what is forgotten, and pools and caches that keep theirs.
 */
#include "detectors/samples.h"

#define RULE "resource.fd.leak"

typedef void (*step_fn)(struct rig *r, int i);

/* Ten steps a second for so long; /proc agrees with what is open. */
static struct rig *play(step_fn step, int seconds, uint64_t threads)
{
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	rig_init(r, &fds_detector);
	r->s.stack = stacks_add(r->s.stacks, &(struct frame){.function = "open_it", .module = "app"}, 1);
	for (int i = 0; i < seconds * 10; i++) {
		step(r, i);
		script_pass(&r->s, 100 * SCRIPT_MSEC);
		if (i % 10 != 9)
			continue;
		sample_counts(&r->s, threads, (uint64_t)i + 20);
		script_tick(&r->s);
	}
	return r;
}

static void done(struct rig *r)
{
	rig_done(r);
	free(r);
}

static bool leaks(step_fn step, int seconds, uint64_t threads)
{
	struct rig *r = play(step, seconds, threads);

	rig_finish(r);
	const bool found = rig_found(r, RULE) != NULL;
	done(r);
	return found;
}

static void connect_and_ask(struct rig *r, int fd)
{
	script_socket(&r->s, fd);
	script_connect(&r->s, fd, "10.0.0.9", 80, 0);
	script_write(&r->s, fd, "ping\n");
	script_read(&r->s, fd, "pong\n");
}

static void forget_socket(struct rig *r, int i)
{
	connect_and_ask(r, 10 + i);
}

static void close_socket(struct rig *r, int i)
{
	connect_and_ask(r, 10 + i);
	script_close(&r->s, 10 + i);
}

/* One in five is forgotten. */
static void forget_some(struct rig *r, int i)
{
	connect_and_ask(r, 10 + i);
	if (i % 5)
		script_close(&r->s, 10 + i);
}

/* A pool that grows up to thirty, and uses the connections in turn. */
static void pool(struct rig *r, int i)
{
	if (i % 5 == 0 && i / 5 < 30)
		connect_and_ask(r, 10 + i / 5);
	const int size = i / 5 + 1 < 30 ? i / 5 + 1 : 30;
	script_write(&r->s, 10 + i % size, "ping\n");
	script_read(&r->s, 10 + i % size, "pong\n");
}

/* Forty at the start, one of which is used; and now and then another. */
static void idle_pool(struct rig *r, int i)
{
	if (i < 40 || i % 100 == 0)
		connect_and_ask(r, 10 + i);
	script_write(&r->s, 10, "ping\n");
}

static void same_file(struct rig *r, int i)
{
	script_open(&r->s, 10 + i, "/srv/out", O_WRONLY);
}

static void file_names(struct rig *r, int i)
{
	char path[32];

	snprintf(path, sizeof path, "/srv/part-%d", i);
	script_open(&r->s, 10 + i, path, O_RDWR);
}

/* A cache of files: forty, the oldest goes. */
static void file_cache(struct rig *r, int i)
{
	file_names(r, i);
	if (i >= 40)
		script_close(&r->s, 10 + i - 40);
}

/* Fifty different ones, and no more. */
static void few_files(struct rig *r, int i)
{
	if (i < 50)
		file_names(r, i);
}

/* Clients come and stay. */
static void clients(struct rig *r, int i)
{
	if (i == 0)
		script_listen(&r->s, 3, 80);
	script_accept(&r->s, 3, 10 + i, "10.1.1.1", 40000);
	script_read(&r->s, 10 + i, "hello");
}

/* Clients come and go, and the service keeps the descriptor. */
static void clients_gone(struct rig *r, int i)
{
	clients(r, i);
	script_read_eof(&r->s, 10 + i);
}

static void test_leaks(void **state)
{
	(void)state;
	assert_true(leaks(forget_socket, 20, 4));
	assert_true(leaks(forget_some, 20, 4));
	assert_true(leaks(same_file, 20, 4));
	assert_true(leaks(file_names, 30, 4));
	assert_true(leaks(clients_gone, 20, 4));
}

static void test_no_leaks(void **state)
{
	static const step_fn steps[] = {close_socket, pool, idle_pool, file_cache, few_files, clients};

	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		for (int seconds = 5; seconds <= 60; seconds += 11)
			if (leaks(steps[i], seconds, 4))
				fail_msg("steps %zu are a leak after %d s", i, seconds);
	assert_false(leaks(forget_socket, 5, 4));    /* too short a time */
	assert_false(leaks(forget_socket, 20, 400)); /* a thread may own each */
}

static void test_what_is_told(void **state)
{
	struct rig *r = play(forget_socket, 20, 4);
	const struct rig_finding *f = rig_found(r, RULE);

	(void)state;
	assert_non_null(f); /* while it goes on */
	assert_string_equal(f->peer, "10.0.0.9:80");
	assert_true(f->count >= 12 && f->count <= 200);
	assert_non_null(strstr(f->message, "TCP sockets to 10.0.0.9:80"));
	rig_finish(r);
	f = rig_found(r, RULE);
	assert_int_equal(f->severity, SEVERITY_ERROR); /* 1024 are open in two minutes */
	assert_int_equal(json_integer_value(json_object_get(f->evidence, "forgotten")), f->count);
	const double a_minute = json_number_value(json_object_get(f->evidence, "a_minute"));
	assert_true(a_minute > 590 && a_minute < 610);
	const double left = json_number_value(json_object_get(f->evidence, "limit_reached_in_s"));
	assert_true(left > 75 && left < 90);
	done(r);
}

/* Records that say more than /proc does have missed a close. */
static void test_proc_knows_better(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &fds_detector);
	for (int i = 0; i < 200; i++) {
		forget_socket(&r, i);
		script_pass(&r.s, 100 * SCRIPT_MSEC);
		if (i % 10 == 9) {
			sample_counts(&r.s, 4, 9);
			script_tick(&r.s);
		}
	}
	rig_finish(&r);
	assert_null(rig_found(&r, RULE));
	rig_done(&r);
}

/* What is open when the process exits was open until then; what it closes while it stops is no proof that it does. */
static void test_at_the_end(void **state)
{
	struct rig *r = play(forget_socket, 17, 4);

	(void)state;
	r->found_n = 0;
	script_event(&r->s, (struct event){.id = WIRE_STOPPING, .fd = -1});
	assert_non_null(rig_found(r, RULE));
	json_decref(r->found[0].evidence);
	r->found_n = 0;
	for (int i = 0; i < 170; i++)
		script_close(&r->s, 10 + i);
	script_exit(&r->s, 100);
	rig_finish(r);
	assert_int_equal(r->found_n, 0);
	done(r);
}

TEST_MAIN(cmocka_unit_test(test_leaks), cmocka_unit_test(test_no_leaks), cmocka_unit_test(test_what_is_told),
	  cmocka_unit_test(test_proc_knows_better), cmocka_unit_test(test_at_the_end))
