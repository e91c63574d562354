/*
 * A gate's stage, whose sessions are this program itself: started as `gapscope attach` or `run` would be, it writes a report with what its target says,
 * and stays until it is told to end, or ends by itself.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "commands/gate_stage.h"
#include "report/report.h"
#include "unit.h"

static const char *after(char **argv, const char *flag)
{
	for (; *argv; argv++)
		if (strcmp(*argv, flag) == 0)
			return argv[1];
	return NULL;
}

/* Somebody kills that one, once the service's session has its report. */
static void is_killed(const char *report)
{
	char service[PATH_MAX];

	snprintf(service, sizeof(service), "%.*s/service.json", (int)(strrchr(report, '/') - report), report);
	while (access(service, F_OK) != 0)
		sched_yield();
	kill(getpid(), SIGKILL);
}

/* A session: its last word is how many requests it saw, or its program's exit status after "--". */
static int session(int argc, char **argv)
{
	const char *report = after(argv, "--report"), *end = after(argv, "--"), *prove = after(argv, "--prove");
	json_t *r = report_new(json_pack("{s:s, s:s, s:s, s:i, s:i}", "name", argv[1], "start", "2026-11-21T10:00:00.000Z", "end",
					 "2026-11-21T10:01:00.000Z", "client_requests", 0, "server_requests",
					 end ? 0 : atoi(argv[argc - 1])));
	sigset_t all;
	int signal;

	json_object_set_new(r, "proof", json_pack("{s:b}", "finished", prove != NULL));
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (json_dump_file(r, report, 0) != 0)
		_exit(9);
	if (!end && strcmp(argv[argc - 1], "666") == 0)
		is_killed(report);
	if (!end && strcmp(argv[argc - 1], "13") != 0) /* that one ends at once */
		sigwait(&all, &signal);
	_exit(end ? atoi(argv[argc - 1]) : 0);
}

static struct gate_policy policy;

static int stage(struct gate_stage_options o, char *target, char **command, struct gate_stage_result *ret)
{
	char err[256] = "";

	policy_defaults(&policy);
	o.policy = &policy;
	o.quiet = true;
	return gate_stage_run(&o, target, command, ret, err, sizeof(err));
}

static void done(struct gate_stage_result *r)
{
	json_decref(r->report);
	json_decref(r->baseline);
}

static void target_words(void **state)
{
	static const struct {
		const char *target, *flag, *value;
		size_t n;
	} cases[] = {{"17", NULL, "17", 1},
		     {"port:8080", "--port", "8080", 2},
		     {"unit:a.service", "--unit", "a.service", 2},
		     {"label:a=b:c", "--label", "a=b:c", 2},
		     {"x", NULL, NULL, 0},
		     {"", NULL, NULL, 0},
		     {"17x", NULL, NULL, 0}};
	char flag[16], target[32], *words[2];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(target, sizeof(target), "%s", cases[i].target);
		assert_int_equal(gate_target_words(target, flag, sizeof(flag), words), cases[i].n);
		if (cases[i].n == 2)
			assert_string_equal(words[0], cases[i].flag);
		if (cases[i].n > 0)
			assert_string_equal(words[cases[i].n - 1], cases[i].value);
	}
}

static void today(void **state)
{
	char buf[16];

	(void)state;
	assert_int_equal(strlen(gate_today(buf)), 10);
	assert_true(buf[4] == '-' && buf[7] == '-' && strcmp(buf, "2026-01-01") > 0);
}

/* Both sessions are told to end when enough was seen, and both reports are read. */
static void ends_after_its_requests(void **state)
{
	struct gate_stage_result r;
	char target[] = "250";

	(void)state;
	assert_int_equal(stage((struct gate_stage_options){.requests = 200, .stable = "90"}, target, NULL, &r), 0);
	assert_int_equal(report_requests(r.report), 250);
	assert_int_equal(report_requests(r.baseline), 90);
	assert_string_equal(r.ended, "");
	done(&r);
}

static void ends_when_all_is_proven(void **state)
{
	struct gate_stage_result r;
	char target[] = "1";

	(void)state;
	assert_int_equal(stage((struct gate_stage_options){.prove = "on"}, target, NULL, &r), 0);
	assert_string_equal(r.ended, "");
	assert_null(r.baseline);
	done(&r);
}

static void services_that_end_by_themselves(void **state)
{
	struct gate_stage_result r;
	char target[] = "13", program[] = "program", three[] = "3", none[] = "0";

	(void)state;
	assert_int_equal(stage((struct gate_stage_options){.duration_ms = 600000}, target, NULL, &r), 0);
	assert_string_equal(r.ended, "the service ended before its stage did");
	done(&r);
	assert_int_equal(stage((struct gate_stage_options){0}, NULL, WORDS(program, three), &r), 0);
	assert_string_equal(r.ended, "the service ended by itself with status 3");
	done(&r);
	assert_int_equal(stage((struct gate_stage_options){0}, NULL, WORDS(program, none), &r), 0);
	assert_string_equal(r.ended, "");
	done(&r);
}

/* What a session saw until it died is no stage: nobody saw the rest, which is no evidence. */
static void sessions_that_die(void **state)
{
	struct gate_stage_result r;
	char target[] = "666", other[] = "1";

	(void)state;
	assert_int_equal(stage((struct gate_stage_options){.duration_ms = 600000}, target, NULL, &r), 0);
	assert_string_equal(r.unwatched, "its session ended with status 137 before the stage did");
	assert_string_equal(r.ended, "");
	done(&r);
	assert_int_equal(stage((struct gate_stage_options){.duration_ms = 600000, .stable = "666"}, other, NULL, &r), 0);
	assert_string_equal(r.stable_unwatched, "its session ended with status 137 before the stage did");
	assert_string_equal(r.unwatched, "");
	done(&r);
}

/* Nothing stays behind, and where nothing can be put the reason is said. */
static void without_a_folder(void **state)
{
	struct gate_stage_result r;
	char target[] = "1", err[256] = "";
	const struct gate_stage_options o = {.policy = &policy, .quiet = true};

	(void)state;
	assert_int_equal(setenv("TMPDIR", "/nonexistent", 1), 0);
	assert_int_equal(gate_stage_run(&o, target, NULL, &r, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent"));
	assert_null(r.report);
	unsetenv("TMPDIR");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(target_words),
					   cmocka_unit_test(today),
					   cmocka_unit_test(ends_after_its_requests),
					   cmocka_unit_test(ends_when_all_is_proven),
					   cmocka_unit_test(services_that_end_by_themselves),
					   cmocka_unit_test(sessions_that_die),
					   cmocka_unit_test(without_a_folder)};

	if (argc > 1)
		return session(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
