/* More processes at once than there are process slots: those without one run unwatched, and unharmed. */
#include <sys/wait.h>

#include "claim.h"

#define CHILDREN 300

int main(void)
{
	int start[2], pair[2], status;
	char byte;

	CHECK(pipe(start) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int i = 0; i < CHILDREN; i++) {
		const pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0) {
			int own[2];

			CHECK(close(start[1]) == 0);
			CHECK(read(start[0], &byte, 1) == 0); /* until the parent closes its end: all are alive */
			CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, own) == 0);
			ping(own, 10);
			_exit(i % 200);
		}
	}
	close(start[1]);
	status = 0;
	for (int i = 0; i < CHILDREN; i++) {
		int one;

		CHECK(wait(&one) > 0 && WIFEXITED(one));
		status += WEXITSTATUS(one);
	}
	CHECK(status == 199 * 200 / 2 + 99 * 100 / 2);
	ping(pair, 10);
	puts("done");
	return 0;
}
