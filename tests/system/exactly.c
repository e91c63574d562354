/*
 * exactly PINGS THREADS [FILE]: each thread makes PINGS writes and as many reads on a socketpair, as fast as it can, then the program ends.
 * Two runs that differ in PINGS alone differ in exactly 2 × PINGS × THREADS hooked calls. FILE: keep going until FILE exists.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS_MAX 64

static unsigned long pings;
static const char *until;

static void *work(void *unused)
{
	char bytes[64] = "sixty-four bytes of nothing";
	int pair[2];

	(void)unused;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		exit(1);
	for (unsigned long i = 0; i < pings || until != NULL; i++) {
		struct stat unused_stat;

		if (write(pair[0], bytes, sizeof bytes) != (ssize_t)sizeof bytes ||
		    read(pair[1], bytes, sizeof bytes) != (ssize_t)sizeof bytes)
			exit(1);
		if (until != NULL && i % 1000 == 0 && stat(until, &unused_stat) == 0)
			break;
	}
	close(pair[0]);
	close(pair[1]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	int count;

	if (argc < 3 || (count = atoi(argv[2])) < 1 || count > THREADS_MAX)
		return 2;
	pings = strtoul(argv[1], NULL, 10);
	until = argc > 3 ? argv[3] : NULL;
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 1;
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	puts("all done");
	return 0;
}
