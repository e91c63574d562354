/* A vfork child closes, dups and execs on its parent's memory: the parent's descriptors and records stay as they were. */
#include <sys/wait.h>

#include "claim.h"

#define ROUNDS 40

static int wait_for(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

int main(void)
{
	int pair[2], pipes[2], status;
	char *const true_argv[] = {(char *)"true", NULL};
	char *const sh_argv[] = {(char *)"sh", (char *)"-c", (char *)"exit 5", NULL};

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(pipe(pipes) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child = vfork();

		if (child == 0) { /* the habit of launchers: close and dup, then exec */
			close(pair[0]);
			close(pair[1]);
			dup2(pipes[1], 9);
			execve("/bin/true", true_argv, (char *const[]){NULL});
			_exit(99);
		}
		CHECK(child > 0 && wait_for(child) == 0);
		ping(pair, 1);

		child = vfork();
		if (child == 0) {
			close_range(3, 1000, 0);
			_exit(4);
		}
		status = wait_for(child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 4);
		ping(pair, 1);

		child = vfork();
		if (child == 0) {
			execvp("sh", sh_argv);
			_exit(99);
		}
		status = wait_for(child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);

		child = vfork();
		if (child == 0) {
			execl("/nonexistent/program", "x", (char *)NULL);
			_exit(errno == ENOENT ? 6 : 99);
		}
		status = wait_for(child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
		CHECK(write(pipes[1], "x", 1) == 1);
	}
	ping(pair, 10);
	CHECK(fcntl(9, F_GETFD) == -1 && errno == EBADF);
	claim("READ", ROUNDS * 2 + 10);
	puts("done");
	return 0;
}
