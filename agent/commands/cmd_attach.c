/*
 * `gapscope attach`: watch a service that runs already. Owns everything of the session for its duration; main thread. The service is
 * left as it was when the session ends, however it ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/check.h"
#include "attach/existing.h"
#include "attach/find.h"
#include "attach/inject.h"
#include "commands/alloc_watch.h"
#include "commands/begun.h"
#include "commands/commands.h"
#include "commands/live.h"
#include "commands/probing.h"
#include "commands/shim.h"
#include "commands/target.h"
#include "commands/tcp_watch.h"
#include "commands/tls_watch.h"
#include "wire/shared.h"

#define SILENT_NS 1000000000ULL /* a program that was started so long ago and says nothing does so without the shim */
#define FLUSH_MS 3000U          /* how long sending what is queued may take at the end */

struct attach {
	struct settings settings;
	struct pipeline pipeline;
	struct ingest *ingest;
	struct proving *proving;
	struct tcp_watch *tcp;
	struct tls_watch *tls;
	struct probing *probing; /* NULL until a process needs it */
	struct child child;      /* its signals only: the service is not our child */
	struct inject_shim shim;
	struct inject_session session;
	struct find_result found;
	char session_path[64], service[256];
	pid_t inside[FIND_MAX]; /* where the shim was put */
	size_t inside_n;
	struct begun begun;
	uint64_t seed, start_ns;
};

/* The operand and flags into a query; exactly one of them must be given. */
static int read_query(struct attach *a, int argc, char **argv, int operand, struct find_query *ret, char *err, size_t err_size)
{
	const struct attach_settings *s = &a->settings.attach;
	struct find_query q = {.name = s->name, .port = s->port, .cgroup = s->cgroup, .unit = s->unit, .label = s->label};
	const int given = (operand < argc) + (s->name != NULL) + (s->port != 0) + (s->cgroup != NULL) + (s->unit != NULL) +
			  (s->label != NULL);

	if (given != 1 || operand + 1 < argc) {
		snprintf(err, err_size, "attach: name one process: PID, --name, --port, --cgroup, --unit or --label");
		return -EINVAL;
	}
	if (operand < argc) {
		char *end;
		const long pid = strtol(argv[operand], &end, 10);

		if (*end || pid <= 0 || pid > 4194304) {
			snprintf(err, err_size, "attach: '%s' is not the number of a process; by name: --name %s", argv[operand],
				 argv[operand]);
			return -EINVAL;
		}
		q.pid = (pid_t)pid;
	}
	*ret = q;
	return 0;
}

static void read_exe(pid_t pid, char *to, size_t size)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);

	const ssize_t n = readlink(link, to, size - 1);

	to[n > 0 ? n : 0] = '\0';
}

static void name_service(struct attach *a, const char *exe)
{
	const char *env = getenv("OTEL_SERVICE_NAME");
	const char *slash = strrchr(exe, '/');
	const char *name = a->settings.service ? a->settings.service
			   : env && *env       ? env
			   : slash && slash[1] ? slash + 1
					       : "service";

	snprintf(a->service, sizeof(a->service), "%s", name);
}

static void on_policy(void *ctx, uint32_t pid, int fd, uint8_t policy)
{
	const struct attach *a = ctx;

	ingest_set_policy(a->ingest, pid, fd, policy);
	probing_policy(a->probing, (pid_t)pid, fd, policy);
}

/* Which way it is watched. Of one that is refused in both, no. */
static bool by_kernel(pid_t pid, struct check_verdict *ret, const char **ret_why)
{
	char exe[64], why[256];
	struct target t;

	check_process(pid, ret);
	*ret_why = ret->why;
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	if (!ret->watchable || target_find(exe, &t, why, sizeof(why)) != 0 || t.kind != TARGET_GO)
		return !ret->watchable && ret->other_way;
	*ret_why = target_why(t.kind);
	return true;
}

static bool has_allocator(pid_t pid)
{
	char exe[64], why[256];
	struct target t;

	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	return target_find(exe, &t, why, sizeof(why)) == 0 && alloc_watch_wants(&t);
}

static int open_session(struct attach *a, char *err, size_t err_size)
{
	const struct settings *s = &a->settings;
	char exe[PATH_MAX];
	struct resource_input resource = {.service = a->service, .exe = exe};
	struct check_verdict v;
	const char *why;
	const struct proving_of service = {.pid = a->found.pids[0], .by_kernel = s->prove && by_kernel(a->found.pids[0], &v, &why)};
	int e;

	read_exe(a->found.pids[0], exe, sizeof(exe));
	name_service(a, exe);
	if ((e = pipeline_ingest(&a->pipeline, s, &a->seed, &a->ingest, err, err_size)) < 0)
		return e;
	a->start_ns = ingest_now_ns(a->ingest);
	if ((e = proving_open(s->prove, &service, a->ingest, &a->pipeline, &a->proving, err, err_size)) < 0)
		return e;
	if ((e = outputs_open(&a->pipeline.outputs, &s->exports, true, &resource, err, err_size)) < 0)
		return e;
	if ((e = pipeline_open(&a->pipeline, &a->settings, a->service, a->seed)) < 0 || (e = proving_watch(a->proving)) < 0) {
		snprintf(err, err_size, "out of memory");
		return e;
	}
	model_on_policy(session_model(a->pipeline.session), on_policy, a);
	e = pipeline_record(&a->pipeline, s, a->service, a->start_ns, a->seed, err, err_size);
	snprintf(a->session_path, sizeof(a->session_path), "/proc/%d/fd/%d", (int)getpid(), ingest_fd(a->ingest));
	a->session = (struct inject_session){.fd = ingest_fd(a->ingest)};
	return e;
}

/* A word about the session itself: through the event stream, so that a replay says it too. */
static void note(struct attach *a, pid_t pid, const char *text)
{
	const uint64_t now = ingest_now_ns(a->ingest);
	const struct event e = {
		.t0 = now,
		.t1 = now,
		.pid = (uint32_t)pid,
		.tid = (uint32_t)pid,
		.fd = -1,
		.id = WIRE_SOURCE_INFO,
		.data = (const uint8_t *)text,
		.data_len = (uint32_t)strlen(text),
	};

	pipeline_event(&a->pipeline, &e);
}

static bool has_slot(struct attach *a, pid_t pid)
{
	for (uint32_t i = 0; i < ingest_shared(a->ingest)->process_max; i++)
		if (ingest_process(a->ingest, i) == (uint32_t)pid)
			return true;
	return false;
}

/* What was open before comes in front of all that is seen; a state that was looked up just now, at its place in the stream. */
static void tell(void *ctx, const struct event *e)
{
	struct attach *a = ctx;
	const struct wire_record r = {.event = e->id, .units = 1, .t0 = e->t0, .t1 = e->t1, .fd = e->fd, .a0 = e->a0};

	if (e->id == WIRE_OUTSTANDING)
		ingest_push(a->ingest, e->pid, e->tid, &r, NULL);
	else
		pipeline_event(&a->pipeline, e);
}

/* Where the shim cannot enter: by probes in the kernel. `shim_why` says why. */
static int probe(struct attach *a, pid_t pid, const char *shim_why, char *err, size_t err_size)
{
	char why[400];
	int e = a->probing ? 0 : probing_open(a->ingest, false, &a->probing, why, sizeof(why));

	if (e == 0)
		e = probing_watch(a->probing, pid, why, sizeof(why));
	if (e < 0) {
		snprintf(err, err_size, "cannot attach to process %d: %.200s; nor can probes in the kernel (eBPF) watch it: %.200s",
			 (int)pid, shim_why, why);
		return e;
	}
	if (a->inside_n < FIND_MAX)
		a->inside[a->inside_n++] = pid;
	(void)existing_tell(pid, a->start_ns, tell, a);
	tls_watch_process(a->tls, pid);
	char who[32];
	snprintf(who, sizeof(who), "process %d", (int)pid);
	(void)probing_says(a->probing, who, shim_why, why, sizeof(why));
	note(a, pid, why);
	if (!a->settings.quiet)
		complain("%s", why);
	return 0;
}

/* Put the shim into one process. What it had open before is told in front of all that it does from now on. */
static int enter(struct attach *a, pid_t pid, char *err, size_t err_size)
{
	struct check_verdict v;
	struct inject_result result;
	const char *other_way;
	char why[256];
	int e;

	if (by_kernel(pid, &v, &other_way))
		return probe(a, pid, other_way, err, err_size);
	if (v.watchable && a->settings.alloc && !a->settings.prove && has_allocator(pid) &&
	    probe(a, pid, target_why(TARGET_ALLOCATOR), err, err_size) == 0)
		return 0;
	if (!v.watchable) {
		snprintf(err, err_size, "cannot attach to process %d: %s", (int)pid, v.why);
		return -EPERM;
	}
	const size_t begun_before = a->begun.n;

	a->session.pid_ns = ingest_join(a->ingest, (uint32_t)pid);
	/* In a container neither the session nor the library has the name that it has out here. */
	a->session.path = a->session.pid_ns ? NULL : a->session_path;
	begun_note(&a->begun, a->ingest, pid);
	e = inject_attach(pid, &a->shim, &a->session, &result, why, sizeof(why));
	if (e < 0) {
		a->begun.n = begun_before;
		snprintf(err, err_size, "cannot attach to process %d: %s", (int)pid, why);
		return e;
	}
	if (a->inside_n < FIND_MAX)
		a->inside[a->inside_n++] = pid;
	begun_note(&a->begun, a->ingest, pid);
	(void)existing_tell(pid, a->start_ns, tell, a);
	begun_tell(&a->begun, a->ingest);
	tls_watch_process(a->tls, pid);
	if (!a->settings.quiet)
		complain("watching process %d (thread %d was held for %.1f ms)", (int)pid, (int)result.thread,
			 (double)result.stall_ns / 1e6);
	return 0;
}

/* All processes of the target; those that cannot be entered are said, and are an error only if nobody is left. */
static int enter_all(struct attach *a, char *err, size_t err_size)
{
	int first = 0;

	a->tls = tls_watch_new(a->ingest);
	for (size_t i = 0; i < a->found.n; i++) {
		char why[512];
		const int e = has_slot(a, a->found.pids[i]) ? 0 : enter(a, a->found.pids[i], why, sizeof(why));

		if (e == 0)
			continue;
		if (first == 0)
			snprintf(err, err_size, "%s", why);
		first = first ? first : e;
		/* Alone it is the answer; among others it belongs into the report. */
		if (a->found.n > 1)
			note(a, a->found.pids[i], why);
	}
	return a->inside_n ? 0 : first;
}

/* A watched process went on to a program that the shim did not come along to: in a container it cannot be found by name, and static ones load
 * none. Others load it by themselves. */
static void follow(struct attach *a, pid_t pid)
{
	struct check_verdict v;
	const char *other_way;
	char why[512];

	if (!by_kernel(pid, &v, &other_way) && ingest_join(a->ingest, (uint32_t)pid) == 0)
		return;
	if (enter(a, pid, why, sizeof(why)) == 0)
		snprintf(why, sizeof(why),
			 "process %d went on to another program, which the shim does not come along to: it is watched "
			 "again, but what it did at first was not seen",
			 (int)pid);
	else if (kill(pid, 0) < 0)
		return;
	note(a, pid, why);
}

/* Children that were forked while their parent was being entered have no shim yet. */
static void look(void *ctx)
{
	struct attach *a = ctx;
	const size_t before = a->found.n;
	char why[512];

	uint32_t silent;

	begun_tell(&a->begun, a->ingest);
	while ((silent = ingest_silent(a->ingest, SILENT_NS)) != 0)
		follow(a, (pid_t)silent);
	if (find_children(&a->found) == 0)
		return;
	for (size_t i = before; i < a->found.n; i++)
		if (!has_slot(a, a->found.pids[i]) && enter(a, a->found.pids[i], why, sizeof(why)) < 0 &&
		    kill(a->found.pids[i], 0) == 0)
			note(a, a->found.pids[i], why);
}

/* Every process that speaks in this session: those that were entered, and what they forked. */
static void leave(void *ctx)
{
	struct attach *a = ctx;
	for (uint32_t i = 0; i < ingest_shared(a->ingest)->process_max; i++) {
		const pid_t pid = (pid_t)ingest_process(a->ingest, i);
		struct inject_result result;
		char why[256];

		if (pid <= 0 || probing_has(a->probing, pid))
			continue;

		const int e = inject_detach(pid, &result, why, sizeof(why));

		if (e < 0 && e != -ENOENT && e != -ESRCH && kill(pid, 0) == 0)
			complain("process %d keeps a shim that is switched off: %s", (int)pid, why);
	}
}

static void finish(struct attach *a)
{
	const struct settings *s = &a->settings;
	const uint64_t end_ns = ingest_now_ns(a->ingest);

	session_finish(a->pipeline.session, end_ns);
	pipeline_end_recording(&a->pipeline, a->settings.record, end_ns);
	pipeline_report(&a->pipeline, s->report, "text", s->quiet ? NULL : stderr);
	pipeline_metrics(&a->pipeline, end_ns);
	outputs_close(&a->pipeline.outputs, FLUSH_MS, true);
}

static int watch(struct attach *a, char *err, size_t err_size)
{
	char path[PATH_MAX];
	struct live_attached attached = {.duration_ms = a->settings.attach.duration_ms, .look = look, .leave = leave, .ctx = a};
	struct live live = {
		.pipeline = &a->pipeline,
		.child = &a->child,
		.handover = -1,
		.report = a->settings.report,
		.report_every_ms = a->settings.report_every_s * 1000U,
		.attached = &attached,
	};
	int e = child_signals(&a->child);

	if (e < 0) {
		snprintf(err, err_size, "cannot take over the signals: %s", strerror(-e));
		return e;
	}
	if ((e = shim_find(path, sizeof(path), err, err_size)) < 0 || (e = inject_open(path, &a->shim, err, err_size)) < 0 ||
	    (e = open_session(a, err, err_size)) < 0 || (e = enter_all(a, err, err_size)) < 0)
		goto out;
	/* All files are open. */
	a->tcp = tcp_watch_new(a->ingest, &(struct tcp_watch_options){.now = a->probing != NULL, .drop = true});
	live.tcp = a->tcp;
	live.ingest = a->ingest;
	live.proving = a->proving;
	if (a->settings.with_parent)
		child_end_with_parent();
	if ((e = live_run(&live)) < 0) {
		complain("cannot run the event loop: %s", strerror(-e));
		proving_end(a->proving, false);
		leave(a);
		e = 0;
	}
	finish(a);
out:
	outputs_close(&a->pipeline.outputs, 0, false);
	child_done(&a->child);
	return e;
}

static int cmd_attach(int argc, char **argv)
{
	char err[512];
	struct attach *a = calloc(1, sizeof(*a));
	struct find_query query;
	int status = EXIT_USAGE;

	if (!a) {
		complain("out of memory");
		return EXIT_USAGE;
	}
	a->shim.fd = -1;
	flags_first(attach_flags, argc, argv);

	const int operand = settings_load(&a->settings, attach_flags, argc, argv, err, sizeof(err));

	if (operand < 0 || read_query(a, argc, argv, operand, &query, err, sizeof(err)) < 0 ||
	    find_target(&query, &a->found, err, sizeof(err)) < 0)
		complain("%s", err);
	else if (pipeline_init(&a->pipeline) < 0)
		complain("out of memory");
	else if (watch(a, err, sizeof(err)) < 0)
		complain("%s", err);
	else
		status = 0;
	pipeline_done(&a->pipeline);
	tcp_watch_free(a->tcp);
	tls_watch_free(a->tls);
	probing_close(a->probing);
	proving_close(a->proving);
	ingest_free(a->ingest);
	inject_close(&a->shim);
	settings_done(&a->settings);
	free(a);
	return status;
}

const struct command cmd_attach_entry = {
	.name = "attach",
	.usage = "[options] PID | --name COMM | --port N | --cgroup PATH | --unit UNIT | --label KEY",
	.doc = "watch a service that is running already",
	.text = "Puts the shim into the running processes of a service, without a restart, and watches them and what they start. "
		"On "
		"SIGINT or "
		"SIGTERM, after --duration, or when the service has ended, it takes the shim out of use again and writes the "
		"report.\n"
		"\n"
		"One thread of the service is held for some milliseconds while the shim is put in. Connections that were open "
		"before "
		"are known "
		"with their peers and options. Needs to be the service's user or root, and a dynamically linked glibc program for "
		"x86-64; "
		"whatever stands against it is said in one line, with exit status 2, and the service is not touched.",
	.flags = attach_flags,
	.run = cmd_attach,
};
