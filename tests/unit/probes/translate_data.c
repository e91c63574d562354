/* translate_data.c: reads and writes become the records that the shim would have made of them. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "translated.h"

static void transfers(void **state)
{
	const struct wire_record *r = MAKE(SYS_recvfrom, 3, "abc", 3, 9, 0x1000, 512, MSG_PEEK | MSG_DONTWAIT);

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->event, WIRE_READ);
	assert_int_equal(r->fd, 9);
	assert_int_equal(r->a0, 512);
	assert_int_equal(r->ret, 3);
	assert_int_equal(r->site, 7);
	assert_int_equal(r->t1, 6000000000ULL);
	assert_int_equal(r->flags, WIRE_F_SOCKET_CALL | WIRE_F_PEEK | WIRE_F_NONBLOCK);
	assert_memory_equal(to.data, "abc", 3);
	r = MAKE(SYS_read, -EAGAIN, NULL, 0, 4, 0x1000, 100);
	assert_int_equal(r->ret, -1);
	assert_int_equal(r->err, EAGAIN);
	r = MAKE(SYS_pwrite64, 5, "12345", 5, 4, 0x1000, 5, 0);
	assert_int_equal(r->event, WIRE_WRITE);
	assert_int_equal(r->flags, WIRE_F_POSITIONED);
	r = MAKE(SYS_sendmmsg, 2, "x", 1, 4, 0x1000, 2, 0, 0, 300);
	assert_int_equal(r->event, WIRE_SENDMMSG);
	assert_int_equal(r->a0, 300);
}

/* TCP throws bytes away for MSG_TRUNC: what stands in the buffer is not what went through. */
static void thrown_away(void **state)
{
	const struct wire_record *r = MAKE(SYS_recvfrom, 3, "abc", 3, 9, 0x1000, 512, MSG_TRUNC);

	(void)state;
	assert_int_equal(r->ret, 3);
	assert_int_equal(r->data_len, 0);
}

static void ends(void **state)
{
	static const uint8_t data[PROBE_DATA];
	struct probe_call c = {.kind = PROBE_CALL, .nr = SYS_read, .ret = 99999, .args = {4, 0x1000, 99999}, .limit = -1};

	(void)state;
	c.data_len = c.wanted = PROBE_DATA;
	c.policy = WIRE_POLICY_HEAD_16K;
	assert_true(translate_call(&c, data, WALL_NS, &to));
	assert_int_equal(to.record.flags & WIRE_F_TAIL, 0);
	c.tail = 1;
	assert_true(translate_call(&c, data, WALL_NS, &to));
	assert_int_equal(to.record.flags & WIRE_F_TAIL, WIRE_F_TAIL);
}

TEST_MAIN(cmocka_unit_test(transfers), cmocka_unit_test(thrown_away), cmocka_unit_test(ends))
