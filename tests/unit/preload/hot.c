/*
 * The short way of transfers (preload/hot.h) says the same as the general one: load.c writes 64 bytes again and again through a
 * socketpair; the first, the 2nd, the 4th … of a call site go the general way with a stack, the others the short one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "ingest/kept.h"
#include "preload/session_file.h"

#define ROUNDS "200"
#define CALLS 200
#define STACKS 8 /* 1, 2, 4 … 128 */
#define THREADS_MAX 32

struct seen {
	struct session_file *session;
	uint32_t site[THREADS_MAX];
	unsigned int writes[THREADS_MAX], stacks[THREADS_MAX];
	uint32_t next_seq[THREADS_MAX];
	uint64_t last_t1[THREADS_MAX];
	unsigned int wrong_seq, wrong_time, wrong_write, wrong_send, sends;
};

static void each(void *ctx, const struct wire_thread *thread, const struct wire_record *r, const uint8_t *data)
{
	struct seen *s = ctx;
	const size_t i = (size_t)(thread - wire_thread_at(s->session->header, 0));

	(void)data;
	s->wrong_seq += r->seq != s->next_seq[i];
	s->next_seq[i] = r->seq + 1;
	s->wrong_time += r->t0 > r->t1 || r->t1 < s->last_t1[i];
	s->last_t1[i] = r->t1;
	if (r->event == WIRE_WRITE && r->ret == 1000) {
		s->sends++;
		s->wrong_send += r->a0 != 1000 || (r->flags & ~WIRE_F_STACK) != WIRE_F_SOCKET_CALL || r->err || !r->site;
	}
	if (r->event != WIRE_WRITE || r->ret != 64 || (r->flags & WIRE_F_VECTOR))
		return;
	if (!s->writes[i]++)
		s->site[i] = r->site;
	s->stacks[i] += (r->flags & WIRE_F_STACK) != 0;
	s->wrong_write += r->a0 != 64 || r->a1 || r->err || r->data_len || r->fd < 3 || !r->site || r->site != s->site[i] ||
			  (r->flags & ~WIRE_F_STACK);
}

static void begin(struct session_file *session, bool rseq_tells)
{
	if (session_open(session, 8, THREADS_MAX, 1U << 22) != 0)
		abort();
	session->header->rseq_tells = rseq_tells;
}

/* Runs the program under the shim to its end, and takes its records. */
static void watch(struct session_file *session, const char *program, const char *argument)
{
	int status;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("LD_PRELOAD", GS_SHIM, 1);
		setenv(WIRE_ENV_SESSION, session->path, 1);
		execl(program, program, argument, NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		session_drain(session);
	assert_int_equal(status, 0);
	session_drain(session);
	assert_int_equal(session_lost(session, WIRE_LOSS_CAUSES), 0);
}

static void same_as_general(bool rseq_tells)
{
	struct session_file session;
	struct seen seen = {.session = &session};
	unsigned int threads = 0;

	begin(&session, rseq_tells);
	atomic_store(&session.header->stacks, 1);
	session.each = each;
	session.ctx = &seen;
	watch(&session, GS_LOAD, ROUNDS);
	for (size_t i = 0; i < THREADS_MAX; i++) {
		if (!seen.writes[i])
			continue;
		threads++;
		assert_int_equal(seen.writes[i], CALLS);
		assert_int_equal(seen.stacks[i], STACKS);
	}
	assert_true(threads > 0);
	assert_int_equal(seen.sends, threads * CALLS);
	assert_int_equal(seen.wrong_seq, 0);
	assert_int_equal(seen.wrong_time, 0);
	assert_int_equal(seen.wrong_write, 0);
	assert_int_equal(seen.wrong_send, 0);
	session_close(&session);
}

static void test_same_as_general(void **state)
{
	(void)state;
	same_as_general(false);
	same_as_general(kept_works());
}

struct times {
	unsigned int sent, sent_at_once, waited, waited_at_once;
};

static void each_time(void *ctx, const struct wire_thread *thread, const struct wire_record *r, const uint8_t *data)
{
	struct times *const t = ctx;

	(void)thread;
	(void)data;
	if (r->event != WIRE_WRITE)
		return;
	if (r->err == EAGAIN) {
		t->waited++;
		t->waited_at_once += r->t0 == r->t1;
	} else {
		t->sent++;
		t->sent_at_once += r->t0 == r->t1;
	}
}

/* A send that waited has its length, whoever tells that it waited; one that did not may have none. */
static void test_waits_have_a_length(void **state)
{
	(void)state;
	for (int told = 0; told <= kept_works(); told++) {
		struct session_file session;
		struct times t = {0};

		begin(&session, told);
		session.each = each_time;
		session.ctx = &t;
		watch(&session, GS_FULL, NULL);
		print_message("the kernel %s: %u sends, %u of them without an end of their own; %u waits, %u\n",
			      told ? "tells" : "is not asked", t.sent, t.sent_at_once, t.waited, t.waited_at_once);
		/* Told or not, a machine that stands still can end a wait before it begins. */
		assert_true(t.waited_at_once <= t.waited / 10);
		assert_true(t.waited > 0 && t.sent > 0);
#if defined(__x86_64__)
		assert_true(told ? t.sent_at_once > t.sent / 2 : t.sent_at_once + t.waited_at_once == 0);
#endif
		session_close(&session);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_general),
		cmocka_unit_test(test_waits_have_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
