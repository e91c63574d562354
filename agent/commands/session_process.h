/*
 * A session in a process of its own: another gapscope that watches one service and writes its report every second, while we read it. What
 * goes wrong there ends that session only.
 *
 * Owner: the command, on its libuv loop; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_SESSION_PROCESS_H
#define GAPSCOPE_COMMANDS_SESSION_PROCESS_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <uv.h>

struct session_process {
	uv_process_t process;
	char report[PATH_MAX];       /* the file */
	bool started, exited, asked; /* asked: we told it to end */
	int status;
	void (*on_exit)(struct session_process *o);
	void *user;
};

/* A private folder for reports, in TMPDIR or /tmp: "…/gapscope-NAME-XXXXXX". 0, or -errno with a line in err. */
int session_folder(const char *name, char *buf, size_t size, char *err, size_t err_size);
/*
 * Start `gapscope WORDS…` (ends with NULL) in a process group of its own; WORDS name o->report, which must be set. A watched program gets
 * our standard input and output when `foreground`. 0, or -errno with a line in err.
 */
int session_process_start(struct session_process *o, uv_loop_t *loop, char **words, bool foreground, char *err, size_t err_size);
/* Tell it to end: it writes its report, and passes the signal on to a program that it started. */
void session_process_stop(struct session_process *o);
/* It and what it started are killed: for those who do not end when told. */
void session_process_kill(struct session_process *o);
/* The report as it stands, a new object; NULL before the first. */
json_t *session_process_report(const struct session_process *o);

#endif
