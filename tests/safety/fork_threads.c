/* Children are forked while other threads are inside hooked calls; each child and the parent go on undisturbed. */
#include <pthread.h>
#include <sys/wait.h>

#include "claim.h"

#define CHILDREN 150
#define THREADS 4
#define PINGS 2000

static void *busy(void *unused)
{
	int pair[2];

	(void)unused;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ping(pair, PINGS);
	close(pair[0]);
	close(pair[1]);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	int pair[2], status;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, busy, NULL) == 0);
	for (int i = 0; i < CHILDREN; i++) {
		const pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0) {
			int own[2];

			CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, own) == 0);
			ping(own, 3);
			CHECK(getppid() > 1);
			_exit(7);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	ping(pair, 5);
	claim("FORK", CHILDREN);
	claim("FORK_CHILD", CHILDREN);
	claim("WRITE", THREADS * PINGS + CHILDREN * 3 + 5);
	claim("READ", THREADS * PINGS + CHILDREN * 3 + 5);
	puts("done");
	return 0;
}
