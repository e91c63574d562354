/* Who takes too long over a request is cut off, sooner where many do. */
#include "serve/callers.h"

#include "test.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS 1000000ULL

static bool is_cut(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

static void cuts_off_the_slow(void **state)
{
	struct callers c = {0};
	int slow[2], busy[2];
	(void)state;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, slow), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, busy), 0);
	struct caller *a = callers_enter(&c, slow[0], 1), *b = callers_enter(&c, busy[0], 1);
	callers_asked(&c, b); /* its answer is under way, or a stream's */
	assert_int_equal(c.asking, 1);
	assert_int_equal(callers_hurry(&c, CALLERS_PATIENCE_MS * MS), 0);
	assert_int_equal(callers_hurry(&c, CALLERS_PATIENCE_MS * MS + 1), 1);
	assert_true(is_cut(slow[1]) && !is_cut(busy[1]));
	assert_int_equal(callers_hurry(&c, CALLERS_PATIENCE_MS * MS + 2), 0); /* once is enough */
	callers_leave(&c, a);
	/* its next request begins with the answer to the last */
	callers_answered(&c, b, CALLERS_PATIENCE_MS * MS);
	assert_int_equal(callers_hurry(&c, CALLERS_PATIENCE_MS * MS * 2 - 1), 0);
	assert_int_equal(callers_hurry(&c, CALLERS_PATIENCE_MS * MS * 2), 1);
	assert_true(is_cut(busy[1]));
	callers_leave(&c, b);
	assert_int_equal(c.asking, 0);
	for (int i = 0; i < 2; i++) {
		close(slow[i]);
		close(busy[i]);
	}
}

static void hurries_a_crowd(void **state)
{
	struct callers c = {0};
	int pair[2];
	(void)state;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (unsigned int i = 0; i < CALLERS_CROWD; i++)
		assert_non_null(callers_enter(&c, pair[0], 0));
	assert_int_equal(callers_hurry(&c, CALLERS_CROWDED_MS * MS), 0);
	for (unsigned int i = CALLERS_CROWD; i < CALLERS_MAX; i++)
		assert_non_null(callers_enter(&c, pair[0], 0));
	assert_null(callers_enter(&c, pair[0], 0));
	assert_int_equal(callers_hurry(&c, CALLERS_CROWDED_MS * MS), CALLERS_MAX);
	/* without a place */
	callers_asked(&c, NULL);
	callers_answered(&c, NULL, 0);
	callers_leave(&c, NULL);
	close(pair[0]);
	close(pair[1]);
}

TEST_MAIN(cmocka_unit_test(cuts_off_the_slow), cmocka_unit_test(hurries_a_crowd))
