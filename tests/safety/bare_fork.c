/* _Fork and clone without handlers: the child learns that it is new although no fork hook ran. */
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "claim.h"

#define ROUNDS 40

static void child_work(const int pair[2])
{
	int own[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, own) == 0);
	ping(own, 4);
	CHECK(write(pair[0], "x", 1) == 1);
	_exit(3);
}

int main(void)
{
	int pair[2], status;
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ping(pair, 1);
	for (int i = 0; i < ROUNDS; i++) {
		const pid_t child = i % 2 == 0 ? _Fork() : (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

		CHECK(child >= 0);
		if (child == 0)
			child_work(pair);
		CHECK(read(pair[1], &byte, 1) == 1 && byte == 'x');
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
		ping(pair, 1);
	}
	/* Once more from here: the parent's own ring is whole. */
	ping(pair, 10);
	claim("WRITE", 1 + 10 + ROUNDS * (4 + 1 + 1));
	claim("READ", 1 + 10 + ROUNDS * (4 + 1 + 1));
	puts("done");
	return 0;
}
