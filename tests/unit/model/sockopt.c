/* Options that change waits. */
#include "test.h"

#include "model/witness.h"

static void options_are_kept(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	script_socket(&s, 5);
	script_rcvtimeo(&s, 5, 3 * SCRIPT_SEC);
	script_sndtimeo(&s, 5, 4 * SCRIPT_SEC);
	script_setsockopt(&s, 5, SOL_SOCKET, SO_KEEPALIVE, 1);
	script_setsockopt(&s, 5, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	script_setsockopt(&s, 5, IPPROTO_TCP, TCP_SYNCNT, 2);
	script_setsockopt(&s, 5, SOL_SOCKET, SO_REUSEADDR, 1);
	const struct conn *c = model_conn(s.model, 100, 5);
	assert_true(c->rcvtimeo_ns == (int64_t)(3 * SCRIPT_SEC) && c->sndtimeo_ns == (int64_t)(4 * SCRIPT_SEC));
	assert_true(c->user_timeout_ns == (int64_t)(5 * SCRIPT_SEC) && c->syncnt == 2 && c->keepalive);
	script_setsockopt(&s, 5, SOL_SOCKET, 66, 7 * SCRIPT_SEC); /* SO_RCVTIMEO_NEW */
	assert_true(c->rcvtimeo_ns == (int64_t)(7 * SCRIPT_SEC));
	script_setsockopt(&s, 5, SOL_SOCKET, SO_RCVTIMEO, UINT64_MAX);
	assert_true(c->rcvtimeo_ns == INT64_MAX);
	script_event(&s, (struct event){.id = WIRE_SETSOCKOPT,
					.fd = 5,
					.ret = -1,
					.err = EINVAL,
					.a0 = (uint64_t)SOL_SOCKET << 32 | SO_RCVTIMEO,
					.a1 = 1});
	assert_true(c->rcvtimeo_ns == INT64_MAX);
	script_done(&s);
}

static void modes(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	script_socket(&s, 5);
	script_dup(&s, 5, 6, 0);
	script_nonblock(&s, 6, true);
	assert_true(model_conn(s.model, 100, 5)->nonblocking); /* of the description, not of the number */
	script_nonblock(&s, 5, false);
	assert_false(model_conn(s.model, 100, 6)->nonblocking);
	script_event(&s, (struct event){.id = WIRE_SETFL, .fd = 5, .ret = -1, .err = EINVAL, .a0 = O_NONBLOCK});
	assert_false(model_conn(s.model, 100, 5)->nonblocking);
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(options_are_kept), cmocka_unit_test(modes))
