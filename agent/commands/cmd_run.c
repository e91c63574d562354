/*
 * `gapscope run`: start a program under watch. Owns everything of the session for its duration; main thread. Whatever goes wrong on
 * our side, the program runs on and its exit status is ours.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/alloc_watch.h"
#include "commands/commands.h"
#include "commands/handover.h"
#include "commands/live.h"
#include "commands/shim.h"
#include "commands/target.h"
#include "commands/watching.h"

struct run {
	struct watching w;
	struct target target;
	char shim[PATH_MAX];
	int handover; /* listening socket, or -1: then programs of other users run unwatched */
};

/* An executable text (never an ELF file of another kind) without an interpreter line is run by the shell, as execvp has it. */
static int start_as_script(struct run *r, char **argv, char *const *env)
{
	static char shell[] = "/bin/sh";
	size_t n = 0;

	while (argv[n])
		n++;
	char **words = calloc(n + 2, sizeof(*words));
	if (!words)
		return -ENOMEM;
	words[0] = shell;
	words[1] = r->target.path;
	for (size_t i = 1; i < n; i++)
		words[i + 1] = argv[i];
	int e = child_start(&r->w.child, shell, words, env);
	free(words);
	if (e == 0)
		r->target.kind = TARGET_WATCHABLE;
	return e;
}

/* The program itself was found: what is missing is what the kernel runs it with (execve(2)). */
static void say_not_started(const struct target *t, int e, char *err, size_t err_size)
{
	if (e == -ENOENT && strcmp(t->binary, t->path) != 0)
		snprintf(err, err_size, "%.200s: its interpreter %.200s is not there; check the program's first line", t->path,
			 t->binary);
	else if (e == -ENOENT)
		snprintf(err, err_size, "%.400s: its dynamic loader is not there; `file` says which one it needs", t->path);
	else if (e == -ENOEXEC)
		snprintf(err, err_size,
			 "%.400s: it is no program for this machine, or not all of it is there; check it with `file`", t->path);
	else
		snprintf(err, err_size, "%.400s: cannot be run: %s", t->path, strerror(-e));
}

static int start(struct run *r, char **argv, char *err, size_t err_size)
{
	char session[64];
	int e;

	snprintf(session, sizeof(session), "/proc/%d/fd/%d", (int)getpid(), ingest_fd(r->w.ingest));
	const bool shim = r->target.kind != TARGET_ALLOCATOR; /* which could load it */

	r->handover = shim ? handover_listen(session) : -1;
	char **made = shim ? shim_env(environ, r->shim, session) : NULL;
	char **env = shim ? made : environ;
	if (!env) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	proving_tick(r->w.proving); /* its first connection may come at once */
	e = child_start(&r->w.child, r->target.path, argv, env);
	if (e == -ENOEXEC && r->target.kind == TARGET_OTHER)
		e = start_as_script(r, argv, env);
	shim_env_free(made);
	if (e < 0)
		say_not_started(&r->target, e, err, err_size);
	return e;
}

static void finish(struct run *r)
{
	if (r->w.pipeline.images == 0 && r->target.kind == TARGET_WATCHABLE)
		watching_note(&r->w, r->w.child.pid, "the program ran without loading the shim: nothing of it was seen");
	watching_finish(&r->w);
}

/* Its allocations are to be watched, and the shim would not see them. Where probes cannot be loaded, it is the shim all the same. */
static void watch_allocator(struct run *r, char **argv, char *text, size_t size)
{
	char err[512];

	if (probing_open(r->w.ingest, true, &r->w.probing, err, sizeof(err)) < 0) {
		snprintf(text, size, "%s: allocations are not watched: %s; and probes in the kernel (eBPF) cannot be used: %s",
			 r->target.binary, target_why(r->target.kind), err);
		r->target.kind = TARGET_WATCHABLE;
		return;
	}
	probing_alone(r->w.probing);
	probing_expect(r->w.probing, argv);
	(void)probing_says(r->w.probing, r->target.binary, target_why(r->target.kind), text, size);
}

/* Where the shim cannot enter, the kernel can tell: said in one line either way. Before the program is started. */
static void choose_way(struct run *r, char **argv, char *text, size_t size)
{
	const char *why = target_why(r->target.kind);
	char err[512];

	text[0] = '\0';
	if (!why) {
		/* The shim is in the launcher; for what it starts, the probes stand by, where they can. */
		if (target_launches(&r->target) && probing_open(r->w.ingest, true, &r->w.probing, err, sizeof(err)) < 0)
			r->w.probing = NULL;
		probing_expect(r->w.probing, argv);
		return;
	}
	if (r->target.kind == TARGET_ALLOCATOR) {
		watch_allocator(r, argv, text, size);
	} else if (!target_probes(r->target.kind)) {
		snprintf(text, size, "%s cannot be watched: %s", r->target.binary, why);
	} else if (probing_open(r->w.ingest, true, &r->w.probing, err, sizeof(err)) == 0) {
		probing_expect(r->w.probing, argv);
		(void)probing_says(r->w.probing, r->target.binary, why, text, size);
	} else {
		snprintf(text, size, "%s cannot be watched by the shim: %s; nor by probes in the kernel (eBPF): %s",
			 r->target.binary, why, err);
	}
}

static int watch(struct run *r, char **argv, char *err, size_t err_size)
{
	char way[PATH_MAX + 1024];
	int e;

	r->handover = -1;
	if ((e = child_signals(&r->w.child)) < 0) {
		snprintf(err, err_size, "cannot take over the signals: %s", strerror(-e));
		return e;
	}
	const struct proving_of service = {.by_kernel = target_probes(r->target.kind)};

	/* All that can be wrong is found before the program is started. */
	if ((e = shim_find(r->shim, sizeof(r->shim), err, err_size)) < 0 ||
	    (e = watching_open(&r->w, r->target.path, &service, err, err_size)) < 0)
		goto out;
	choose_way(r, argv, way, sizeof(way));
	if (way[0] && !r->w.settings.quiet)
		complain("%s", way);
	r->w.tls = tls_watch_new(r->w.ingest);
	tls_watch_expect(r->w.tls, argv);
	/* What takes its time is done before: a program may be over soon, and with it what /proc says of it. */
	r->w.tcp = tcp_watch_new(r->w.ingest, &(struct tcp_watch_options){.now = r->w.probing != NULL});
	if ((e = start(r, argv, err, err_size)) < 0)
		goto out;
	tls_watch_process(r->w.tls, r->w.child.pid);
	probing_settle(r->w.probing);
	if (r->w.settings.with_parent)
		child_end_with_parent();
	if (way[0])
		watching_note(&r->w, r->w.child.pid, way);
	struct live live = {
		.pipeline = &r->w.pipeline,
		.ingest = r->w.ingest,
		.child = &r->w.child,
		.handover = r->handover,
		.report = r->w.settings.report,
		.report_every_ms = r->w.settings.report_every_s * 1000U,
		.proving = r->w.proving,
		.tcp = r->w.tcp,
	};
	int loop = live_run(&live);
	if (loop < 0) {
		/* The program runs already: it goes on unwatched, and we are its status. */
		complain("cannot run the event loop: %s; the program goes on unwatched", strerror(-loop));
		proving_end(r->w.proving, true);
		ingest_disable(r->w.ingest);
		child_wait(&r->w.child);
	}
	finish(r);
out:
	outputs_close(&r->w.pipeline.outputs, 0, false);
	child_done(&r->w.child);
	if (r->handover >= 0)
		close(r->handover);
	return e;
}

static int cmd_run(int argc, char **argv)
{
	char err[512];
	struct run *r = calloc(1, sizeof(*r));
	int status = EXIT_USAGE;

	if (!r) {
		complain("out of memory");
		return EXIT_USAGE;
	}
	int operand = settings_load(&r->w.settings, run_flags, argc, argv, err, sizeof(err));
	if (operand < 0) {
		complain("%s", err);
	} else if (operand >= argc) {
		complain("run: no program given; say `gapscope run [options] -- CMD [ARG]…`");
	} else if (target_find(argv[operand], &r->target, err, sizeof(err)) < 0) {
		complain("%s", err);
	} else if (pipeline_init(&r->w.pipeline) < 0) {
		complain("out of memory");
	} else {
		watching_name(&r->w, r->target.path);
		if (r->w.settings.alloc && !r->w.settings.prove && alloc_watch_wants(&r->target))
			r->target.kind = TARGET_ALLOCATOR;
		if (watch(r, argv + operand, err, sizeof(err)) < 0)
			complain("%s", err);
		else
			status = r->w.child.status;
	}
	watching_done(&r->w);
	free(r);
	return status;
}

const struct command cmd_run_entry = {
	.name = "run",
	.usage = "[options] -- CMD [ARG]…",
	.doc = "start a program under watch",
	.text = "Starts CMD with the shim preloaded and watches it, and what it starts, until it exits. Needs no privilege. Its "
		"standard "
		"input, output and error are its own, signals sent to gapscope are passed on, and its exit status is the exit "
		"status of "
		"gapscope (128+n after signal n).\n"
		"\n"
		"The report is written when the program exits, and also within two seconds of a SIGTERM or SIGINT if it takes "
		"longer to "
		"end. OTLP export is on with `--export otlp` or when OTEL_EXPORTER_OTLP_ENDPOINT is set.\n"
		"\n"
		"Exit status 2 stands for bad input of ours (a missing program, an unknown flag, an unreadable configuration): "
		"then "
		"nothing was started.",
	.flags = run_flags,
	.run = cmd_run,
};
