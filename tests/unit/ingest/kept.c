/* kept.c, and wire/rseq.h by its means: what the kernel says of a thread that waited, ran on or was interrupted is what it did. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/kept.h"
#include "wire/rseq.h"

#define TRIES 1000
#define WAITS 50

static int pair[2];
static volatile sig_atomic_t handled, handler_was_kept;

static struct wire_rseq *own(void)
{
	return (struct wire_rseq *)(void *)((char *)__builtin_thread_pointer() + wire_rseq_offset());
}

static void on_signal(int number)
{
	char byte = 'x';

	(void)number;
	handled++;
	wire_rseq_watch(own());
	assert_int_equal(write(pair[0], &byte, 1), 1);
	handler_was_kept += wire_rseq_kept(own());
}

static int open_pair(void **state)
{
	const struct timeval soon = {.tv_usec = 1000};

	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
}

static int close_pair(void **state)
{
	(void)state;
	return close(pair[0]) || close(pair[1]);
}

static void here_only(void)
{
	if (kept_works())
		return;
	print_message("not here: this kernel or this libc does not tell\n");
	skip();
}

/* It says the same again, and leaves nothing behind. */
static void leaves_the_area_alone(void **state)
{
	const bool works = kept_works();

	(void)state;
	print_message("restartable sequences: %s\n", wire_rseq_offset() == 0 ? "not registered" : works ? "tell" : "do not tell");
	for (int i = 0; i < 10; i++)
		assert_int_equal(kept_works(), works);
	assert_true(wire_rseq_offset() == 0 ? !works : own()->sequence == 0);
}

static void others_are_left_alone(void **state)
{
	static const struct wire_rseq_cs theirs = {
		.start_ip = (uintptr_t)&wire_rseq_place[0], .post_commit_offset = 4, .abort_ip = (uintptr_t)&wire_rseq_place[2]};

	(void)state;
	here_only();
	own()->sequence = (uintptr_t)&theirs;
	wire_rseq_watch(own());
	assert_false(wire_rseq_kept(own()));
	/* The kernel may have come by. */
	assert_true(own()->sequence == (uintptr_t)&theirs || own()->sequence == 0);
	own()->sequence = 0;
}

static void who_runs_on_is_told(void **state)
{
	unsigned int kept = 0;
	char byte = 'x';

	(void)state;
	here_only();
	for (unsigned int i = 0; i < TRIES; i++) {
		wire_rseq_watch(own());
		assert_int_equal(write(pair[0], &byte, 1), 1);
		kept += wire_rseq_kept(own());
		assert_int_equal(read(pair[1], &byte, 1), 1);
		assert_true(own()->sequence == 0);
	}
	print_message("%u of %u writes with room were told to have run on\n", kept, TRIES);
	assert_true(kept > TRIES / 2);
}

static void who_waits_is_told(void **state)
{
	unsigned int kept = 0;
	char byte;

	(void)state;
	here_only();
	for (unsigned int i = 0; i < WAITS; i++) {
		wire_rseq_watch(own());
		assert_int_equal(read(pair[1], &byte, 1), -1);
		assert_int_equal(errno, EAGAIN);
		kept += wire_rseq_kept(own());
	}
	/* A virtual machine that stands still while its thread is about to sleep does so for long enough, now and then. */
	print_message("%u of %u reads that timed out were told to have run on\n", kept, WAITS);
	assert_true(kept <= WAITS / 10);
}

/* A handler may be in the same case on top of it. */
static void who_is_interrupted_is_told(void **state)
{
	const struct sigaction act = {.sa_handler = on_signal};
	struct sigaction before;

	(void)state;
	here_only();
	assert_int_equal(sigaction(SIGUSR1, &act, &before), 0);
	handled = handler_was_kept = 0;
	for (unsigned int i = 0; i < WAITS; i++) {
		wire_rseq_watch(own());
		assert_int_equal(raise(SIGUSR1), 0);
		assert_false(wire_rseq_kept(own()));
	}
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
	assert_int_equal(handled, WAITS);
	assert_true(handler_was_kept > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_the_area_alone),
		cmocka_unit_test(others_are_left_alone),
		cmocka_unit_test_setup_teardown(who_runs_on_is_told, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(who_waits_is_told, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(who_is_interrupted_is_told, open_pair, close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
