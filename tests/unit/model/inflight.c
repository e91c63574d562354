/* Calls that have not returned. */
#include "test.h"

#include "model/witness.h"

static void by_kind(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	script_socket(&s, 5);
	witness_init(&w, s.model, "wait");
	uint64_t since = s.now;
	script_pass(&s, 5 * SCRIPT_SEC);
	script_inflight(&s, WIRE_CONNECT, 5, -1, since);
	script_rcvtimeo(&s, 5, 30 * SCRIPT_SEC);
	script_inflight(&s, WIRE_READ, 5, -1, since);
	script_inflight(&s, WIRE_WRITE, 5, -1, since);
	script_inflight(&s, WIRE_RECVMMSG, 5, (int64_t)SCRIPT_SEC, since);
	script_inflight(&s, WIRE_RESOLVE, -1, -1, since);
	script_inflight(&s, WIRE_SLEEP, -1, (int64_t)(60 * SCRIPT_SEC), since);
	script_inflight(&s, WIRE_COND_WAIT, -1, -1, since);
	witness_is(&w, "wait 5 connect by call pending limit infinite of 1\nwait 5 read by call pending limit 30000ms of 1\n"
		       "wait 5 write by call pending limit infinite of 1\nwait 5 read by call pending limit 1000ms of 1\n"
		       "wait - resolve by call pending limit unknown of 1\nwait - sleep by sleep pending limit 60000ms of 0\n");
	script_nonblock(&s, 5, true);
	script_inflight(&s, WIRE_READ, 5, -1, since);
	s.pid = 999; /* nobody we know */
	script_inflight(&s, WIRE_READ, 5, -1, since);
	witness_is(&w, "");
	assert_null(model_process(s.model, 999));
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(by_kind))
