/*
 * A service that logs as fast as its work lets it: for each line a fixed amount of arithmetic, then one write of the whole line.
 *
 * usage: busy_log LINES WORK       one line on stderr: nanoseconds of processor time a line
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Processor time: what other programs take of the machine is no slowness of this one. */
static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	const unsigned long lines = strtoul(argv[1], NULL, 10), work = strtoul(argv[2], NULL, 10);
	volatile uint64_t state = 1;
	const uint64_t start = now_ns();

	for (unsigned long i = 0; i < lines; i++) {
		char line[256];
		for (unsigned long k = 0; k < work; k++)
			state = state * 6364136223846793005U + 1442695040888963407U;
		const int n =
			snprintf(line, sizeof(line),
				 "2026-03-07T12:30:07.%03luZ INFO [worker-%lu] com.acme.Shop - order %lu of user %lu took %lu ms, "
				 "state=%016llx\n",
				 i % 1000, i % 8, i, i % 977, i % 13, (unsigned long long)state);
		if (n < 0 || write(STDOUT_FILENO, line, (size_t)n) != n)
			return 1;
	}
	fprintf(stderr, "%.1f\n", (double)(now_ns() - start) / (double)lines);
	return 0;
}
