/*
 * Pairs of malloc and free for alloc_cost.py: alloc_pair ROUNDS SIZE…. Prints for each size, in ns of thread time for one pair: the fewest, over
 * several short rounds; what they cost beyond calls that go past every hook, in rounds that lie side by side (their median); and the same of the
 * first pairs of all.
 *
 * The calls past the hooks are the allocator's own functions by their addresses: a host that is slower for a while is so for both. A static
 * program has no others than those that it calls anyway.
 */
#ifndef IS_STATIC
#include <dlfcn.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifndef PAIRS
#define PAIRS 250000U /* of the first ones */
#endif
#define PIECE 10000U     /* of them at a time */
#define PAST (PIECE / 4) /* beside them, past the hooks: few, since samples get a share of all time */
#define SIZES_MAX 16
#define ROUNDS_MAX 4096U

typedef void *(*give_fn)(size_t);
typedef void (*take_fn)(void *);

static give_fn past_malloc = malloc;
static take_fn past_free = free;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double watched_round(size_t size, unsigned int pairs)
{
	const double begun = now_ns();

	for (unsigned int i = 0; i < pairs; i++) {
		void *p = malloc(size);

		__asm__ volatile("" : : "r"(p) : "memory");
		free(p);
	}
	return (now_ns() - begun) / pairs;
}

static double past_round(size_t size, unsigned int pairs)
{
	const give_fn give = past_malloc;
	const take_fn take = past_free;
	const double begun = now_ns();

	for (unsigned int i = 0; i < pairs; i++) {
		void *p = give(size);

		__asm__ volatile("" : : "r"(p) : "memory");
		take(p);
	}
	return (now_ns() - begun) / pairs;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned long n)
{
	qsort(v, n, sizeof *v, by_value);
	return n ? v[n / 2] : 0;
}

/* The first pairs that the process makes of this size: in pieces, each beside as many that go past the hooks. The mean: what is
 * paid at the beginning counts. */
static double first_pairs(size_t size)
{
	double sum = 0;

	for (unsigned int i = 0; i < PAIRS / PIECE; i++) {
		const double each = watched_round(size, PIECE);

		sum += each - past_round(size, PAST);
	}
	return sum * PIECE / PAIRS;
}

int main(int argc, char **argv)
{
	static double beyond[SIZES_MAX][ROUNDS_MAX], least[SIZES_MAX], first[SIZES_MAX];
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	const int sizes = argc - 2 < SIZES_MAX ? argc - 2 : SIZES_MAX;

#ifndef IS_STATIC
	past_malloc = (give_fn)dlsym(RTLD_DEFAULT, "malloc");
	past_free = (take_fn)dlsym(RTLD_DEFAULT, "free");
#endif
	rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
	for (int i = 0; i < sizes; i++)
		first[i] = first_pairs(strtoul(argv[i + 2], NULL, 10));
	for (int i = 0; i < sizes; i++) {
		for (unsigned long r = 0; r < rounds; r++) {
			const size_t size = strtoul(argv[i + 2], NULL, 10);
			const double past = past_round(size, PAST), each = watched_round(size, PIECE);

			beyond[i][r] = each - past;
			if (r == 0 || each < least[i])
				least[i] = each;
		}
	}
	for (int i = 0; i < sizes; i++)
		printf("%s %.2f %.2f %.2f\n", argv[i + 2], least[i], median(beyond[i], rounds), first[i]);
	return 0;
}
