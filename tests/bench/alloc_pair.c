/*
 * Pairs of malloc and free for alloc_cost.py: prints the fewest ns of thread time for one pair, over several rounds. alloc_pair SIZE ROUNDS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAIRS 1000000

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	const size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	const unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 10;
	double least = 0;

	for (unsigned long r = 0; r < rounds; r++) {
		const double begun = now_ns();

		for (int i = 0; i < PAIRS; i++) {
			void *p = malloc(size);

			__asm__ volatile("" : : "r"(p) : "memory");
			free(p);
		}
		const double each = (now_ns() - begun) / PAIRS;
		if (r == 0 || each < least)
			least = each;
	}
	printf("%.2f\n", least);
	return 0;
}
