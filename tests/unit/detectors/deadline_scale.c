/*
 * Memory is bounded: 100,000 connections open at once, and 300,000 operations on them, at more peers than are told apart; then more
 * connections than are followed at all. What does not fit is counted. Prints the memory that it took. A million operations with all
 * detectors are bench.memory's.
 */
#include <inttypes.h>
#include <unistd.h>

#include "detectors/detectors.h"
#include "detectors/rig.h"

enum {
	CONNECTIONS = 100000,
	ROUNDS = 3, /* operations of each */
	PEERS = 4000,
	BYTES_EACH = 6144,     /* of a connection with a request under way, at most */
	BYTES_MORE = 16 << 20, /* of all operations that are over */
	BYTES_FIXED = 32 << 20,
};

static uint64_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size = 0, pages = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &size, &pages), 2);
	fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void connect_one(struct rig *r, int fd)
{
	char address[32];
	const int peer = fd % PEERS;

	snprintf(address, sizeof address, "10.%d.%d.9", peer / 250, peer % 250);
	script_socket(&r->s, fd);
	script_rcvtimeo(&r->s, fd, 3 * SCRIPT_SEC);
	script_sndtimeo(&r->s, fd, 3 * SCRIPT_SEC);
	script_connect(&r->s, fd, address, 443, 0);
}

static void test_connections_and_operations(void **state)
{
	struct rig *r = calloc(1, sizeof *r);
	const uint64_t before = resident();
	uint64_t first = 0;

	(void)state;
	assert_non_null(r);
	rig_init(r, &deadline_detector);
	r->s.stack = rig_stack(r, "charge", "shop");
	for (int fd = 5; fd < 5 + CONNECTIONS; fd++)
		connect_one(r, fd);
	for (int round = 0; round < ROUNDS; round++) {
		for (int fd = 5; fd < 5 + CONNECTIONS; fd++)
			script_write(&r->s, fd, RIG_GET);
		for (int fd = 5; fd < 5 + CONNECTIONS; fd++)
			script_read(&r->s, fd, RIG_200);
		script_tick(&r->s);
		if (round == 0)
			first = resident() - before;
	}
	const uint64_t took = resident() - before;
	printf("%d connections, %d operations: %" PRIu64 " MiB; %d operations: %" PRIu64 " MiB, %" PRIu64
	       " bytes a connection; %" PRIu64 " times too many peers\n",
	       CONNECTIONS, CONNECTIONS, first >> 20, CONNECTIONS * ROUNDS, took >> 20, took / CONNECTIONS,
	       r->s.counters.limit[LIMIT_REACHED_PEERS]);
	assert_true(took < (uint64_t)CONNECTIONS * BYTES_EACH + BYTES_FIXED);
	assert_true(took <= first + BYTES_MORE);
	assert_int_equal(r->s.counters.limit[LIMIT_REACHED_CONNECTIONS], 0);
	assert_true(r->s.counters.limit[LIMIT_REACHED_PEERS] > 0);

	/* Beyond the limit nothing grows any more. */
	for (int fd = 5 + CONNECTIONS; fd < 5 + (int)LIMIT_CONNECTIONS + 1000; fd++)
		connect_one(r, fd);
	assert_true(r->s.counters.limit[LIMIT_REACHED_CONNECTIONS] >= 1000);
	rig_finish(r);
	assert_int_equal(json_array_size(r->section), LIMIT_PEERS);
	rig_done(r);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_connections_and_operations)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
