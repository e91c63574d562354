/* Where the daemon listens. */
#include "serve/listen.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"

static char err[256];

static void addresses(void **state)
{
	struct listener l;
	(void)state;

	assert_int_equal(listener_open("127.0.0.1:0", &l, err, sizeof(err)), 0);
	assert_true(l.port != 0 && l.loopback && !l.local);
	close(l.fd);
	assert_int_equal(listener_open("[::1]:0", &l, err, sizeof(err)), 0);
	assert_true(l.port != 0 && l.loopback);
	close(l.fd);
	assert_int_equal(listener_open("0.0.0.0:0", &l, err, sizeof(err)), 0);
	assert_false(l.loopback);
	close(l.fd);
}

static void what_is_no_address(void **state)
{
	static const char *const wrong[] = {
		"", "9465", "localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:8x", "[::1]", "[]:1", "unix:"};
	struct listener l;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(listener_open(wrong[i], &l, err, sizeof(err)), -EINVAL);
		assert_non_null(strstr(err, "listen: '"));
	}
	assert_true(listener_open("192.0.2.1:80", &l, err, sizeof(err)) < 0); /* not ours */
	assert_non_null(strstr(err, "cannot listen on 192.0.2.1:80"));
}

static void unix_socket(void **state)
{
	char folder[] = "/tmp/gapscope-listen-XXXXXX", where[96];
	struct listener first, second;
	struct stat st;
	(void)state;

	assert_non_null(mkdtemp(folder));
	snprintf(where, sizeof(where), "unix:%s/s", folder);
	assert_int_equal(listener_open(where, &first, err, sizeof(err)), 0);
	assert_true(first.local);
	assert_int_equal(stat(where + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(listener_open(where, &second, err, sizeof(err)), -EADDRINUSE); /* somebody answers there */
	close(first.fd);
	assert_int_equal(listener_open(where, &second, err, sizeof(err)), 0); /* nobody does any more */
	close(second.fd);
	listener_done(&second);
	assert_int_equal(stat(where + 5, &st), -1);
	rmdir(folder);
}

TEST_MAIN(cmocka_unit_test(addresses), cmocka_unit_test(what_is_no_address), cmocka_unit_test(unix_socket))
