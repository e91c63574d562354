/*
 * watch LIB [-q] [-s] CMD…: runs a command with the shim and prints every record. A tool for the one who works on the shim; also the
 * runner of its tests: the exit status is the command's, and the last line on stderr is what was published and lost.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "preload/session_file.h"

static const char *const names[SESSION_EVENTS] = {
#define EVENT(number, name, family, text) [number] = #name,
#include "wire/events.def"
#undef EVENT
};

static void print_record(void *ctx, const struct wire_thread *t, const struct wire_record *r, const uint8_t *data)
{
	(void)ctx;
	fprintf(stderr, "%u/%u %-14s seq=%u fd=%d ret=%lld err=%u flags=%x a0=%llx a1=%llx dt=%llu site=%x len=%u ", t->pid, t->tid,
		names[r->event] ? names[r->event] : "?", r->seq, r->fd, (long long)r->ret, r->err, r->flags,
		(unsigned long long)r->a0, (unsigned long long)r->a1, (unsigned long long)(r->t1 - r->t0), r->site, r->data_len);
	for (uint32_t i = 0; i < r->data_len && i < 60; i++)
		fputc(data[i] >= 32 && data[i] < 127 ? data[i] : '.', stderr);
	fputc('\n', stderr);
}

int main(int argc, char **argv)
{
	struct session_file s;
	const char *lib;
	int status = 0;
	int at = 2;
	bool quiet = false;
	bool stacks = false;
	pid_t pid;

	if (argc < 3)
		return 2;
	lib = argv[1];
	while (at < argc && argv[at][0] == '-') {
		quiet = quiet || strcmp(argv[at], "-q") == 0;
		stacks = stacks || strcmp(argv[at], "-s") == 0;
		at++;
	}
	if (at >= argc || session_open(&s, 256, 512, 128 * 1024) != 0)
		return 2;
	atomic_store(&s.header->stacks, stacks);
	if (!quiet)
		s.each = print_record;
	pid = fork();
	if (pid < 0)
		return 2;
	if (pid == 0) {
		setenv("LD_PRELOAD", lib, 1);
		setenv(WIRE_ENV_SESSION, s.path, 1);
		execvp(argv[at], argv + at);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		const struct timespec pause = {.tv_nsec = 1000000};

		if (!session_drain(&s))
			nanosleep(&pause, NULL);
	}
	session_drain(&s);
	fprintf(stderr, "published %llu read %llu lost %llu corrupt %llu\n", (unsigned long long)session_published(&s),
		(unsigned long long)s.records, (unsigned long long)session_lost(&s, WIRE_LOSS_CAUSES),
		(unsigned long long)s.corrupt);
	session_close(&s);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
