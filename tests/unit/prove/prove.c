/* One fault after the other, under a budget. */
#include "net.h"

#include "prove/prove.h"

#define S 1000000000ULL

struct told {
	struct event_proof list[64];
	size_t n;
};

static void on_proof(void *ctx, const struct event_proof *proof)
{
	struct told *t = ctx;

	assert_true(t->n < 64);
	t->list[t->n++] = *proof;
}

static struct prove *start(const char *spec, bool launched, struct wire_fault *f, struct told *told)
{
	struct plan plan;
	struct prove *p = NULL;
	char err[256] = "";

	plan_defaults(&plan, launched);
	if (plan_parse(&plan, spec, err, sizeof(err)) != 0 || prove_new(&plan, f, 0, on_proof, told, &p, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return p;
}

static struct conn peer(uint16_t port)
{
	static struct process nobody;
	struct conn c = {.kind = CONN_TCP, .role = CONN_CLIENT, .process = &nobody};
	struct sockaddr_in *a = (struct sockaddr_in *)(void *)&c.peer_addr;

	*a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return c;
}

static void requests(struct prove *p, struct conn *c, unsigned int n, bool server, int status)
{
	struct request r = {.conn = c, .server = server, .status = status, .answered = true};

	while (n--)
		prove_observer.request_end(p, &r);
}

static void dry_run(void **state)
{
	struct wire_fault *f = net_fault();
	struct told told = {.n = 0};
	struct prove *p = start("dry,faults=stall+503", false, f, &told);
	struct conn a = peer(80), b = peer(81);

	(void)state;
	prove_observer.conn_connect(p, &a, NULL);
	prove_observer.conn_connect(p, &b, NULL);
	for (uint64_t t = 1; t < 20; t++) {
		prove_tick(p, t * S);
		assert_int_equal(f->way, WIRE_FAULT_NONE);
	}
	assert_int_equal(f->relay_port, 0);
	prove_end(p, 20 * S, false);
	assert_int_equal(told.n, 4);
	assert_string_equal(told.list[0].outcome, "planned");
	assert_string_equal(told.list[0].fault, "stall");
	assert_int_equal(told.list[1].port, 81);
	prove_free(p);
	munmap(f, sizeof(*f));
}

/* What may be affected is a share of what was seen; it is looked on first; and nothing is left at the end. */
static void share(void **state)
{
	struct wire_fault *f = net_fault();
	struct told told = {.n = 0};
	struct prove *p = start("faults=stall,share=10,learn=5", false, f, &told);
	struct conn a = peer(80);

	(void)state;
	prove_observer.conn_connect(p, &a, NULL);
	requests(p, &a, 39, false, 200);
	prove_tick(p, 1 * S);
	assert_int_equal(f->way, WIRE_FAULT_NONE);
	prove_tick(p, 6 * S);
	assert_int_equal(f->way, WIRE_FAULT_RELAY);
	assert_int_equal(atomic_load(&f->credit), 3);
	assert_true(wire_fault_take(f, 6 * S));
	requests(p, &a, 1, false, 200);
	prove_tick(p, 6 * S + 1);
	assert_int_equal(atomic_load(&f->credit), 3);
	assert_true(f->until_ns > 6 * S && f->until_ns < 7 * S);
	prove_end(p, 6 * S + 2, true);
	assert_int_equal(f->way, WIRE_FAULT_NONE);
	assert_int_equal(f->until_ns, 0);
	assert_int_equal(told.n, 1);
	assert_string_equal(told.list[0].outcome, "unclear");
	assert_int_equal(told.list[0].affected, 1);
	prove_free(p);
	munmap(f, sizeof(*f));
}

/* A program that we start: its first connection, whoever it is to. */
static void first_to_come(void **state)
{
	struct wire_fault *f = net_fault();
	struct told told = {.n = 0};
	struct prove *p = start("faults=refuse", true, f, &told);

	(void)state;
	prove_tick(p, 1 * S);
	assert_int_equal(f->way, WIRE_FAULT_REFUSE);
	assert_int_equal(f->target, 0);
	const uint32_t row = net_row(f, 80);
	atomic_store(&f->target, row + 1);
	assert_true(wire_fault_take(f, 1 * S));
	prove_tick(p, 2 * S);
	assert_int_equal(told.n, 0);
	assert_true(f->until_ns > 2 * S); /* the lease had run out meanwhile */
	prove_tick(p, 9 * S);
	assert_int_equal(told.n, 1);
	assert_string_equal(told.list[0].outcome, "attempts");
	assert_int_equal(told.list[0].port, 80);
	for (uint64_t t = 10; t < 30; t++)
		prove_tick(p, t * S);
	assert_int_equal(told.n, 2);
	assert_string_equal(told.list[1].outcome, "finished");
	prove_free(p);
	munmap(f, sizeof(*f));
}

static void stops(void **state)
{
	static const struct {
		const char *spec, *why;
		bool errors;
	} cases[] = {{"faults=stall,errors=20", "too many answers", true},
		     {"faults=stall,seconds=2", "the time for faults", false}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct wire_fault *f = net_fault();
		struct told told = {.n = 0};
		struct prove *p = start(cases[i].spec, true, f, &told);
		struct conn a = peer(80);

		prove_observer.conn_connect(p, &a, NULL);
		prove_tick(p, 1 * S);
		assert_true(wire_fault_take(f, 1 * S));
		prove_tick(p, 1 * S + 1);
		requests(p, &a, 8, true, 200);
		requests(p, &a, cases[i].errors ? 4 : 0, true, 500);
		prove_tick(p, 4 * S - 1);
		assert_int_equal(told.n, 2);
		assert_memory_equal(told.list[0].why, cases[i].why, strlen(cases[i].why));
		assert_string_equal(told.list[1].outcome, "finished");
		prove_tick(p, 60 * S);
		assert_int_equal(f->way, WIRE_FAULT_NONE);
		prove_free(p);
		munmap(f, sizeof(*f));
	}
}

TEST_MAIN(cmocka_unit_test(dry_run), cmocka_unit_test(share), cmocka_unit_test(first_to_come), cmocka_unit_test(stops))
