/*
 * Jobs from queues: what is asked for the next one is another call; what sleeps between its attempts, or takes nothing, goes on.
 */
#include "detectors/attempts.h"

#define MS NS_PER_MS

/* What a worker is told, `bytes` of it, at b->now. */
static void answer(struct bench *b, const struct request *of, uint64_t bytes, uint32_t tid)
{
	struct request q = *of;

	q.tid = tid;
	q.end = REQUEST_DONE;
	q.response_bytes = bytes;
	q.t_end = b->now;
	retry_work_request(&b->r, &q);
}

static void take(struct bench *b, uint32_t tid)
{
	static const struct request pop = {.system = "redis", .method = "BRPOP"};

	answer(b, &pop, 40, tid);
}

static void sleep_for(struct bench *b, uint64_t ns, uint32_t tid)
{
	const struct event e = {.id = WIRE_SLEEP, .pid = 1, .tid = tid, .t0 = b->now, .t1 = b->now + ns, .a1 = ns};

	retry_work_event(&b->r, &e);
	b->now = e.t1;
}

/* Does an attempt after such an answer begin another call? */
static bool begins(const struct request *q, uint64_t bytes, uint32_t tid)
{
	struct bench b;

	bench_init(&b);
	attempt(&b, 0, RETRY_FAILED, 1, 0);
	b.now += MS;
	answer(&b, q, bytes, tid);
	const bool other = !attempt(&b, MS, RETRY_FAILED, 1, 0);
	retry_keys_free(&b.r);
	return other;
}

static void test_what_brings_a_job(void **state)
{
	(void)state;
	assert_true(begins(&(struct request){.system = "redis", .method = "BLPOP"}, 30, 1));
	assert_true(begins(&(struct request){.system = "rabbitmq", .method = "deliver", .way = MESSAGE_DELIVER}, 0, 1));
	assert_true(begins(&(struct request){.system = "kafka", .method = "fetch", .way = MESSAGE_RECEIVE}, 90, 1));
	assert_true(begins(&(struct request){.method = "GET", .waits = true, .status = 200}, 90, 1));
	assert_true(begins(&(struct request){.system = "postgresql", .text = "SELECT id FROM jobs LIMIT ? FOR UPDATE SKIP LOCKED"},
			   90, 1));
	assert_true(begins(&(struct request){.system = "redis", .method = "EVALSHA"}, 300, 1));
	assert_false(begins(&(struct request){.system = "redis", .method = "EVALSHA"}, 20, 1)); /* a limit, a lock */
	assert_false(begins(&(struct request){.system = "redis", .method = "BLPOP"}, 5, 1));    /* there was none */
	assert_false(begins(&(struct request){.system = "redis", .method = "GET"}, 30, 1));
	assert_false(begins(&(struct request){.system = "redis", .method = "BLPOP", .failed = true}, 30, 1));
	assert_false(begins(&(struct request){.system = "redis", .method = "BLPOP"}, 30, 2)); /* another thread's */
	assert_false(begins(&(struct request){.method = "GET", .status = 200}, 90, 1));
	assert_false(begins(&(struct request){.method = "GET", .waits = true, .status = 304}, 90, 1));
	assert_false(begins(&(struct request){.system = "rabbitmq", .method = "publish", .way = MESSAGE_SEND}, 90, 1));
}

/* Equal jobs of `attempts` each, all failing: as many calls, whatever the delays. */
static void jobs(uint32_t attempts, uint64_t delay, uint64_t between)
{
	struct bench b;

	bench_init(&b);
	for (uint32_t job = 0; job < 120; job++) {
		take(&b, 1);
		for (uint32_t i = 0; i < attempts; i++) {
			if (i)
				sleep_for(&b, delay, 1);
			assert_int_equal(attempt(&b, between, RETRY_FAILED, 1, 0), i);
		}
	}
	retry_end_all(&b.r, b.now);
	assert_false(b.k->unbounded);
	assert_int_equal(b.k->hits[RETRY_UNBOUNDED].count, 0);
	assert_int_equal(b.k->hits[RETRY_AMPLIFICATION].count, 0);
	assert_int_equal(b.k->hits[RETRY_NO_BACKOFF].count > 0, attempts > 3);
	assert_int_equal(b.k->sequences, 120);
	assert_int_equal(b.k->max_attempts, attempts);
	retry_keys_free(&b.r);
}

static void test_equal_jobs(void **state)
{
	(void)state;
	jobs(1, 0, 0);
	jobs(1, 0, 80 * MS);
	jobs(4, 100 * MS, MS);
	jobs(5, 0, MS);
	jobs(7, 100 * MS, 3 * MS);
}

/* Who takes one job and asks for ever is found; so is who sleeps while the loop that it runs on takes jobs for others. */
static void test_one_job_for_ever(void **state)
{
	struct bench b;

	(void)state;
	for (int others = 0; others < 2; others++) {
		bench_init(&b);
		take(&b, 1);
		for (uint32_t i = 0; i < 40; i++) {
			assert_int_equal(attempt(&b, MS, RETRY_FAILED, 1, 0), i);
			b.now += MS;
			if (others)
				take(&b, 1);
			sleep_for(&b, 100 * MS, 1);
		}
		retry_end_all(&b.r, b.now);
		assert_true(b.k->unbounded);
		assert_int_equal(b.k->max_attempts, 40);
		retry_keys_free(&b.r);
	}
}

static void test_jobs_through_a_pipe(void **state)
{
	static const struct conn pipe_end = {.kind = CONN_PIPE}, tcp = {.kind = CONN_TCP};
	const struct {
		const struct conn *conn;
		enum direction way;
		int64_t bytes;
		bool job;
	} rows[] = {{&pipe_end, DIR_IN, 80, true},
		    {&pipe_end, DIR_IN, 1, false},
		    {&pipe_end, DIR_OUT, 80, false},
		    {&tcp, DIR_IN, 80, false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench b;
		bench_init(&b);
		attempt(&b, 0, RETRY_FAILED, 1, 0);
		const struct event e = {.id = WIRE_READ, .tid = 1, .t0 = b.now, .t1 = b.now + MS, .ret = rows[i].bytes};
		retry_work_read(&b.r, rows[i].conn, rows[i].way, &e);
		assert_int_equal(!attempt(&b, 2 * MS, RETRY_FAILED, 1, 0), rows[i].job);
		retry_keys_free(&b.r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_brings_a_job),
		cmocka_unit_test(test_equal_jobs),
		cmocka_unit_test(test_one_job_for_ever),
		cmocka_unit_test(test_jobs_through_a_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
