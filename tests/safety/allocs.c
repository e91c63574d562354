/*
 * Allocation in every way and at every time: before and after main, in threads, signal handlers and destructors, beside a fork, by libc on the
 * program's behalf, and what fails. Contents, alignment and errno are checked. Under `watch --alloc N`, with any allocator.
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "claim.h"

#define THREADS 4
#define ROUNDS 20000
#define SLOTS 64
#define FORKS 20

static char *early; /* of the constructor, freed by the destructor */
static pthread_key_t key;
static volatile sig_atomic_t handled;
static volatile int stop;

__attribute__((constructor(101))) static void before_main(void)
{
	early = malloc(100000);
	CHECK(early != NULL);
	memset(early, 'e', 100000);
}

__attribute__((destructor(101))) static void after_main(void)
{
	for (int i = 0; i < 100000; i++)
		CHECK(early[i] == 'e');
	free(early);
	early = malloc(200000);
	CHECK(early != NULL);
	free(early);
}

static void fill(unsigned char *p, size_t n, unsigned int tag)
{
	for (size_t i = 0; i < n; i += 61)
		p[i] = (unsigned char)(tag + i);
}

static void look(const unsigned char *p, size_t n, unsigned int tag)
{
	for (size_t i = 0; i < n; i += 61)
		CHECK(p[i] == (unsigned char)(tag + i));
}

static void *some(unsigned int kind, size_t n)
{
	void *p = NULL;

	switch (kind % 5) {
	case 0:
		return malloc(n);
	case 1:
		p = calloc(n / 16 + 1, 16);
		for (size_t i = 0; i < n; i++)
			CHECK(((char *)p)[i] == 0);
		return p;
	case 2:
		CHECK(posix_memalign(&p, 64, n) == 0);
		CHECK((uintptr_t)p % 64 == 0);
		return p;
	case 3:
		p = aligned_alloc(64, (n + 63) / 64 * 64);
		CHECK((uintptr_t)p % 64 == 0);
		return p;
	default:
		return memalign(4096, n);
	}
}

static void *work(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	struct {
		unsigned char *p;
		size_t n;
		unsigned int tag;
	} slot[SLOTS] = {{0}};

	CHECK(pthread_setspecific(key, malloc(5000)) == 0);
	for (unsigned int i = 0; i < ROUNDS && !(arg == NULL && stop); i++) {
		const unsigned int at = (seed = seed * 1103515245 + 12345) >> 16 & (SLOTS - 1);
		const size_t n = (seed >> 8) % 3000 + 1;

		if (slot[at].p != NULL && i % 3 == 0) {
			const size_t least = n < slot[at].n ? n : slot[at].n;
			unsigned char *p = realloc(slot[at].p, n);

			CHECK(p != NULL);
			look(p, least, slot[at].tag);
			slot[at].p = p;
		} else {
			if (slot[at].p != NULL)
				look(slot[at].p, slot[at].n, slot[at].tag);
			errno = 77;
			free(slot[at].p);
			CHECK(errno == 77);
			slot[at].p = some(i, n);
			CHECK(slot[at].p != NULL);
		}
		slot[at].n = n;
		slot[at].tag = i;
		fill(slot[at].p, n, i);
	}
	for (int i = 0; i < SLOTS; i++)
		free(slot[i].p);
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
	for (int i = 0; i < 50; i++)
		free(malloc(3000));
	handled++;
}

static void by_libc(void)
{
	char *line = malloc(16), *text = NULL;
	size_t size = 16, length = 0;
	FILE *f = open_memstream(&text, &length);

	CHECK(f != NULL && line != NULL);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "%d %0*d\n", i, i, 7);
	CHECK(fclose(f) == 0 && length > 100000);
	f = fmemopen(text, length, "r");
	CHECK(f != NULL);
	while (getline(&line, &size, f) > 0) { /* libc makes our block larger */
		char *copy = strdup(line);

		CHECK(copy != NULL && strcmp(copy, line) == 0);
		free(copy);
	}
	fclose(f);
	free(text);
	free(line);
}

static void failures(void)
{
	volatile size_t huge = (size_t)-1;
	void *p = malloc(100);

	CHECK(malloc(huge / 2 + 1) == NULL);
	/* Not all allocators set errno in these. */
	CHECK(calloc(huge / 2, 4) == NULL);
	CHECK(realloc(p, huge / 2 + 1) == NULL);
	memset(p, 1, 100); /* still ours */
	p = reallocarray(p, 100, 10);
	CHECK(p != NULL);
	CHECK(reallocarray(p, huge / 2, 4) == NULL);
	free(p);
	free(NULL);
	CHECK(munmap((void *)1, 4096) == -1 && errno == EINVAL);
}

static void mappings(void)
{
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	p[0] = 'x';
	p = mremap(p, 1 << 20, 4 << 20, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && p[0] == 'x');
	CHECK(munmap(p + 4096, 4096) == 0);
	CHECK(munmap(p, 4 << 20) == 0);
}

static void forks(void)
{
	for (int i = 0; i < FORKS; i++) {
		const pid_t child = fork();
		int status;

		CHECK(child >= 0);
		if (child == 0) {
			for (int k = 0; k < 1000; k++)
				free(malloc(2000));
			free(malloc(1000000));
			_exit(7);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
}

int main(void)
{
	pthread_t threads[THREADS];

	CHECK(pthread_key_create(&key, free) == 0);
	CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
	forks();
	by_libc();
	failures();
	mappings();
	for (int i = 0; i < 20; i++)
		raise(SIGUSR1);
	CHECK(handled == 20);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	puts("done");
	return 0;
}
