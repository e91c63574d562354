/* What daemons and launchers do to descriptors: close all there are, double close, dup over, exec with them, again and again. */
#include <sys/wait.h>

#include "claim.h"

static void child(int how, char **argv)
{
	int pair[2];

	if (how == 0) {
		for (int fd = 3; fd < 2000; fd++)
			close(fd);
	} else if (how == 1) {
		CHECK(close_range(3, ~0U, 0) == 0);
	} else {
		closefrom(3);
	}
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pair[0] == 3 && pair[1] == 4);
	ping(pair, 5);
	CHECK(close(3) == 0 && close(3) == -1 && errno == EBADF);
	CHECK(dup2(4, 3) == 3 && dup2(3, 3) == 3 && dup3(4, 5, O_CLOEXEC) == 5);
	CHECK(dup2(77, 6) == -1 && errno == EBADF);
	CHECK(dup3(4, 4, 0) == -1 && errno == EINVAL);
	if (how < 2)
		_exit(0);
	execl("/proc/self/exe", argv[0], "3", (char *)NULL);
	_exit(99);
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 1) { /* a chain of images, each with one descriptor more */
		const int depth = atoi(argv[1]);
		char next[16];

		CHECK(dup(0) == depth + 2);
		if (depth >= 40)
			return 0;
		snprintf(next, sizeof next, "%d", depth + 1);
		CHECK(fcntl(5, F_GETFD) == 0);
		execl("/proc/self/exe", argv[0], next, (char *)NULL);
		_exit(99);
	}
	for (int how = 0; how < 3; how++) {
		const pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0)
			child(how, argv);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	puts("done");
	return 0;
}
