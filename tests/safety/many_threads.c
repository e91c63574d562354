/* More threads at once than there are rings; each call is published or counted. Then as many again, on the rings of the dead. */
#include <pthread.h>

#include "claim.h"

#define THREADS 600
#define PINGS 20
#define ROUNDS 3

static pthread_barrier_t all;

static void *work(void *unused)
{
	int pair[2];

	(void)unused;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pthread_barrier_wait(&all); /* each has made its first call */
	ping(pair, PINGS);
	pthread_barrier_wait(&all);
	close(pair[0]);
	close(pair[1]);
	return NULL;
}

int main(void)
{
	static pthread_t threads[THREADS];
	pthread_attr_t attr;

	CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, 65536) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		CHECK(pthread_barrier_init(&all, NULL, THREADS) == 0);
		for (int i = 0; i < THREADS; i++)
			CHECK(pthread_create(&threads[i], &attr, work, NULL) == 0);
		for (int i = 0; i < THREADS; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
		CHECK(pthread_barrier_destroy(&all) == 0);
	}
	claim("SOCKETPAIR", THREADS * ROUNDS);
	claim("WRITE", THREADS * ROUNDS * PINGS);
	claim("READ", THREADS * ROUNDS * PINGS);
	puts("done");
	return 0;
}
