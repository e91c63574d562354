/* Names learnt from the resolver, and who may use them. */
#include "test.h"

#include "model/witness.h"

static void names_become_peers(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "resolve wait");
	script_resolve(&s, "payments.test", "10.0.0.9", 0);
	script_resolve(&s, "nowhere.test", NULL, -2);
	witness_is(&w, "resolve payments.test 0 1\nwait - resolve by call ready limit unknown of 1\n"
		       "resolve nowhere.test -2 0\nwait - resolve by call failed limit unknown of 1\n");
	script_fork(&s, 200);
	for (uint32_t pid = 100; pid <= 300; pid += 100) {
		s.pid = pid;
		script_socket(&s, 5);
		script_connect(&s, 5, "10.0.0.9", 443, 0);
	}
	assert_string_equal(model_conn(s.model, 100, 5)->peer, "payments.test:443");
	assert_string_equal(model_conn(s.model, 200, 5)->peer, "payments.test:443"); /* a child */
	assert_string_equal(model_conn(s.model, 300, 5)->peer, "10.0.0.9:443");      /* a stranger */
	/* The newest name wins. */
	s.pid = 100;
	script_resolve(&s, "other.test", "10.0.0.9", 0);
	script_socket(&s, 6);
	script_connect(&s, 6, "10.0.0.9", 443, 0);
	assert_string_equal(model_conn(s.model, 100, 6)->peer, "other.test:443");
	script_done(&s);
}

static void hostile_records(void **state)
{
	struct script s;
	uint8_t data[64];

	(void)state;
	script_init(&s);
	memset(data, 0xff, sizeof(data));
	for (uint32_t len = 0; len <= sizeof(data); len++)
		script_event(&s, (struct event){.id = WIRE_RESOLVE, .fd = -1, .data = data, .data_len = len});
	memset(data, 0, sizeof(data));
	data[0] = 4; /* a name of four bytes, addresses that are not there */
	data[2] = 200;
	memcpy(data + 8,
	       "a\n\x80"
	       "b",
	       4);
	struct witness w;
	witness_init(&w, s.model, "resolve");
	script_event(&s, (struct event){.id = WIRE_RESOLVE, .fd = -1, .data = data, .data_len = 12});
	witness_is(&w, "resolve a??b 0 0\n");
	script_done(&s);
}

static void the_oldest_is_forgotten(void **state)
{
	struct script s;
	char name[32], addr[32];

	(void)state;
	script_init(&s);
	for (unsigned int i = 0; i < LIMIT_NAMES + 1; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		snprintf(addr, sizeof(addr), "10.1.%u.%u", i / 250, i % 250);
		script_resolve(&s, name, addr, 0);
	}
	assert_int_equal(s.counters.limit[LIMIT_REACHED_NAMES], 1);
	script_socket(&s, 5);
	script_connect(&s, 5, "10.1.0.0", 80, 0);
	assert_string_equal(model_conn(s.model, 100, 5)->peer, "10.1.0.0:80");
	script_socket(&s, 6);
	script_connect(&s, 6, "10.1.0.1", 80, 0);
	assert_string_equal(model_conn(s.model, 100, 6)->peer, "n1.test:80");
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(names_become_peers), cmocka_unit_test(hostile_records), cmocka_unit_test(the_oldest_is_forgotten))
