/* The real shim in a child, in and out; and what is refused. */
#include "attach/inject.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "attach/resident.h"
#include "attach/target.h"

static void test_no_session(void **state)
{
	struct target child = target_start();
	struct inject_session session = {.path = "/nowhere"};
	struct inject_shim shim;
	struct inject_result result;
	char err[256] = "";

	(void)state;
	assert_int_equal(inject_open(GS_SHIM, &shim, err, sizeof(err)), 0);
	assert_true(shim.build_id_len > 0);
	/* An empty memory is no session: the shim goes in and refuses to start. */
	session.fd = memfd_create("empty", MFD_CLOEXEC);
	assert_true(inject_attach(child.pid, &shim, &session, &result, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "could not start"));
	target_answers(&child);
	/* The copy is resident now, and is taken out of use as often as one likes. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(inject_detach(child.pid, &result, err, sizeof(err)), 0);
		assert_int_equal(result.slots, 0);
		target_answers(&child);
	}
	close(session.fd);
	inject_close(&shim);
	target_end(&child);
}

static void test_nothing_there(void **state)
{
	struct target child = target_start();
	struct inject_shim shim;
	struct inject_result result;
	char err[256] = "";

	(void)state;
	assert_int_equal(inject_detach(child.pid, &result, err, sizeof(err)), -ENOENT);
	assert_true(inject_open("/nonexistent", &shim, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "/nonexistent"));
	assert_true(inject_detach(3999999, &result, err, sizeof(err)) < 0);
	target_end(&child);
}

TEST_MAIN(cmocka_unit_test(test_no_session), cmocka_unit_test(test_nothing_there))
