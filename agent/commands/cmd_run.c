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
#include "commands/probing.h"
#include "commands/shim.h"
#include "commands/target.h"
#include "commands/tcp_watch.h"
#include "commands/tls_watch.h"

#define FLUSH_MS 3000U /* how long the end of the program may be followed by sending what is queued */

struct run {
	struct settings settings;
	struct pipeline pipeline;
	struct ingest *ingest;
	struct proving *proving;
	struct tcp_watch *tcp;
	struct tls_watch *tls;
	struct probing *probing; /* NULL: the shim is enough, or there can be no probes */
	struct child child;
	struct target target;
	char shim[PATH_MAX];
	char service[256];
	uint64_t seed, start_ns;
	int handover; /* listening socket, or -1: then programs of other users run unwatched */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void name_service(struct run *r)
{
	const char *env = getenv("OTEL_SERVICE_NAME");
	const char *name = r->settings.service ? r->settings.service : env && *env ? env : base_name(r->target.path);

	snprintf(r->service, sizeof(r->service), "%s", name);
}

/* A word about the session itself: through the event stream, so that a replay says it too. */
static void note(struct run *r, const char *text)
{
	uint64_t now = ingest_now_ns(r->ingest);
	struct event e = {
		.t0 = now,
		.t1 = now,
		.pid = (uint32_t)r->child.pid,
		.tid = (uint32_t)r->child.pid,
		.fd = -1,
		.id = WIRE_SOURCE_INFO,
		.data = (const uint8_t *)text,
		.data_len = (uint32_t)strlen(text),
	};

	pipeline_event(&r->pipeline, &e);
}

/* What is known of a connection lowers what is captured of it. */
static void on_policy(void *ctx, uint32_t pid, int fd, uint8_t policy)
{
	const struct run *r = ctx;

	ingest_set_policy(r->ingest, pid, fd, policy);
	probing_policy(r->probing, (pid_t)pid, fd, policy);
}

/* Everything that can be wrong is found here, before the program is started. */
static int prepare(struct run *r, char *err, size_t err_size)
{
	const struct settings *s = &r->settings;
	/* The program's pid is not known yet, and an exporter that cannot be opened must be told before the program starts. */
	struct resource_input resource = {.service = r->service, .exe = r->target.path, .start_ns = 0};
	int e;

	if ((e = shim_find(r->shim, sizeof(r->shim), err, err_size)) < 0)
		return e;
	if ((e = pipeline_ingest(&r->pipeline, s, &r->seed, &r->ingest, err, err_size)) < 0)
		return e;
	r->start_ns = ingest_now_ns(r->ingest);
	const struct proving_of service = {.by_kernel = target_probes(r->target.kind)};
	if ((e = proving_open(s->prove, &service, r->ingest, &r->pipeline, &r->proving, err, err_size)) < 0)
		return e;
	e = outputs_open(&r->pipeline.outputs, &s->exports, true, &resource, err, err_size);
	if (e < 0)
		return e;
	e = pipeline_open(&r->pipeline, &r->settings, r->service, r->seed);
	if (e < 0 || (e = proving_watch(r->proving)) < 0) {
		snprintf(err, err_size, "out of memory");
		return e;
	}
	model_on_policy(session_model(r->pipeline.session), on_policy, r);
	e = pipeline_record(&r->pipeline, s, r->service, r->start_ns, r->seed, err, err_size);
	return e;
}

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
	int e = child_start(&r->child, shell, words, env);
	free(words);
	if (e == 0)
		r->target.kind = TARGET_WATCHABLE;
	return e;
}

static int start(struct run *r, char **argv, char *err, size_t err_size)
{
	char session[64];
	int e;

	snprintf(session, sizeof(session), "/proc/%d/fd/%d", (int)getpid(), ingest_fd(r->ingest));
	const bool shim = r->target.kind != TARGET_ALLOCATOR; /* which could load it */

	r->handover = shim ? handover_listen(session) : -1;
	char **made = shim ? shim_env(environ, r->shim, session) : NULL;
	char **env = shim ? made : environ;
	if (!env) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	proving_tick(r->proving); /* its first connection may come at once */
	e = child_start(&r->child, r->target.path, argv, env);
	if (e == -ENOEXEC && r->target.kind == TARGET_OTHER)
		e = start_as_script(r, argv, env);
	shim_env_free(made);
	if (e < 0)
		snprintf(err, err_size, "%.400s: cannot be run: %s", r->target.path, strerror(-e));
	return e;
}

static void finish(struct run *r)
{
	const struct settings *s = &r->settings;
	uint64_t end_ns = ingest_now_ns(r->ingest);

	if (r->pipeline.images == 0 && r->target.kind == TARGET_WATCHABLE)
		note(r, "the program ran without loading the shim: nothing of it was seen");
	session_finish(r->pipeline.session, end_ns);
	pipeline_end_recording(&r->pipeline, r->settings.record, end_ns);
	pipeline_report(&r->pipeline, s->report, "text", s->quiet ? NULL : stderr);
	pipeline_metrics(&r->pipeline, end_ns);
	outputs_close(&r->pipeline.outputs, FLUSH_MS, true);
}

/* Its allocations are to be watched, and the shim would not see them. Where probes cannot be loaded, it is the shim all the same. */
static void watch_allocator(struct run *r, char **argv, char *text, size_t size)
{
	char err[512];

	if (probing_open(r->ingest, true, &r->probing, err, sizeof(err)) < 0) {
		snprintf(text, size, "%s: allocations are not watched: %s; and probes in the kernel (eBPF) cannot be used: %s",
			 r->target.binary, target_why(r->target.kind), err);
		r->target.kind = TARGET_WATCHABLE;
		return;
	}
	probing_alone(r->probing);
	probing_expect(r->probing, argv);
	(void)probing_says(r->probing, r->target.binary, target_why(r->target.kind), text, size);
}

/* Where the shim cannot enter, the kernel can tell: said in one line either way. Before the program is started. */
static void choose_way(struct run *r, char **argv, char *text, size_t size)
{
	const char *why = target_why(r->target.kind);
	char err[512];

	text[0] = '\0';
	if (!why) {
		/* The shim is in the launcher; for what it starts, the probes stand by, where they can. */
		if (target_launches(&r->target) && probing_open(r->ingest, true, &r->probing, err, sizeof(err)) < 0)
			r->probing = NULL;
		probing_expect(r->probing, argv);
		return;
	}
	if (r->target.kind == TARGET_ALLOCATOR) {
		watch_allocator(r, argv, text, size);
	} else if (!target_probes(r->target.kind)) {
		snprintf(text, size, "%s cannot be watched: %s", r->target.binary, why);
	} else if (probing_open(r->ingest, true, &r->probing, err, sizeof(err)) == 0) {
		probing_expect(r->probing, argv);
		(void)probing_says(r->probing, r->target.binary, why, text, size);
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
	if ((e = child_signals(&r->child)) < 0) {
		snprintf(err, err_size, "cannot take over the signals: %s", strerror(-e));
		return e;
	}
	if ((e = prepare(r, err, err_size)) < 0)
		goto out;
	choose_way(r, argv, way, sizeof(way));
	if (way[0] && !r->settings.quiet)
		complain("%s", way);
	r->tls = tls_watch_new(r->ingest);
	tls_watch_expect(r->tls, argv);
	/* What takes its time is done before: a program may be over soon, and with it what /proc says of it. */
	r->tcp = tcp_watch_new(r->ingest, &(struct tcp_watch_options){.now = r->probing != NULL});
	if ((e = start(r, argv, err, err_size)) < 0)
		goto out;
	tls_watch_process(r->tls, r->child.pid);
	probing_settle(r->probing);
	if (r->settings.with_parent)
		child_end_with_parent();
	if (way[0])
		note(r, way);
	struct live live = {
		.pipeline = &r->pipeline,
		.ingest = r->ingest,
		.child = &r->child,
		.handover = r->handover,
		.report = r->settings.report,
		.report_every_ms = r->settings.report_every_s * 1000U,
		.proving = r->proving,
		.tcp = r->tcp,
	};
	int loop = live_run(&live);
	if (loop < 0) {
		/* The program runs already: it goes on unwatched, and we are its status. */
		complain("cannot run the event loop: %s; the program goes on unwatched", strerror(-loop));
		proving_end(r->proving, true);
		ingest_disable(r->ingest);
		child_wait(&r->child);
	}
	finish(r);
out:
	outputs_close(&r->pipeline.outputs, 0, false);
	child_done(&r->child);
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
	int operand = settings_load(&r->settings, run_flags, argc, argv, err, sizeof(err));
	if (operand < 0) {
		complain("%s", err);
	} else if (operand >= argc) {
		complain("run: no program given; say `gapscope run [options] -- CMD [ARG]…`");
	} else if (target_find(argv[operand], &r->target, err, sizeof(err)) < 0) {
		complain("%s", err);
	} else if (pipeline_init(&r->pipeline) < 0) {
		complain("out of memory");
	} else {
		name_service(r);
		if (r->settings.alloc && !r->settings.prove && alloc_watch_wants(&r->target))
			r->target.kind = TARGET_ALLOCATOR;
		if (watch(r, argv + operand, err, sizeof(err)) < 0)
			complain("%s", err);
		else
			status = r->child.status;
	}
	pipeline_done(&r->pipeline);
	tcp_watch_free(r->tcp);
	tls_watch_free(r->tls);
	probing_close(r->probing);
	proving_close(r->proving);
	ingest_free(r->ingest);
	settings_done(&r->settings);
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
