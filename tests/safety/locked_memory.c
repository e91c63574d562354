/* A program that locks all its memory locks little of ours: rings that no thread has are not filled. Its threads are watched all the same. */
#include <pthread.h>
#include <sys/mman.h>

#include "claim.h"

#define RESIDENT_MAX_KB (128UL << 10) /* the tables are 16 MiB; all rings would be 512 */

static unsigned long resident_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long kb = 0;
	char line[256];

	CHECK(f != NULL);
	while (fgets(line, sizeof line, f) && sscanf(line, "VmRSS: %lu", &kb) != 1)
		;
	CHECK(fclose(f) == 0);
	return kb;
}

static void *talk(void *arg)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ping(pair, 100);
	return arg;
}

int main(void)
{
	pthread_t threads[4];

	/* Where it is not permitted, there is nothing to see. */
	if (mlockall(MCL_CURRENT) == 0)
		CHECK(resident_kb() < RESIDENT_MAX_KB);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, talk, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(munlockall() == 0);
	puts("done");
	return 0;
}
