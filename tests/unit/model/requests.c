/* Open requests: ids, each end told once, pending ones at the session's end. */
#include "test.h"

#include "model/witness.h"

static void told_once_and_pending_at_the_end(void **state)
{
	struct script s;
	struct witness w;
	struct request r[3] = {0};

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "request answer");
	script_socket(&s, 5);
	for (int i = 0; i < 3; i++) {
		r[i].conn = model_conn(s.model, 100, 5);
		snprintf(r[i].path, sizeof(r[i].path), "/%d", i);
		model_request_start(s.model, &r[i]);
		assert_int_equal(r[i].id, i + 1);
	}
	r[1].end = REQUEST_EOF;
	model_request_end(s.model, &r[1]);
	model_request_end(s.model, &r[1]);
	witness_is(&w, "request 5  /0\nrequest 5  /1\nrequest 5  /2\nanswer 5 /1 0 eof\n");
	model_finish(s.model, s.now + SCRIPT_SEC);
	witness_is(&w, "answer 5 /0 0 pending\nanswer 5 /2 0 pending\n");
	assert_int_equal(r[0].t_end, s.now + SCRIPT_SEC);
	model_request_end(s.model, &r[0]);
	model_request_start(s.model, &r[1]); /* the session is over */
	witness_is(&w, "");
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(told_once_and_pending_at_the_end))
