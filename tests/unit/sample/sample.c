/* sample.c: a round over real processes, and when the next one is due. */
#include <sys/socket.h>

#include "sample/root.h"

static void test_round(void **state)
{
	const uint32_t pids[] = {(uint32_t)getpid(), 4194305 /* no such process can be */};
	struct root *r = root_of("");
	struct sample_process p;

	(void)state;
	assert_true(sampler_due(r->s, 5));
	sampler_round(r->s, pids, 2, 5, root_see, r);
	assert_non_null(root_told(r, WIRE_SAMPLE_PROCESS, 0));
	assert_null(root_told(r, WIRE_SAMPLE_PROCESS, 1));
	memcpy(&p, root_told(r, WIRE_SAMPLE_PROCESS, 0)->data, sizeof p);
	assert_true(p.threads >= 1 && p.fds >= 3 && p.resident_bytes > 65536 && p.virtual_bytes > p.resident_bytes);
	assert_false(sampler_due(r->s, 5 + 800000000ULL));
	assert_true(sampler_due(r->s, 5 + 10000000000ULL)); /* however long it took */
	root_done(r);
}

/* What a round allocated serves the next one, and numbers follow what is there. */
static void test_again(void **state)
{
	const uint32_t pid = (uint32_t)getpid();
	struct root *r = root_of("");
	struct sample_process first, second;
	int fds[2];

	(void)state;
	sampler_round(r->s, &pid, 1, 5, root_see, r);
	memcpy(&first, root_told(r, WIRE_SAMPLE_PROCESS, 0)->data, sizeof first);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	r->n = 0;
	sampler_round(r->s, &pid, 1, 5, root_see, r);
	memcpy(&second, root_told(r, WIRE_SAMPLE_PROCESS, 0)->data, sizeof second);
	/* The first round opened its socket for sock_diag after it had counted, once. */
	assert_int_equal(second.fd_kinds[SAMPLE_FD_SOCKET] - first.fd_kinds[SAMPLE_FD_SOCKET],
			 2 + (first.fd_kinds[SAMPLE_FD_SOCKET] > 0 ? 1 : 0));
	close(fds[0]);
	close(fds[1]);
	root_done(r);
}

TEST_MAIN(cmocka_unit_test(test_round), cmocka_unit_test(test_again))
