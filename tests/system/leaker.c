/*
 * Leaks of known size for alloc.py: leaker ROUNDS SLEEP_US. At its end it says what each function allocated and never freed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define LARGE 3000
#define TEXT 1500
#define SMALL 700
#define WORK 2000
#define WORK_TIMES 8
#define POOL 100

static char *pool[POOL];
static unsigned long rounds;

/* All go through it: findings must tell them apart all the same. */
NOINLINE static void *get(size_t n)
{
	char *p = malloc(n);

	if (p == NULL)
		abort();
	p[0] = 1;
	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

NOINLINE static void leak_large(void)
{
	(void)get(LARGE);
	__asm__ volatile("");
}

NOINLINE static void leak_text(void)
{
	static char text[TEXT];

	memset(text, 'x', sizeof text - 1);
	char *copy = strdup(text);

	__asm__ volatile("" : : "r"(copy) : "memory");
}

NOINLINE static void leak_small(void)
{
	(void)get(SMALL);
	__asm__ volatile("");
}

NOINLINE static void give_back(void)
{
	free(get(WORK));
	__asm__ volatile("");
}

NOINLINE static void keep_some(unsigned long round)
{
	free(pool[round % POOL]);
	pool[round % POOL] = get(WORK);
}

int main(int argc, char **argv)
{
	const unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	const unsigned int pause_us = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;

	for (; rounds < n; rounds++) {
		leak_large();
		leak_text();
		leak_small();
		for (int i = 0; i < WORK_TIMES; i++)
			give_back();
		keep_some(rounds);
		if (pause_us)
			usleep(pause_us);
	}
	for (int i = 0; i < POOL; i++)
		free(pool[i]);
	printf("leak_large %lu %lu\nleak_text %lu %lu\nleak_small %lu %lu\ngive_back %lu 0\nkeep_some %lu 0\n", n * LARGE,
	       n * LARGE, n * TEXT, n * TEXT, n * SMALL, n * SMALL, n * WORK * WORK_TIMES, n * WORK);
	return 0;
}
