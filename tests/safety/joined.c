/* LD_PRELOAD is already set: the library that was there keeps seeing each call, its children too. */
#include <dlfcn.h>
#include <sys/wait.h>

#include "claim.h"

#define PINGS 1000

static unsigned long beside(void)
{
	unsigned long (*count)(void);

	*(void **)&count = dlsym(RTLD_DEFAULT, "beside_count");
	CHECK(count != NULL);
	return count();
}

int main(int argc, char **argv)
{
	unsigned long before;
	int pair[2], status;
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	before = beside();
	ping(pair, PINGS);
	CHECK(beside() - before == PINGS);
	if (argc > 1)
		return 0;
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		execl("/proc/self/exe", argv[0], "again", (char *)NULL);
		_exit(99);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	claim("WRITE", PINGS * 2);
	puts("done");
	return 0;
}
