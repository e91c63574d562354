/*
 * Pairs of malloc and free for alloc_cost.py: prints for each size the fewest ns of thread time for one pair, over several short rounds, in
 * which all sizes have their turn. alloc_pair ROUNDS SIZE….
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifndef PAIRS
#define PAIRS 250000
#endif
#define SIZES_MAX 16

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double one_round(size_t size)
{
	const double begun = now_ns();

	for (int i = 0; i < PAIRS; i++) {
		void *p = malloc(size);

		__asm__ volatile("" : : "r"(p) : "memory");
		free(p);
	}
	return (now_ns() - begun) / PAIRS;
}

int main(int argc, char **argv)
{
	const unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	double least[SIZES_MAX] = {0};

	for (unsigned long r = 0; r < rounds; r++) {
		for (int i = 2; i < argc && i - 2 < SIZES_MAX; i++) {
			const double each = one_round(strtoul(argv[i], NULL, 10));

			if (r == 0 || each < least[i - 2])
				least[i - 2] = each;
		}
	}
	for (int i = 2; i < argc && i - 2 < SIZES_MAX; i++)
		printf("%s %.2f\n", argv[i], least[i - 2]);
	return 0;
}
