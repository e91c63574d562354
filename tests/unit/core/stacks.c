/* agent/core/stacks.c: stacks are interned by content, and the frame that a finding names is the application's. */
#include "core/stacks.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

static void interns(void **state)
{
	struct stacks *s = stacks_new();
	struct frame a[2] = {{.function = "recv", .module = "libc.so.6", .offset = 16, .runtime = true},
			     {.function = "charge", .module = "shop", .file = "src/pay.c", .line = 88, .offset = 32}};
	struct frame b[2];
	char copy[] = "charge";
	size_t n;

	(void)state;
	memcpy(b, a, sizeof(a));
	b[1].function = copy;
	assert_int_equal(stacks_add(s, a, 2), 1);
	assert_int_equal(stacks_add(s, b, 2), 1);
	b[1].line = 89;
	assert_int_equal(stacks_add(s, b, 2), 2);
	assert_int_equal(stacks_add(s, a, 1), 3);
	assert_int_equal(stacks_add(s, a, 0), 0);
	assert_int_equal(stacks_count(s), 3);
	assert_string_equal(stacks_frames(s, 1, &n)[1].function, "charge");
	assert_int_equal(n, 2);
	assert_null(stacks_frames(s, 0, &n));
	assert_null(stacks_frames(s, 4, &n));
	stacks_free(s);
	stacks_free(NULL);
}

static void site(void **state)
{
	struct stacks *s = stacks_new();
	const struct frame app[] = {{.function = "recv", .module = "libc.so.6", .runtime = true},
				    {.function = "pqsecure_read", .module = "libpq.so.5", .runtime = true},
				    {.function = "charge", .module = "shop", .file = "src/pay.c", .line = 88},
				    {.function = "main", .module = "shop"}};
	const struct frame script[] = {{.function = "recv", .module = "libc.so.6", .runtime = true},
				       {.function = "SSL_read", .module = "libssl.so.3", .runtime = true},
				       {.function = "sock_recv", .module = "python3.11", .runtime = true},
				       {.function = "_PyEval", .module = "python3.11", .runtime = true}};
	const struct frame java[] = {{.function = "NET_Connect", .module = "libnet.so", .runtime = true}, {.module = "[Java]"}};
	const struct frame nowhere[] = {{.module = "?"}};
	const struct frame stripped[] = {{.module = "libpay.so", .offset = 0x1234}};
	char buf[128];

	(void)state;
	assert_string_equal(frame_text(stacks_site(s, stacks_add(s, app, 4)), buf, sizeof(buf)), "charge() at pay.c:88");
	assert_string_equal(frame_text(stacks_site(s, stacks_add(s, script, 4)), buf, sizeof(buf)), "sock_recv() in python3.11");
	assert_string_equal(frame_text(stacks_site(s, stacks_add(s, stripped, 1)), buf, sizeof(buf)), "libpay.so+0x1234");
	assert_string_equal(frame_text(stacks_site(s, stacks_add(s, java, 2)), buf, sizeof(buf)), "Java code without a name");
	assert_string_equal(frame_text(stacks_site(s, stacks_add(s, nowhere, 1)), buf, sizeof(buf)),
			    "code in no file, without a name");
	assert_string_equal(frame_text(stacks_site(s, 0), buf, sizeof(buf)), "unknown");
	stacks_free(s);
}

/* A JVM's compiler waits for itself; what a Java program asked for does not. */
static void housekeeping(void **state)
{
	struct stacks *s = stacks_new();
	const struct frame compiler[] = {{.function = "os::PlatformMonitor::wait", .module = "libjvm.so"},
					 {.function = "Monitor::wait_without_safepoint_check", .module = "libjvm.so"}};
	const struct frame java[] = {{.function = "ObjectMonitor::wait", .module = "libjvm.so"}, {.module = "[jit]"}};
	const struct frame other[] = {{.function = "Monitor::wait", .module = "shop"}};

	(void)state;
	assert_true(stacks_is_housekeeping(s, stacks_add(s, compiler, 2)));
	assert_false(stacks_is_housekeeping(s, stacks_add(s, java, 2)));
	assert_false(stacks_is_housekeeping(s, stacks_add(s, other, 1)));
	assert_false(stacks_is_housekeeping(s, 0));
	stacks_free(s);
}

static void limit(void **state)
{
	struct stacks *s = stacks_new();
	struct frame f = {.function = "f", .module = "m"};
	struct frame deep[LIMIT_STACK_FRAMES + 5];
	uint32_t i;
	size_t n;

	(void)state;
	for (i = 0; i < LIMIT_STACKS; i++) {
		f.offset = i;
		assert_int_equal(stacks_add(s, &f, 1), i + 1);
	}
	f.offset = LIMIT_STACKS;
	assert_int_equal(stacks_add(s, &f, 1), 0);
	f.offset = 7;
	assert_int_equal(stacks_add(s, &f, 1), 8);
	stacks_free(s);

	s = stacks_new();
	memset(deep, 0, sizeof(deep));
	for (i = 0; i < LIMIT_STACK_FRAMES + 5; i++)
		deep[i].module = "m";
	assert_int_equal(stacks_add(s, deep, LIMIT_STACK_FRAMES + 5), 1);
	stacks_frames(s, 1, &n);
	assert_int_equal(n, LIMIT_STACK_FRAMES);
	stacks_free(s);
}

TEST_MAIN(cmocka_unit_test(interns), cmocka_unit_test(site), cmocka_unit_test(housekeeping), cmocka_unit_test(limit))
