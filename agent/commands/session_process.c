/*
 * Sessions in processes of their own (session_process.h).
 */
#include "commands/session_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/report.h"

int session_folder(const char *name, char *buf, size_t size, char *err, size_t err_size)
{
	const char *tmp = getenv("TMPDIR");
	const char *in = tmp && *tmp == '/' ? tmp : "/tmp";

	if ((size_t)snprintf(buf, size, "%s/gapscope-%s-XXXXXX", in, name) < size && mkdtemp(buf))
		return 0;
	const int e = -errno;
	snprintf(err, err_size, "cannot make a folder in %s: %s", in, strerror(-e));
	buf[0] = '\0';
	return e ? e : -ENAMETOOLONG;
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
	struct session_process *o = process->data;

	o->exited = true;
	o->status = signal ? 128 + signal : (int)status;
	uv_close((uv_handle_t *)process, NULL);
	if (o->on_exit)
		o->on_exit(o);
}

int session_process_start(struct session_process *o, uv_loop_t *loop, char **words, bool foreground, char *err, size_t err_size)
{
	uv_stdio_container_t stdio[3];
	const uv_process_options_t options = {
		.file = "/proc/self/exe",
		.args = words,
		.flags = UV_PROCESS_DETACHED,
		.exit_cb = on_exit_of,
		.stdio_count = 3,
		.stdio = stdio,
	};

	for (int fd = 0; fd < 3; fd++) {
		stdio[fd].flags = foreground || fd == STDERR_FILENO ? UV_INHERIT_FD : UV_IGNORE;
		stdio[fd].data.fd = fd;
	}
	o->process.data = o;
	o->exited = o->asked = false;

	const int e = uv_spawn(loop, &o->process, &options);

	if (e < 0) {
		uv_close((uv_handle_t *)&o->process, NULL);
		snprintf(err, err_size, "cannot start a session: %s", uv_strerror(e));
		return e;
	}
	o->started = true;
	return 0;
}

void session_process_stop(struct session_process *o)
{
	if (!o->started || o->exited || o->asked)
		return;
	o->asked = true;
	uv_process_kill(&o->process, SIGTERM);
}

void session_process_kill(struct session_process *o)
{
	if (o->started && !o->exited)
		kill(-o->process.pid, SIGKILL);
}

json_t *session_process_report(const struct session_process *o)
{
	json_t *report = NULL;
	char err[256];

	return access(o->report, R_OK) == 0 && report_load(o->report, &report, err, sizeof(err)) == 0 ? report : NULL;
}
