/* `--export queue:…`: which targets are understood. */
#include "test.h"

#include <string.h>

#include "exporters/exporter.h"

static const struct resource about;

static void targets(void **state)
{
	(void)state;
	static const struct {
		const char *target;
		bool good;
	} cases[] = {{"/var/q", true}, {"/var/q,5", true}, {NULL, false},   {"", false},       {",5", false},
		     {"/q,", false},   {"/q,0", false},    {"/q,x", false}, {"/q,5MB", false}, {"/q,99999999999", false}};
	const struct exporter *q = exporter_find("queue");
	assert_true(q->serves_others);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char err[256];
		void *x = NULL;
		int rc = q->open(cases[i].target, &about, &x, err, sizeof err);
		assert_int_equal(rc == 0, cases[i].good);
		assert_int_equal(err[0] == '\0', cases[i].good);
		if (rc == 0)
			q->close(x, 0);
	}
}

TEST_MAIN(cmocka_unit_test(targets))
