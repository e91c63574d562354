/* go_timers.c: heaps of timers as Go up to 1.22 and later keeps them, in the test's own memory. */
#include "commands/go_timers.h"

#include <errno.h>
#include <unistd.h>

#include "go_runtime.h"

#define SECOND 1000000000ULL
#define NOW (50 * SECOND)
#define LOCK (GO_LOCK_AT * sizeof(uint64_t))
enum { CODE_WAKE = 0x1000, CODE_SEND = 0x2000, CODE_FUNC = 0x3000, CODE_CLOSURE = 0x4000 };

static uint64_t p[GO_P_WORDS], array[1], heap[16], timers[8][10];
static const uint64_t wake[1] = {CODE_WAKE}, send[1] = {CODE_SEND}, func[1] = {CODE_FUNC}, closure[20] = {CODE_CLOSURE};
static uint64_t goroutine[14], stack[32], channel[16], waits[2];
static const struct go_processors processors = {.n = 1, .lock = LOCK};

struct heard {
	struct go_timer t[8];
	size_t n;
};

static void hear(void *ctx, const struct go_timer *t)
{
	struct heard *h = ctx;

	assert_true(h->n < 8);
	h->t[h->n++] = *t;
}

static int read_all(bool pairs, struct heard *h)
{
	struct go_processors now = processors;

	now.array = go_at(array);
	*h = (struct heard){.n = 0};
	return go_timers_read((uint32_t)getpid(), &now, pairs, hear, h);
}

/* A goroutine in a wait that was called from 0x111, and that from 0x222; `frame`: the word that has its frame pointer. */
static void begin(size_t frame)
{
	go_p(p, 0);
	array[0] = go_at(p);
	memset(timers, 0, sizeof(timers));
	memset(channel, 0, sizeof(channel));
	go_g(goroutine, stack, 32, frame);
	go_frame(stack, 8, 20, 0x111);
	go_frame(stack, 20, 0, 0x222);
	waits[0] = go_at(goroutine);
}

static void old(size_t i, uint64_t when, const void *f, const void *arg, uint32_t status)
{
	const uint64_t w[9] = {go_at(p), when, 0, go_at(f), 0, go_at(arg), 0, NOW + 99 * SECOND, status};

	memcpy(timers[i], w, sizeof(w));
	heap[i] = go_at(timers[i]);
	go_heap(p, heap, i + 1);
}

/* `front`: how many words are in front of the moment. */
static void new (size_t i, size_t front, uint64_t when, const void *f, const void *arg)
{
	const uint64_t w[7] = {when, 0, go_at(f), 0, go_at(arg), 0, go_at(p + GO_LOCK_AT)};

	memcpy(timers[i] + front, w, sizeof(w));
	heap[2 * i] = go_at(timers[i]);
	heap[2 * i + 1] = when;
	go_heap(p, heap, i + 1);
}

static void up_to_1_22(void **state)
{
	struct heard h;

	(void)state;
	begin(13);
	assert_int_equal(read_all(false, &h), 0);
	assert_int_equal(h.n, 0);
	channel[7] = channel[8] = go_at(waits);
	old(0, NOW, wake, goroutine, 1);
	old(1, NOW + SECOND, send, channel, 7); /* set anew: its moment is the other one */
	old(2, NOW, func, closure, 3);          /* stopped */
	old(3, NOW, func, closure, 1);
	assert_int_equal(read_all(false, &h), 0);
	assert_int_equal(h.n, 3);
	assert_true(h.t[0].when == NOW && h.t[0].code == CODE_WAKE && h.t[0].waiter == go_at(goroutine));
	assert_true(h.t[0].callers[0] == 0x111 && h.t[0].callers[1] == 0x222 && h.t[0].callers[2] == 0);
	assert_true(h.t[1].when == NOW + 99 * SECOND && h.t[1].code == CODE_SEND && h.t[1].callers[1] == 0x222);
	assert_true(h.t[2].code == CODE_FUNC && h.t[2].func == CODE_CLOSURE && h.t[2].waiter == 0);
}

static void since_1_23(void **state)
{
	struct heard h;

	(void)state;
	for (size_t front = 2; front <= 3; front++) {
		begin(10 + front);
		channel[4] = go_at(timers[0]);
		channel[8] = channel[9] = go_at(waits);
		new (0, front, NOW, send, channel);
		new (1, front, NOW + SECOND, func, closure);
		new (2, front, 0, func, closure); /* stopped */
		assert_int_equal(read_all(true, &h), 0);
		assert_int_equal(h.n, 2);
		assert_true(h.t[0].when == NOW && h.t[0].waiter == go_at(goroutine) && h.t[0].callers[0] == 0x111);
		assert_true(h.t[1].when == NOW + SECOND && h.t[1].func == CODE_CLOSURE);
		channel[9] = go_at(channel); /* more than one waits */
		assert_int_equal(read_all(true, &h), 0);
		assert_true(h.n == 2 && h.t[0].waiter == 0 && h.t[0].callers[0] == 0);
		channel[9] = channel[8];
		channel[4] = go_at(timers[1]); /* not this timer's channel */
		assert_int_equal(read_all(true, &h), 0);
		assert_true(h.t[0].waiter == 0);
	}
}

static void what_does_not_check(void **state)
{
	struct heard h;

	(void)state;
	begin(13);
	old(0, NOW, wake, goroutine, 1);
	assert_int_equal(read_all(true, &h), -EINVAL); /* not of this version */
	timers[0][0] = 8;                              /* of no heap */
	assert_int_equal(read_all(false, &h), -EINVAL);
	heap[0] = 8; /* nothing is there */
	assert_int_equal(read_all(false, &h), -EINVAL);
	assert_int_equal(h.n, 0);
	p[GO_LOCK_AT + 4] = 2; /* counted differently: it is being changed */
	assert_int_equal(read_all(false, &h), -EAGAIN);
	p[GO_LOCK_AT + 2] = 1U << 20;
	assert_int_equal(read_all(false, &h), -EINVAL);
	p[GO_LOCK_AT + 3] = 1U << 21;
	assert_int_equal(read_all(false, &h), -EINVAL);
	go_heap(p, NULL, 1);
	assert_int_equal(read_all(false, &h), -EINVAL);
	array[0] = 0;
	assert_int_equal(read_all(false, &h), -EINVAL);
}

static void nobody_waits(void **state)
{
	struct heard h;

	(void)state;
	begin(13);
	old(0, NOW, wake, goroutine, 1);
	goroutine[9] = 0; /* no goroutine */
	assert_int_equal(read_all(false, &h), 0);
	assert_true(h.n == 1 && h.t[0].waiter == 0);
}

TEST_MAIN(cmocka_unit_test(up_to_1_22), cmocka_unit_test(since_1_23), cmocka_unit_test(what_does_not_check),
	  cmocka_unit_test(nobody_waits))
