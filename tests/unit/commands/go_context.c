/* go_context.c: chains of contexts by hand. */
#include "commands/go_context.h"

#include "go_table.h"

#define NS_PER_S 1000000000ULL
#define WALL (1800000000ULL * NS_PER_S) /* CLOCK_REALTIME where CLOCK_MONOTONIC is 0 */
#define SECONDS_1885_TO_1970 2682288000ULL
#define SECONDS_1_TO_1970 62135596800ULL

enum { CANCEL, TIMER, VALUE, BACKGROUND, OWN, TCP, TLS, CUT };
static const char *const names[] = {
	[CANCEL] = "context.(*cancelCtx).Deadline",
	[TIMER] = "context.(*timerCtx).Deadline",
	[VALUE] = "context.(*valueCtx).Deadline",
	[BACKGROUND] = "context.backgroundCtx.Deadline",
	[OWN] = "main.(*own).Deadline",
	[TCP] = "net.(*TCPConn).Close",
	[TLS] = "crypto/tls.(*Conn).Close",
	[CUT] = NULL,
};

static void node(struct probe_go_chain *c, uint64_t method)
{
	memset(&c->nodes[c->nodes_n], 0, sizeof(c->nodes[0]));
	c->nodes[c->nodes_n++].method = method;
}

/* A time.Time with its monotonic reading, as WithTimeout makes it; `s` and `ns` of CLOCK_MONOTONIC. */
static void due(struct probe_go_chain *c, size_t at, uint64_t s, uint64_t ns)
{
	const uint64_t wall = 1ULL << 63 | (WALL / NS_PER_S + s + SECONDS_1885_TO_1970) << 30 | ns, ext = 12345;
	uint8_t *to = c->nodes[c->nodes_n - 1].bytes + at;

	memcpy(to, &wall, sizeof(wall));
	memcpy(to + 8, &ext, sizeof(ext));
}

static void chains(void **state)
{
	struct gopclntab *t = go_table(names);
	static struct probe_go_chain c;
	uint64_t when = 0;

	(void)state;
	/* Nothing was copied. */
	assert_int_equal(go_chain_deadline(&c, t, 0, WALL, &when), GO_CHAIN_UNKNOWN);
	/* A request's own cancel, then nothing. */
	node(&c, go_address(CANCEL));
	node(&c, go_address(VALUE));
	node(&c, go_address(BACKGROUND));
	assert_int_equal(go_chain_deadline(&c, t, 0, WALL, &when), GO_CHAIN_NO_DEADLINE);
	assert_int_equal(when, 0);
	/* The nearest of two deadlines; where it lies in the struct differs between versions of Go. */
	c.nodes_n = 1;
	node(&c, go_address(TIMER));
	due(&c, 88, 103, 5);
	node(&c, go_address(TIMER));
	due(&c, 72, 101, 7);
	node(&c, go_address(BACKGROUND));
	assert_int_equal(go_chain_deadline(&c, t, 0, WALL, &when), GO_CHAIN_DEADLINE);
	assert_true(when == 101 * NS_PER_S + 7);
	/* A type of the program's own may have any deadline of its own; one that is known before it still holds. */
	c.nodes_n = 1;
	node(&c, go_address(OWN));
	assert_int_equal(go_chain_deadline(&c, t, 0, WALL, &when), GO_CHAIN_UNKNOWN);
	c.nodes_n = 0;
	node(&c, go_address(TIMER));
	due(&c, 88, 102, 0);
	node(&c, go_address(OWN));
	assert_int_equal(go_chain_deadline(&c, t, 0, WALL, &when), GO_CHAIN_DEADLINE);
	/* The first may have no type: told by Done. Code that was moved is found all the same. */
	c.nodes_n = 0;
	node(&c, 0);
	node(&c, go_address(BACKGROUND) + 0x5000);
	assert_int_equal(go_chain_deadline(&c, t, 0x5000, WALL, &when), GO_CHAIN_NO_DEADLINE);
	c.nodes_n = 1;
	due(&c, 88, 104, 0);
	assert_int_equal(go_chain_deadline(&c, t, 0x5000, WALL, &when), GO_CHAIN_DEADLINE);
	assert_true(when == 104 * NS_PER_S);
	/* Made from a time of day: seconds since the year 1. */
	c.nodes_n = 0;
	node(&c, go_address(TIMER));
	const uint64_t day = WALL / NS_PER_S + 105 + SECONDS_1_TO_1970;
	memcpy(c.nodes[0].bytes + 96, &day, sizeof(day));
	assert_int_equal(go_chain_deadline(&c, t, 0, WALL, &when), GO_CHAIN_DEADLINE);
	assert_true(when == 105 * NS_PER_S);
	/* Bytes that are no time. */
	memset(c.nodes[0].bytes, 0xc0, sizeof(c.nodes[0].bytes));
	assert_int_equal(go_chain_deadline(&c, t, 0, WALL, &when), GO_CHAIN_UNKNOWN);
	/* More nodes than were copied are not believed. */
	c.nodes_n = 1000;
	for (size_t i = 0; i < PROBE_GO_NODES; i++)
		c.nodes[i] = (struct probe_go_node){.method = go_address(CANCEL)};
	assert_int_equal(go_chain_deadline(&c, t, 0, WALL, &when), GO_CHAIN_UNKNOWN);
	gopclntab_free(t);
}

static void descriptors(void **state)
{
	struct gopclntab *t = go_table(names);
	struct probe_go_chain c = {.conn = {.fd = {7, 8}}};

	(void)state;
	assert_int_equal(go_conn_fd(&c.conn, t, 0), -1);
	c.conn.method[0] = go_address(TCP);
	assert_int_equal(go_conn_fd(&c.conn, t, 0), 7);
	c.conn.method[0] = go_address(TLS);
	assert_int_equal(go_conn_fd(&c.conn, t, 0), -1);
	c.conn.method[1] = go_address(TCP);
	assert_int_equal(go_conn_fd(&c.conn, t, 0), 8);
	c.conn.method[0] = go_address(OWN); /* something else than a connection lies there */
	assert_int_equal(go_conn_fd(&c.conn, t, 0), -1);
	gopclntab_free(t);
}

TEST_MAIN(cmocka_unit_test(chains), cmocka_unit_test(descriptors))
