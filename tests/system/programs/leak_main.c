/* Calls leak_library.cc: leak_main ROUNDS. */
#include <stdio.h>
#include <stdlib.h>

void library_work(unsigned long rounds);

int main(int argc, char **argv)
{
	const unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;

	library_work(rounds);
	printf("leak_order %lu %lu\n", rounds * 11000, rounds * 3000);
	return 0;
}
