/* Open requests: ids, each end told once, pending ones at the session's end; which one a thread serves. */
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

static void a_thread_serves_what_alone_is_open_on_it(void **state)
{
	struct script s;
	struct request a = {.server = true, .pid = 100, .tid = 5}, b = a, elsewhere = {.server = true, .pid = 100, .tid = 6},
		       call = {.pid = 100, .tid = 5};

	(void)state;
	script_init(&s);
	assert_int_equal(model_serving(s.model, 100, 5), 0);
	model_request_start(s.model, &call);
	assert_int_equal(model_serving(s.model, 100, 5), 0);
	model_request_start(s.model, &a);
	model_request_start(s.model, &elsewhere);
	assert_int_equal(model_serving(s.model, 100, 5), a.id);
	model_request_start(s.model, &b);
	assert_int_equal(model_serving(s.model, 100, 5), 0);
	model_request_end(s.model, &a);
	assert_int_equal(model_serving(s.model, 100, 5), b.id);
	model_request_end(s.model, &b);
	assert_int_equal(model_serving(s.model, 100, 5), 0);
	assert_int_equal(model_serving(s.model, 100, 6), elsewhere.id);
	assert_int_equal(model_serving(s.model, 101, 6), 0);
	script_done(&s); /* with two still open */
}

static void memory_is_used_again_and_empty(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	struct request *r = model_request_new(s.model);
	assert_non_null(r);
	memset(r, 'x', MODEL_REQUEST_BLOCK);
	model_request_free(s.model, r);
	struct request *again = model_request_new(s.model);
	assert_ptr_equal(again, r);
	const char *const texts[] = {r->path, r->query, r->host, r->target, r->summary, r->text, r->method, r->space};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(texts[i], "");
	assert_true(r->conn == NULL && !r->server && r->status == 0 && r->id == 0 && !r->open.here);
	for (size_t i = sizeof(*r); i < MODEL_REQUEST_BLOCK; i++)
		assert_int_equal(((const char *)r)[i], 0);
	model_request_free(s.model, again);
	model_request_free(s.model, NULL);
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(memory_is_used_again_and_empty), cmocka_unit_test(told_once_and_pending_at_the_end),
	  cmocka_unit_test(a_thread_serves_what_alone_is_open_on_it))
