/* Built with AddressSanitizer: the shim's copies of the stack and of what is passed are none of the program's mistakes. */
#include <pthread.h>
#include <sys/socket.h>

#include "claim.h"

#define THREADS 4
#define ROUNDS 50

/* Gaps between these are poisoned, and lie in what a snapshot of the stack has. */
static void *talk(void *unused)
{
	volatile char before[40] = {1}, between[99] = {1};
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int i = 0; i < ROUNDS; i++)
		ping(pair, 1);
	close(pair[0]);
	close(pair[1]);
	CHECK(before[0] == 1 && between[0] == 1);
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, talk, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	claim("READ", THREADS * ROUNDS);
	puts("done");
	return 0;
}
