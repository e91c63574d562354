/* A program that limits its own address space has as much room in it as it would have without us: its mallocs, its threads and its forked children
 * go on. */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "claim.h"

#define PINGS 200
#define THREADS 8

static unsigned long pairs;

static void limit_to(unsigned long mb, int way)
{
	const struct rlimit limit = {.rlim_cur = mb << 20, .rlim_max = RLIM_INFINITY};
	struct rlimit now;

	if (way == 0)
		CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	else if (way == 1)
		CHECK(prlimit(getpid(), RLIMIT_AS, &limit, NULL) == 0);
	else
		CHECK(syscall(SYS_prlimit64, 0, RLIMIT_AS, &limit, NULL) == 0);
	CHECK(getrlimit(RLIMIT_AS, &now) == 0 && now.rlim_cur == limit.rlim_cur);
}

static void *talk(void *unused)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ping(pair, PINGS);
	close(pair[0]);
	close(pair[1]);
	return unused;
}

/* Half of so many MB, in pieces that are mapped one by one. */
static void use(unsigned long mb)
{
	const unsigned long pieces = mb / 2;
	char **of = calloc(pieces, sizeof(*of));

	CHECK(of != NULL);
	for (unsigned long i = 0; i < pieces; i++) {
		of[i] = malloc(1UL << 20);
		CHECK(of[i] != NULL);
		of[i][0] = 1;
	}
	for (unsigned long i = 0; i < pieces; i++)
		free(of[i]);
	free(of);
	talk(NULL);
	pairs++;
}

static void in_threads(void)
{
	pthread_t threads[THREADS];
	pthread_attr_t attr;

	CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, 256 * 1024) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], &attr, talk, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	pairs += THREADS;
}

static void in_child(unsigned long mb)
{
	const pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (child == 0) {
		use(mb);
		limit_to(mb / 2, 0);
		use(mb / 4); /* what we keep for threads, 18 MB, is much of 100 MB */
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	pairs += 2;
}

/* Its limit is its own, but the memory is ours. */
static void in_vfork_child(void)
{
	const struct rlimit limit = {.rlim_cur = 64UL << 20, .rlim_max = RLIM_INFINITY};
	const pid_t child = vfork();
	int status;

	if (child == 0) {
		setrlimit(RLIMIT_AS, &limit);
		_exit(3);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

int main(void)
{
	static const unsigned long sizes_mb[] = {1000, 400, 200};

	CHECK(setrlimit(RLIMIT_AS, (const struct rlimit *)8) == -1 && errno == EFAULT);
	use(8);
	in_vfork_child();
	for (int i = 0; i < 3; i++) {
		limit_to(sizes_mb[i], i);
		use(sizes_mb[i]);
		in_threads();
		in_child(sizes_mb[i]);
	}
	claim("SOCKETPAIR", pairs);
	claim("WRITE", pairs * PINGS);
	puts("done");
	return 0;
}
