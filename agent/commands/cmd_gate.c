/*
 * `gapscope gate`: watch a service for a stage, and answer pass, fail or inconclusive. The sessions run in processes of their own
 * (session_process.h): that of the service, and that of the stable version beside it. Main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/gate_stage.h"
#include "commands/report_file.h"
#include "gate/policy.h"
#include "gate/verdict.h"
#include "gate/verdict_render.h"
#include "prove/plan.h"
#include "report/report.h"

#define FLAG_UNSET UINT32_MAX
#define DURATION_MS 60000U /* of a stage, where none is given and the service runs already */

struct arguments {
	const char *policy, *baseline, *stable, *json, *junit, *sarif, *config, *report;
	const char *faults;
	uint32_t duration_ms, requests, share, errors, seconds, hold, learn;
	bool quiet, prove, dry_run, alloc;
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
	 .kind = FLAG_TIME,
	 .offset = offsetof(struct arguments, duration_ms),
	 .arg = "TIME",
	 .doc = "watch for so long (500ms, 2s or 2, 5m, 1h); default 60, or until CMD ends",
	 .min = 1,
	 .max = FLAG_TIME_MAX},
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
	{.name = "alloc",
	 .kind = FLAG_SWITCH,
	 .offset = offsetof(struct arguments, alloc),
	 .doc = "sample allocations, too (of the stable version as well): a leak that is new fails; give the stage a minute"},
	{.name = "prove",
	 .kind = FLAG_SWITCH,
	 .offset = offsetof(struct arguments, prove),
	 .doc = "proof mode: inject faults into the service's connections, one at a time, and say what it does about them; without "
		"--duration the stage ends when all is tried"},
	{.name = "dry-run",
	 .kind = FLAG_SWITCH,
	 .offset = offsetof(struct arguments, dry_run),
	 .doc = "with --prove: say which faults would be injected at which peer, and inject none"},
	{.name = "faults",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, faults),
	 .arg = "NAMES",
	 .doc = "with --prove: only these, joined by '+': stall, refuse, 503, reset, connect, body, drip, dns"},
	{.name = "prove-share",
	 .kind = FLAG_COUNT,
	 .offset = offsetof(struct arguments, share),
	 .arg = "PERCENT",
	 .doc = "of a peer's requests that may be affected; default 100 of a program that is started, from its first connection "
		"on, else 10",
	 .min = 1,
	 .max = 100},
	{.name = "prove-errors",
	 .kind = FLAG_COUNT,
	 .offset = offsetof(struct arguments, errors),
	 .arg = "PERCENT",
	 .doc = "end all faults as soon as more of the service's own answers fail while one is on; default 100 of a program that "
		"is started, else 20",
	 .min = 0,
	 .max = 100},
	{.name = "prove-seconds",
	 .kind = FLAG_COUNT,
	 .offset = offsetof(struct arguments, seconds),
	 .arg = "S",
	 .doc = "faults last for so long in all; default 180",
	 .min = 1,
	 .max = 86400},
	{.name = "prove-hold",
	 .kind = FLAG_COUNT,
	 .offset = offsetof(struct arguments, hold),
	 .arg = "S",
	 .doc = "no connection is held for longer; default 30",
	 .min = 1,
	 .max = 3600},
	{.name = "prove-learn",
	 .kind = FLAG_COUNT,
	 .offset = offsetof(struct arguments, learn),
	 .arg = "S",
	 .doc = "look on for so long before the first fault; default 0 of a program that is started, else 5",
	 .min = 0,
	 .max = 86400},
	{.name = "quiet",
	 .kind = FLAG_SWITCH,
	 .offset = offsetof(struct arguments, quiet),
	 .doc = "print nothing but errors: the exit status is the answer"},
	{0},
};

struct gate {
	struct arguments args;
	struct gate_policy policy;
	struct gate_stage_result stage;
	char spec[256]; /* of the proof */
	bool live;
};

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
	verdict_sarif(verdict, g->stage.report, out);
}

static void as_report(const struct gate *g, const json_t *verdict, FILE *out)
{
	(void)verdict;
	json_dumpf(g->stage.report, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
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
	const struct gate_input in = {
		.policy = &g->policy,
		.report = g->stage.report,
		.baseline = g->stage.baseline,
		.today = gate_today(today),
		.prove = g->args.prove,
		.ended = *g->stage.ended ? g->stage.ended : NULL,
		.unwatched = *g->stage.unwatched ? g->stage.unwatched : NULL,
		.baseline_unwatched = *g->stage.stable_unwatched ? g->stage.stable_unwatched : NULL,
	};
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
	if (a->baseline && (e = report_load(a->baseline, &g->stage.baseline, err, err_size)) < 0)
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
		g->live = true;
		return 0;
	}
	if (operand + 1 != argc) {
		snprintf(err, err_size, "gate: one target or report; a program comes behind --");
		return -EINVAL;
	}
	if (g->args.stable && gate_target_words((char *)(uintptr_t)g->args.stable, flag, sizeof(flag), words) == 0) {
		snprintf(err, err_size, "gate: --stable: '%s' is no PID, name:COMM, port:N, cgroup:PATH, unit:UNIT or label:KEY",
			 g->args.stable);
		return -EINVAL;
	}
	if (gate_target_words(argv[operand], flag, sizeof(flag), words) > 0) {
		*ret_target = argv[operand];
		g->live = true;
		if (!g->args.duration_ms && (!g->args.prove || g->args.dry_run))
			g->args.duration_ms = DURATION_MS;
		return 0;
	}
	if (g->args.stable) {
		snprintf(err, err_size, "gate: --stable is for a service that runs; with a report use --baseline");
		return -EINVAL;
	}
	return report_load(argv[operand], &g->stage.report, err, err_size);
}

/* The stage; a baseline that was given stays. */
static int watch(struct gate *g, const struct gate_stage_options *o, char *target, char **command, char *err, size_t err_size)
{
	struct gate_stage_result seen = {0};
	const int e = gate_stage_run(o, target, command, &seen, err, err_size);

	if (!seen.baseline)
		seen.baseline = g->stage.baseline;
	g->stage = seen;
	return e;
}

/* The flags of a proof as `run` and `attach` take them. */
static int write_spec(struct gate *g, char *err, size_t err_size)
{
	const struct arguments *a = &g->args;
	const struct {
		const char *name;
		uint32_t value;
	} numbers[] = {{"share", a->share}, {"errors", a->errors}, {"seconds", a->seconds}, {"hold", a->hold}, {"learn", a->learn}};
	struct plan plan;
	size_t at;

	if (a->alloc && !g->live) {
		snprintf(err, err_size, "gate: --alloc needs a service that runs, or a program to start");
		return -EINVAL;
	}
	if (!a->prove) {
		if (!a->dry_run && !a->faults)
			return 0;
		snprintf(err, err_size, "gate: --dry-run and --faults are parts of a proof: add --prove");
		return -EINVAL;
	}
	if (!g->live) {
		snprintf(err, err_size, "gate: --prove needs a service that runs, or a program to start");
		return -EINVAL;
	}
	at = (size_t)snprintf(g->spec, sizeof(g->spec), "on%s%s%s", a->dry_run ? ",dry" : "", a->faults ? ",faults=" : "",
			      a->faults ? a->faults : "");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers) && at < sizeof(g->spec); i++)
		if (numbers[i].value != FLAG_UNSET)
			at += (size_t)snprintf(g->spec + at, sizeof(g->spec) - at, ",%s=%u", numbers[i].name, numbers[i].value);
	plan_defaults(&plan, true);
	return at < sizeof(g->spec) ? plan_parse(&plan, g->spec, err, err_size) : -EINVAL;
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
	g->args.share = g->args.errors = g->args.seconds = g->args.hold = g->args.learn = FLAG_UNSET;
	flags_first(flags, argc, argv);

	const int operand = flags_parse(flags, argc, argv, &g->args, err, sizeof(err));

	if (operand >= 0 && take_operands(g, argc, argv, operand, &target, &command, err, sizeof(err)) == 0 &&
	    prepare(g, err, sizeof(err)) == 0 && write_spec(g, err, sizeof(err)) == 0) {
		const struct gate_stage_options o = {
			.config = g->args.config,
			.stable = g->args.stable,
			.prove = g->args.prove ? g->spec : NULL,
			.duration_ms = g->args.duration_ms,
			.requests = g->args.requests,
			.alloc = g->args.alloc,
			.policy = &g->policy,
			.baseline = g->stage.baseline,
			.quiet = g->args.quiet,
		};

		if (!g->live || watch(g, &o, target, command, err, sizeof(err)) == 0)
			status = answer(g);
	}
	if (*err)
		complain("%s", err);
	json_decref(g->stage.report);
	json_decref(g->stage.baseline);
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
		"With --prove the service's own connections are led through a relay on loopback that withholds, drips, refuses, "
		"resets or answers 503: what it does then is proven, not concluded. Nothing but this service is touched, and what "
		"is held flows within a second after gapscope has ended, however it did.\n"
		"\n"
		"Too little traffic, lost records, or a dependency that was not used is inconclusive, never a pass. Exit status: 0 "
		"pass, "
		"1 fail, 2 bad input or an error of ours, 3 inconclusive.",
	.flags = flags,
	.run = cmd_gate,
};
