/* Of a call that moved more than a record holds, the record has the first bytes and the last (WIRE_F_TAIL), through however many buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "preload/session_file.h"

#define STREAM_BYTE(at) ((uint8_t)((at) % 251))

struct seen {
	uint64_t written, received; /* where in the stream the next call of each side begins */
	unsigned int calls, wrong;
};

static bool holds(const uint8_t *data, uint64_t at, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (data[i] != STREAM_BYTE(at + i))
			return false;
	return true;
}

static void each(void *ctx, const struct wire_thread *thread, const struct wire_record *r, const uint8_t *data)
{
	const uint32_t first = WIRE_DATA_MAX - WIRE_TAIL_BYTES;
	struct seen *s = ctx;
	uint64_t *at;

	(void)thread;
	if ((r->event != WIRE_WRITE && r->event != WIRE_READ) || r->ret < 40000)
		return;
	at = r->event == WIRE_WRITE ? &s->written : &s->received;
	s->calls++;
	s->wrong += !(r->flags & WIRE_F_TAIL) || r->data_len != WIRE_DATA_MAX || !holds(data, *at, first) ||
		    !holds(data + first, *at + (uint64_t)r->ret - WIRE_TAIL_BYTES, WIRE_TAIL_BYTES);
	*at += (uint64_t)r->ret;
}

static void first_and_last(void **state)
{
	struct session_file session;
	struct seen seen = {0};
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(session_open(&session, 8, 8, 1U << 20), 0);
	session.header->policy_socket = session.header->policy_pair = WIRE_POLICY_HEAD_16K;
	session.each = each;
	session.ctx = &seen;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("LD_PRELOAD", GS_SHIM, 1);
		setenv(WIRE_ENV_SESSION, session.path, 1);
		execl(GS_LONG, GS_LONG, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	session_drain(&session);
	assert_int_equal(session_lost(&session, WIRE_LOSS_CAUSES), 0);
	assert_int_equal(seen.calls, 5);
	assert_int_equal(seen.wrong, 0);
	session_close(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(first_and_last)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
