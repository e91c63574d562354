/* Hooked calls before our constructor and after everybody's destructors: from a linked library, atexit handlers and exit threads. */
#include <pthread.h>
#include <time.h>

#include "claim.h"

int plugin_answer(void);

static void *in_thread(void *unused)
{
	int pair[2];

	(void)unused;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ping(pair, 10);
	return NULL;
}

static void *forever(void *unused)
{
	int pair[2];

	(void)unused;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (;;)
		ping(pair, 1);
	return NULL;
}

static void at_exit(void)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, in_thread, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	puts("exit handler done");
}

static pthread_key_t key;

static void key_gone(void *value)
{
	int *rounds = value;

	in_thread(NULL);
	if (++*rounds < 4) /* every round of PTHREAD_DESTRUCTOR_ITERATIONS */
		pthread_setspecific(key, rounds);
}

static void *with_key(void *rounds)
{
	pthread_setspecific(key, rounds);
	return in_thread(NULL);
}

int main(void)
{
	pthread_t thread;
	int rounds = 0;

	setvbuf(stdout, NULL, _IOFBF, 65536); /* flushed by exit, after our destructor */
	CHECK(atexit(at_exit) == 0);
	CHECK(pthread_key_create(&key, key_gone) == 0);
	CHECK(pthread_create(&thread, NULL, with_key, &rounds) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(rounds == 4);
	CHECK(pthread_create(&thread, NULL, forever, NULL) == 0);
	CHECK(plugin_answer() == 42);
	puts("main done");
	return 0;
}
