/*
 * `gapscope gate`: watch a service for a stage, and answer pass, fail or inconclusive. The sessions run in processes of their own
 * (session_process.h): that of the service, and that of the stable version beside it. Main thread.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/gate_progress.h"
#include "commands/report_file.h"
#include "commands/session_process.h"
#include "gate/policy.h"
#include "gate/verdict.h"
#include "gate/verdict_render.h"
#include "report/report.h"

#define DURATION_S 60U  /* of a stage, where none is given and the service runs already */
#define LOOK_MS 250U    /* how often requests are counted */
#define GRACE_MS 10000U /* for a session to end when told */
#define SPARE_S 60U     /* an attached session ends by itself so long after its stage, should we be killed */
#define WORDS_FIXED 13U /* of a session's command line, beside the program's own */

struct arguments {
	const char *policy, *baseline, *stable, *json, *junit, *sarif, *config, *report;
	uint32_t duration_s, requests;
	bool quiet;
};

static const struct flag flags[] = {
	{.name = "policy",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, policy),
	 .arg = "FILE",
	 .doc = "what fails, how much evidence is wanted, and exceptions, as YAML"},
	{.name = "baseline",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, baseline),
	 .arg = "FILE",
	 .doc = "report of an earlier session: its findings are known, its traffic is compared with"},
	{.name = "stable",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, stable),
	 .arg = "TARGET",
	 .doc = "the stable version that runs now: watched at the same time, and taken as the baseline"},
	{.name = "duration",
	 .kind = FLAG_COUNT,
	 .offset = offsetof(struct arguments, duration_s),
	 .arg = "S",
	 .doc = "watch for so many seconds; default 60, or until CMD ends",
	 .min = 1,
	 .max = 31536000},
	{.name = "requests",
	 .kind = FLAG_COUNT,
	 .offset = offsetof(struct arguments, requests),
	 .arg = "N",
	 .doc = "end as soon as N requests were seen; fewer by the end are inconclusive",
	 .min = 1,
	 .max = 1000000000},
	{.name = "json",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, json),
	 .arg = "FILE",
	 .doc = "write the verdict there as JSON"},
	{.name = "junit",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, junit),
	 .arg = "FILE",
	 .doc = "write the checks there as JUnit XML"},
	{.name = "sarif",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, sarif),
	 .arg = "FILE",
	 .doc = "write the findings there as SARIF 2.1.0"},
	{.name = "report",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, report),
	 .arg = "FILE",
	 .doc = "keep the session's report there: the next gate's baseline"},
	{.name = "config",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, config),
	 .arg = "FILE",
	 .doc = "configuration of the sessions, as for `gapscope run`"},
	{.name = "quiet",
	 .kind = FLAG_SWITCH,
	 .offset = offsetof(struct arguments, quiet),
	 .doc = "print nothing but errors: the exit status is the answer"},
	{0},
};

struct gate {
	struct arguments args;
	struct gate_policy policy;
	char folder[PATH_MAX / 2]; /* of the sessions' reports */
	uv_loop_t loop;
	uv_timer_t look, end, grace;
	uv_signal_t interrupt, terminate;
	struct session_process service, stable;
	json_t *report, *baseline;
	bool live, launched; /* launched: CMD is ours */
	uint64_t start_ms;
	char ended[160];
};

/* -- sessions -- */

/* The words of `attach` that name a target: PID, name:COMM, port:N, cgroup:PATH, unit:UNIT or label:KEY. Returns how many, 0 if it is none. */
static size_t target_words(char *target, char *flag, size_t flag_size, char *words[2])
{
	static const char *const kinds[] = {"name", "port", "cgroup", "unit", "label"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const size_t len = strlen(kinds[i]);

		if (strncmp(target, kinds[i], len) != 0 || target[len] != ':')
			continue;
		snprintf(flag, flag_size, "--%s", kinds[i]);
		words[0] = flag;
		words[1] = target + len + 1;
		return 2;
	}
	words[0] = target;
	return *target && target[strspn(target, "0123456789")] == '\0' ? 1 : 0;
}

/* gapscope attach|run --quiet --with-parent --report FILE --report-every 1 [--config FILE] [--duration S] TARGET | -- CMD… */
static int start(struct gate *g, struct session_process *s, char *target, char **command, char *err, size_t err_size)
{
	static char attach[] = "attach", run[] = "run", name[] = "gapscope", quiet[] = "--quiet", report[] = "--report",
		    every[] = "--report-every", one[] = "1", with_parent[] = "--with-parent", config[] = "--config",
		    duration[] = "--duration", end[] = "--";
	char seconds[16], flag[16], *target_word[2];
	size_t n = 0, extra = 0;

	while (command && command[extra])
		extra++;
	char **words = calloc(WORDS_FIXED + extra + 1, sizeof(*words));
	char *config_path = g->args.config ? strdup(g->args.config) : NULL;
	if (!words || (g->args.config && !config_path)) {
		free(words);
		free(config_path);
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	words[n++] = name;
	words[n++] = command ? run : attach;
	words[n++] = quiet;
	words[n++] = with_parent;
	words[n++] = report;
	words[n++] = s->report;
	words[n++] = every;
	words[n++] = one;
	if (config_path) {
		words[n++] = config;
		words[n++] = config_path;
	}
	if (command) {
		words[n++] = end;
		memcpy(words + n, command, extra * sizeof(*command));
	} else {
		snprintf(seconds, sizeof(seconds), "%u", g->args.duration_s + SPARE_S);
		words[n++] = duration;
		words[n++] = seconds;
		for (size_t i = 0, of = target_words(target, flag, sizeof(flag), target_word); i < of; i++)
			words[n++] = target_word[i];
	}
	s->user = g;

	const int e = session_process_start(s, &g->loop, words, command != NULL, err, err_size);

	free(words);
	free(config_path);
	return e;
}

static bool over(const struct session_process *s)
{
	return !s->started || s->exited;
}

static void stop_all(struct gate *g)
{
	session_process_stop(&g->service);
	session_process_stop(&g->stable);
}

static void on_grace(uv_timer_t *t)
{
	struct gate *g = t->data;

	session_process_kill(&g->service);
	session_process_kill(&g->stable);
}

static void end_stage(struct gate *g)
{
	stop_all(g);
	uv_timer_start(&g->grace, on_grace, GRACE_MS, 0);
}

static void on_end(uv_timer_t *t)
{
	end_stage(t->data);
}

static void on_signal(uv_signal_t *s, int signal)
{
	(void)signal;
	end_stage(s->data);
}

static void on_session_exit(struct session_process *s)
{
	struct gate *g = s->user;

	if (!s->asked && s == &g->service && s->status != 0 && g->launched)
		snprintf(g->ended, sizeof(g->ended), "the service ended by itself with status %d", s->status);
	else if (!s->asked && !g->launched && s->status == 0)
		snprintf(g->ended, sizeof(g->ended), "the %s ended before its stage did",
			 s == &g->service ? "service" : "stable version");
	if (over(&g->service) || !s->asked)
		stop_all(g);
	if (over(&g->service) && over(&g->stable))
		uv_stop(&g->loop);
}

/* The stage as it would be judged now. The policy, reports and names stay the gate's. */
static struct gate_input so_far(const struct gate *g, const json_t *report, const json_t *baseline, const char *today)
{
	return (struct gate_input){
		.policy = &g->policy,
		.report = report,
		.baseline = baseline,
		.today = today,
		.ended = *g->ended ? g->ended : NULL,
	};
}

/* "2026-11-21", which exceptions end with. */
static const char *today_text(char buf[16])
{
	const time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(buf, 16, "%Y-%m-%d", &tm);
	return buf;
}

/* How far the stage is: on a terminal, and for --requests. */
static void on_look(uv_timer_t *t)
{
	struct gate *g = t->data;
	char today[16];
	json_t *report = session_process_report(&g->service);
	json_t *stable = g->args.stable ? session_process_report(&g->stable) : json_incref(g->baseline);
	const struct gate_input in = so_far(g, report, stable, today_text(today));

	if (!g->args.quiet)
		gate_progress(stderr, &in, (unsigned int)((uv_now(&g->loop) - g->start_ms) / 1000), g->args.duration_s);
	if (g->args.requests && report_requests(report) >= (json_int_t)g->args.requests)
		end_stage(g);
	json_decref(report);
	json_decref(stable);
}

static void watch_stage(struct gate *g)
{
	g->start_ms = uv_now(&g->loop);
	uv_timer_start(&g->look, on_look, LOOK_MS, LOOK_MS);
	if (g->args.duration_s)
		uv_timer_start(&g->end, on_end, g->args.duration_s * 1000ULL, 0);
	uv_signal_start(&g->interrupt, on_signal, SIGINT);
	uv_signal_start(&g->terminate, on_signal, SIGTERM);
	if (!over(&g->service))
		uv_run(&g->loop, UV_RUN_DEFAULT);
	if (!g->args.quiet)
		gate_progress_end(stderr);
}

/* Both sessions, until the stage is over; their reports are read. 0, or -errno with a line in err ("" if a session told it). */
static int live(struct gate *g, char *target, char **command, char *err, size_t err_size)
{
	int e;

	if ((e = session_folder("gate", g->folder, sizeof(g->folder), err, err_size)) < 0)
		return e;
	snprintf(g->service.report, sizeof(g->service.report), "%s/service.json", g->folder);
	snprintf(g->stable.report, sizeof(g->stable.report), "%s/stable.json", g->folder);
	g->service.on_exit = g->stable.on_exit = on_session_exit;
	if (g->args.stable && (e = start(g, &g->stable, (char *)(uintptr_t)g->args.stable, NULL, err, err_size)) < 0)
		return e;
	if ((e = start(g, &g->service, target, command, err, err_size)) < 0) {
		session_process_kill(&g->stable);
		return e;
	}
	watch_stage(g);
	g->report = session_process_report(&g->service);
	if (g->args.stable)
		g->baseline = session_process_report(&g->stable);
	if (!g->report || (g->args.stable && !g->baseline)) {
		*err = '\0';
		return -EIO;
	}
	return 0;
}

static void clean_up(struct gate *g)
{
	unlink(g->service.report);
	unlink(g->stable.report);
	if (*g->folder)
		rmdir(g->folder);
	json_decref(g->report);
	json_decref(g->baseline);
}

/* -- the answer -- */

typedef void (*write_fn)(const struct gate *g, const json_t *verdict, FILE *out);

static void as_json(const struct gate *g, const json_t *verdict, FILE *out)
{
	(void)g;
	json_dumpf(verdict, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	fputc('\n', out);
}

static void as_junit(const struct gate *g, const json_t *verdict, FILE *out)
{
	(void)g;
	verdict_junit(verdict, out);
}

static void as_sarif(const struct gate *g, const json_t *verdict, FILE *out)
{
	verdict_sarif(verdict, g->report, out);
}

static void as_report(const struct gate *g, const json_t *verdict, FILE *out)
{
	(void)verdict;
	json_dumpf(g->report, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	fputc('\n', out);
}

static int write_one(const struct gate *g, const json_t *verdict, const char *path, write_fn fn)
{
	char *text = NULL, err[512];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int e = -ENOMEM;

	if (out) {
		fn(g, verdict, out);
		e = fclose(out) == 0 ? report_file_write(path, text, len, err, sizeof(err)) : -ENOMEM;
	}
	if (e < 0)
		complain("%s", e == -ENOMEM ? "out of memory" : err);
	free(text);
	return e;
}

static int answer(struct gate *g)
{
	char today[16];
	const struct gate_input in = so_far(g, g->report, g->baseline, today_text(today));
	const struct {
		const char *path;
		write_fn fn;
	} files[] = {{g->args.json, as_json}, {g->args.junit, as_junit}, {g->args.sarif, as_sarif}, {g->args.report, as_report}};
	json_t *verdict = gate_judge(&in);
	int status = verdict ? gate_exit_status(verdict) : EXIT_USAGE;

	if (!verdict)
		complain("out of memory");
	for (size_t i = 0; verdict && i < sizeof(files) / sizeof(*files); i++)
		if (files[i].path && write_one(g, verdict, files[i].path, files[i].fn) < 0)
			status = EXIT_USAGE;
	if (verdict && !g->args.quiet)
		verdict_text(verdict, stdout, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
	json_decref(verdict);
	return status;
}

/* -- the command -- */

static int prepare(struct gate *g, char *err, size_t err_size)
{
	const struct arguments *a = &g->args;
	const char *const files[] = {a->json, a->junit, a->sarif, a->report};
	int e;

	policy_defaults(&g->policy);
	if (a->policy && (e = policy_load(a->policy, &g->policy, err, err_size)) < 0)
		return e;
	if (a->requests)
		g->policy.requests = a->requests;
	if (a->baseline && a->stable) {
		snprintf(err, err_size, "gate: --baseline and --stable are two baselines; give one");
		return -EINVAL;
	}
	if (a->baseline && (e = report_load(a->baseline, &g->baseline, err, err_size)) < 0)
		return e;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (files[i] && (e = report_file_check(files[i], err, err_size)) < 0)
			return e;
	return 0;
}

/* What the operands name: a program, a running target, or a report. */
static int take_operands(struct gate *g, int argc, char **argv, int operand, char **ret_target, char ***ret_command, char *err,
			 size_t err_size)
{
	char flag[16], *words[2];

	*ret_target = NULL;
	*ret_command = NULL;
	if (operand >= argc) {
		snprintf(err, err_size, "gate: name what to judge: TARGET, REPORT or -- CMD [ARG]…");
		return -EINVAL;
	}
	if (strcmp(argv[operand - 1], "--") == 0) {
		*ret_command = argv + operand;
		g->live = g->launched = true;
		return 0;
	}
	if (operand + 1 != argc) {
		snprintf(err, err_size, "gate: one target or report; a program comes behind --");
		return -EINVAL;
	}
	if (g->args.stable && target_words((char *)(uintptr_t)g->args.stable, flag, sizeof(flag), words) == 0) {
		snprintf(err, err_size, "gate: --stable: '%s' is no PID, name:COMM, port:N, cgroup:PATH, unit:UNIT or label:KEY",
			 g->args.stable);
		return -EINVAL;
	}
	if (target_words(argv[operand], flag, sizeof(flag), words) > 0) {
		*ret_target = argv[operand];
		g->live = true;
		if (!g->args.duration_s)
			g->args.duration_s = DURATION_S;
		return 0;
	}
	if (g->args.stable) {
		snprintf(err, err_size, "gate: --stable is for a service that runs; with a report use --baseline");
		return -EINVAL;
	}
	return report_load(argv[operand], &g->report, err, err_size);
}

static void loop_open(struct gate *g)
{
	uv_loop_init(&g->loop);
	uv_timer_init(&g->loop, &g->look);
	uv_timer_init(&g->loop, &g->end);
	uv_timer_init(&g->loop, &g->grace);
	uv_signal_init(&g->loop, &g->interrupt);
	uv_signal_init(&g->loop, &g->terminate);
	g->look.data = g->end.data = g->grace.data = g->interrupt.data = g->terminate.data = g;
}

static void loop_close(struct gate *g)
{
	uv_close((uv_handle_t *)&g->look, NULL);
	uv_close((uv_handle_t *)&g->end, NULL);
	uv_close((uv_handle_t *)&g->grace, NULL);
	uv_close((uv_handle_t *)&g->interrupt, NULL);
	uv_close((uv_handle_t *)&g->terminate, NULL);
	uv_run(&g->loop, UV_RUN_DEFAULT);
	uv_loop_close(&g->loop);
}

static int cmd_gate(int argc, char **argv)
{
	struct gate *g = calloc(1, sizeof(*g));
	char err[512] = "", *target, **command;
	int status = EXIT_USAGE;

	if (!g) {
		complain("out of memory");
		return EXIT_USAGE;
	}
	flags_first(flags, argc, argv);

	const int operand = flags_parse(flags, argc, argv, &g->args, err, sizeof(err));

	if (operand >= 0 && take_operands(g, argc, argv, operand, &target, &command, err, sizeof(err)) == 0 &&
	    prepare(g, err, sizeof(err)) == 0) {
		int e = 0;

		if (g->live) {
			loop_open(g);
			e = live(g, target, command, err, sizeof(err));
			loop_close(g);
		}
		if (e == 0)
			status = answer(g);
	}
	if (*err)
		complain("%s", err);
	clean_up(g);
	free(g);
	return status;
}

const struct command cmd_gate_entry = {
	.name = "gate",
	.usage = "[options] TARGET | REPORT | -- CMD [ARG]…",
	.doc = "watch a service for a stage, and answer pass, fail or inconclusive",
	.text = "Watches TARGET, a running service (PID, name:COMM, port:N, cgroup:PATH, unit:UNIT or label:KEY), or starts CMD, "
		"or takes the "
		"REPORT "
		"of an earlier session, and judges it by a policy. With a baseline only new findings fail, and requests that "
		"became "
		"slower or fail more often do.\n"
		"\n"
		"Too little traffic, lost records, or a dependency that was not used is inconclusive, never a pass. Exit status: 0 "
		"pass, "
		"1 fail, 2 bad input or an error of ours, 3 inconclusive.",
	.flags = flags,
	.run = cmd_gate,
};
