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
#include "commands/shim.h"
#include "commands/target.h"
#include "commands/watching.h"
#include "wire/shared.h"

#define SILENT_NS 1000000000ULL /* a program that was started so long ago and says nothing does so without the shim */

struct attach {
	struct watching w;
	struct inject_shim shim;
	struct inject_session session;
	struct find_result found;
	char session_path[64];
	pid_t inside[FIND_MAX]; /* where the shim was put */
	size_t inside_n;
	struct begun begun;
};

/* The operand and flags into a query; exactly one of them must be given. */
static int read_query(struct attach *a, int argc, char **argv, int operand, struct find_query *ret, char *err, size_t err_size)
{
	const struct attach_settings *s = &a->w.settings.attach;
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
	char exe[PATH_MAX];
	struct check_verdict v;
	const char *why;
	const pid_t pid = a->found.pids[0];
	const struct proving_of service = {.pid = pid, .by_kernel = a->w.settings.prove && by_kernel(pid, &v, &why)};
	int e;

	read_exe(pid, exe, sizeof(exe));
	watching_name(&a->w, exe);
	if ((e = watching_open(&a->w, exe, &service, err, err_size)) < 0)
		return e;
	snprintf(a->session_path, sizeof(a->session_path), "/proc/%d/fd/%d", (int)getpid(), ingest_fd(a->w.ingest));
	a->session = (struct inject_session){.fd = ingest_fd(a->w.ingest)};
	return e;
}

static bool has_slot(struct attach *a, pid_t pid)
{
	for (uint32_t i = 0; i < ingest_shared(a->w.ingest)->process_max; i++)
		if (ingest_process(a->w.ingest, i) == (uint32_t)pid)
			return true;
	return false;
}

/* What was open before comes in front of all that is seen; a state that was looked up just now, at its place in the stream. */
static void tell(void *ctx, const struct event *e)
{
	struct attach *a = ctx;
	const struct wire_record r = {.event = e->id,
				      .units = 1,
				      .t0 = e->t0,
				      .t1 = e->t1,
				      .fd = e->fd,
				      .a0 = e->a0,
				      .flags = e->flags,
				      .data_len = e->data_len};

	if (e->id == WIRE_OUTSTANDING || e->id == WIRE_CONNECTING)
		ingest_push(a->w.ingest, e->pid, e->tid, &r, e->data);
	else
		pipeline_event(&a->w.pipeline, e);
}

/* Where the shim cannot enter: by probes in the kernel. `shim_why` says why. */
static int probe(struct attach *a, pid_t pid, const char *shim_why, char *err, size_t err_size)
{
	char why[400];
	int e = a->w.probing ? 0 : probing_open(a->w.ingest, false, &a->w.probing, why, sizeof(why));

	if (e == 0)
		e = probing_watch(a->w.probing, pid, why, sizeof(why));
	if (e < 0) {
		snprintf(err, err_size, "cannot attach to process %d: %.200s; nor can probes in the kernel (eBPF) watch it: %.200s",
			 (int)pid, shim_why, why);
		return e;
	}
	if (a->inside_n < FIND_MAX)
		a->inside[a->inside_n++] = pid;
	(void)existing_tell(pid, a->w.start_ns, tell, a);
	tls_watch_process(a->w.tls, pid);
	char who[32];
	snprintf(who, sizeof(who), "process %d", (int)pid);
	(void)probing_says(a->w.probing, who, shim_why, why, sizeof(why));
	watching_note(&a->w, pid, why);
	if (!a->w.settings.quiet)
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
	if (v.watchable && a->w.settings.alloc && !a->w.settings.prove && has_allocator(pid) &&
	    probe(a, pid, target_why(TARGET_ALLOCATOR), err, err_size) == 0)
		return 0;
	if (!v.watchable) {
		snprintf(err, err_size, "cannot attach to process %d: %s", (int)pid, v.why);
		return -EPERM;
	}
	const size_t begun_before = a->begun.n;

	a->session.pid_ns = ingest_join(a->w.ingest, (uint32_t)pid);
	/* In a container neither the session nor the library has the name that it has out here. */
	a->session.path = a->session.pid_ns ? NULL : a->session_path;
	begun_note(&a->begun, a->w.ingest, pid);
	e = inject_attach(pid, &a->shim, &a->session, &result, why, sizeof(why));
	if (e < 0) {
		a->begun.n = begun_before;
		snprintf(err, err_size, "cannot attach to process %d: %s", (int)pid, why);
		return e;
	}
	if (a->inside_n < FIND_MAX)
		a->inside[a->inside_n++] = pid;
	begun_note(&a->begun, a->w.ingest, pid);
	(void)existing_tell(pid, a->w.start_ns, tell, a);
	begun_tell(&a->begun, a->w.ingest);
	tls_watch_process(a->w.tls, pid);
	if (!a->w.settings.quiet)
		complain("watching process %d (thread %d was held for %.1f ms)", (int)pid, (int)result.thread,
			 (double)result.stall_ns / 1e6);
	return 0;
}

/* All processes of the target; those that cannot be entered are said, and are an error only if nobody is left. */
static int enter_all(struct attach *a, char *err, size_t err_size)
{
	int first = 0;

	a->w.tls = tls_watch_new(a->w.ingest);
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
			watching_note(&a->w, a->found.pids[i], why);
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

	if (!by_kernel(pid, &v, &other_way) && ingest_join(a->w.ingest, (uint32_t)pid) == 0)
		return;
	if (enter(a, pid, why, sizeof(why)) == 0)
		snprintf(why, sizeof(why),
			 "process %d went on to another program, which the shim does not come along to: it is watched "
			 "again, but what it did at first was not seen",
			 (int)pid);
	else if (kill(pid, 0) < 0)
		return;
	watching_note(&a->w, pid, why);
}

/* Children that were forked while their parent was being entered have no shim yet. */
static void look(void *ctx)
{
	struct attach *a = ctx;
	const size_t before = a->found.n;
	char why[512];

	uint32_t silent;

	begun_tell(&a->begun, a->w.ingest);
	while ((silent = ingest_silent(a->w.ingest, SILENT_NS)) != 0)
		follow(a, (pid_t)silent);
	if (find_children(&a->found) == 0)
		return;
	for (size_t i = before; i < a->found.n; i++)
		if (!has_slot(a, a->found.pids[i]) && enter(a, a->found.pids[i], why, sizeof(why)) < 0 &&
		    kill(a->found.pids[i], 0) == 0)
			watching_note(&a->w, a->found.pids[i], why);
}

/* Every process that speaks in this session: those that were entered, and what they forked. */
static void leave(void *ctx)
{
	struct attach *a = ctx;
	for (uint32_t i = 0; i < ingest_shared(a->w.ingest)->process_max; i++) {
		const pid_t pid = (pid_t)ingest_process(a->w.ingest, i);
		struct inject_result result;
		char why[256];

		if (pid <= 0 || probing_has(a->w.probing, pid))
			continue;

		const int e = inject_detach(pid, &result, why, sizeof(why));

		if (e < 0 && e != -ENOENT && e != -ESRCH && kill(pid, 0) == 0)
			complain("process %d keeps a shim that is switched off: %s", (int)pid, why);
	}
}

static int watch(struct attach *a, char *err, size_t err_size)
{
	char path[PATH_MAX];
	struct live_attached attached = {.duration_ms = a->w.settings.attach.duration_ms, .look = look, .leave = leave, .ctx = a};
	struct live live = {
		.pipeline = &a->w.pipeline,
		.child = &a->w.child,
		.handover = -1,
		.report = a->w.settings.report,
		.report_every_ms = a->w.settings.report_every_s * 1000U,
		.attached = &attached,
	};
	int e = child_signals(&a->w.child);

	if (e < 0) {
		snprintf(err, err_size, "cannot take over the signals: %s", strerror(-e));
		return e;
	}
	if ((e = shim_find(path, sizeof(path), err, err_size)) < 0 || (e = inject_open(path, &a->shim, err, err_size)) < 0 ||
	    (e = open_session(a, err, err_size)) < 0 || (e = enter_all(a, err, err_size)) < 0)
		goto out;
	/* All files are open. */
	a->w.tcp = tcp_watch_new(a->w.ingest, &(struct tcp_watch_options){.now = a->w.probing != NULL, .drop = true});
	live.tcp = a->w.tcp;
	live.ingest = a->w.ingest;
	live.proving = a->w.proving;
	if (a->w.settings.with_parent)
		child_end_with_parent();
	if ((e = live_run(&live)) < 0) {
		complain("cannot run the event loop: %s", strerror(-e));
		proving_end(a->w.proving, false);
		leave(a);
		e = 0;
	}
	watching_finish(&a->w);
out:
	outputs_close(&a->w.pipeline.outputs, 0, false);
	child_done(&a->w.child);
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

	const int operand = settings_load(&a->w.settings, attach_flags, argc, argv, err, sizeof(err));

	if (operand < 0 || read_query(a, argc, argv, operand, &query, err, sizeof(err)) < 0 ||
	    find_target(&query, &a->found, err, sizeof(err)) < 0)
		complain("%s", err);
	else if (pipeline_init(&a->w.pipeline) < 0)
		complain("out of memory");
	else if (watch(a, err, sizeof(err)) < 0)
		complain("%s", err);
	else
		status = 0;
	watching_done(&a->w);
	inject_close(&a->shim);
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
