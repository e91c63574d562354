/*
 * What the model, the protocols and all detectors keep of a service with very many connections and operations: bytes by malloc's own count.
 *
 *   bench_memory [CONNECTIONS [OPERATIONS]]      100000 and 1000000
 *
 * Each request has a path of its own, and the peers are more than are told apart, so every table comes to its limit (core/limits.h). Asserted:
 * once these are full more operations cost no more memory, what is beyond a limit is counted, and closed connections are given back.
 */
#include <inttypes.h>
#include <malloc.h>

#include "all_detectors.h"

#define PEERS 4096U         /* above LIMIT_PEERS */
#define FILL_DIV 4          /* after this part of the operations all tables are full */
#define GROWTH_MAX 1.10     /* from then on */
#define CONN_BYTES_MAX 8192 /* of memory, for one connection that is open */
#define LEFT_MAX 0.6        /* of the most, once all is closed: the tables of what was seen */

static double used(void)
{
	return (double)mallinfo2().uordblks;
}

static double print(const char *what, double base)
{
	const double bytes = used() - base;

	printf("%-42s %8.1f MiB\n", what, bytes / (1024.0 * 1024.0));
	return bytes;
}

static void open_from(struct all_detectors *a, int from, int to)
{
	char address[32];

	for (int i = from; i < to; i++) {
		const uint32_t peer = (uint32_t)i % PEERS;
		snprintf(address, sizeof address, "10.1.%" PRIu32 ".%" PRIu32, peer / 256, peer % 256);
		script_socket(&a->s, 5 + i);
		script_connect(&a->s, 5 + i, address, 80, 0);
		if (i % 10000 == 0)
			script_tick(&a->s);
	}
}

static void operate(struct all_detectors *a, int conns, int from, int to)
{
	char path[48];

	for (int i = from; i < to; i++) {
		snprintf(path, sizeof path, "/orders/%d/lines", i);
		all_detectors_exchange(a, 5 + i % conns, path, i % 10 == 0);
		if (i % 10000 == 0)
			script_tick(&a->s);
	}
}

int main(int argc, char **argv)
{
	const int conns = argc > 1 ? atoi(argv[1]) : 100000, operations = argc > 2 ? atoi(argv[2]) : 1000000;
	const int beyond = (int)LIMIT_CONNECTIONS + 5000;
	static struct all_detectors a;
	bool ok = true;

	if (conns < 1000 || operations < FILL_DIV)
		return 2;
	all_detectors_start(&a, true);
	const double base = used();
	open_from(&a, 0, conns);
	const double opened = print("all connections open", base);
	operate(&a, conns, 0, operations / FILL_DIV);
	const double full = print("a quarter of the operations done", base);
	operate(&a, conns, operations / FILL_DIV, operations);
	const double all = print("all of them done", base);
	open_from(&a, conns, beyond);
	const double most = print("more connections than the limit", base);
	for (int i = 0; i < beyond; i++)
		script_close(&a.s, 5 + i);
	script_tick(&a.s);
	const double left = print("all of them closed", base);

	const uint64_t *const limit = a.s.counters.limit;
	printf("%.0f bytes a connection; x%.3f from a quarter of the operations to all; x%.2f of the most is left at the end\n",
	       opened / conns, all / full, left / most);
	printf("beyond a limit: %" PRIu64 " connections, %" PRIu64 " peers, %" PRIu64 " operations\n",
	       limit[LIMIT_REACHED_CONNECTIONS], limit[LIMIT_REACHED_PEERS], limit[LIMIT_REACHED_OPERATIONS]);
	ok = ok && opened / conns <= CONN_BYTES_MAX && all / full <= GROWTH_MAX && left / most <= LEFT_MAX;
	ok = ok && limit[LIMIT_REACHED_CONNECTIONS] >= 1 && limit[LIMIT_REACHED_PEERS] >= 1;
	all_detectors_done(&a);
	printf("%s\n", ok ? "held" : "NOT HELD");
	return ok ? 0 : 1;
}
