/*
 * A heap of known size for alloc.py, made by several threads of blocks of many sizes: leaker_mixed LARGEST ROUNDS. Each block is kept for a while
 * in a pool, but for one in twenty, which is never freed; at its end it says what it allocated and what it holds.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 4
#define POOL 4096
#define LEAK_ONE_IN 20
#define LEAST 16
#define WORK 512 /* rounds without a pause */
#define PAUSE_US 1000

struct heap {
	pthread_t thread;
	unsigned long seed, largest, rounds, allocated, held;
	void *pool[POOL];
	unsigned long sizes[POOL];
};

static struct heap heaps[THREADS];
static void *volatile latest; /* so that the call is made */

static unsigned long number(struct heap *h)
{
	h->seed ^= h->seed << 13;
	h->seed ^= h->seed >> 7;
	h->seed ^= h->seed << 17;
	return h->seed >> 33;
}

static void *work(void *arg)
{
	struct heap *const h = arg;

	for (unsigned long i = 0; i < h->rounds; i++) {
		/* as many of each power of two */
		const unsigned long size = LEAST + number(h) % (1 + (h->largest >> number(h) % 12));
		const unsigned long at = number(h) % POOL;
		void *const block = malloc(size);

		latest = block;
		h->allocated += size;
		h->held += size;
		if (i % WORK == 0)
			usleep(PAUSE_US);
		if (block == NULL || number(h) % LEAK_ONE_IN == 0)
			continue;
		free(h->pool[at]);
		h->held -= h->sizes[at];
		h->pool[at] = block;
		h->sizes[at] = size;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long allocated = 0, held = 0;

	for (unsigned int i = 0; i < THREADS; i++) {
		heaps[i].seed = 88172645463325252UL + i;
		heaps[i].largest = argc > 1 ? strtoul(argv[1], NULL, 10) : 1024;
		heaps[i].rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
		if (pthread_create(&heaps[i].thread, NULL, work, &heaps[i]) != 0)
			return 1;
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		(void)pthread_join(heaps[i].thread, NULL);
		allocated += heaps[i].allocated;
		held += heaps[i].held;
	}
	printf("work %lu %lu\n", allocated, held);
	return 0;
}
