/* The model's front: observers in order, unknown events, ticks, the end. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "model/witness.h"

static void count(void *ctx, const struct event *e)
{
	(void)e;
	++*(int *)ctx;
}

static void observers_see_every_event(void **state)
{
	struct script s;
	int seen = 0;

	(void)state;
	script_init(&s);
	assert_int_equal(model_observe(s.model, &(struct observer){.event = count}, &seen), 0);
	script_event(&s, (struct event){.id = 9999, .fd = -1});
	script_event(&s, (struct event){.id = WIRE_SOURCE_INFO, .fd = -1});
	script_socket(&s, 5);
	assert_int_equal(seen, 3);
	assert_non_null(model_conn(s.model, 100, 5));
	assert_null(model_conn(s.model, 100, 6));
	assert_null(model_conn(s.model, 101, 5));
	script_done(&s);
}

struct heard {
	char *text; /* of both observers, in order */
	char who;
};

static void hear(void *ctx, const struct event *e)
{
	const struct heard *h = ctx;

	snprintf(h->text + strlen(h->text), 128 - strlen(h->text), "%c%u ", h->who, e->id);
}

/* Reads, writes and waits are not for all; who wants which does not change the order of observers. */
static void common_events_are_for_those_who_want_them(void **state)
{
	struct script s;
	char text[128] = "", want[128];
	struct heard first = {text, 'a'}, second = {text, 'b'}, third = {text, 'c'};

	(void)state;
	script_init(&s);
	assert_int_equal(model_observe(s.model, &(struct observer){.rare_event = hear}, &first), 0);
	assert_int_equal(model_observe(s.model, &(struct observer){.event = hear}, &second), 0);
	assert_int_equal(model_observe(s.model, &(struct observer){.rare_event = hear}, &third), 0);
	script_event(&s, (struct event){.id = WIRE_READ, .fd = 5});
	script_event(&s, (struct event){.id = WIRE_EPOLL_WAIT, .fd = 5});
	script_event(&s, (struct event){.id = WIRE_CLOSE, .fd = 5});
	script_event(&s, (struct event){.id = 9999, .fd = -1});
	snprintf(want, sizeof(want), "b%u b%u a%u b%u c%u a9999 b9999 c9999 ", WIRE_READ, WIRE_EPOLL_WAIT, WIRE_CLOSE, WIRE_CLOSE,
		 WIRE_CLOSE);
	assert_string_equal(text, want);
	script_done(&s);
}

static void unknown_events_change_nothing(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, NULL);
	script_event(&s, (struct event){.id = 9999, .fd = 3});
	script_event(&s, (struct event){.id = WIRE_MODULE, .fd = 3});
	witness_is(&w, "");
	script_done(&s);
}

static void vfork_children_do_not_act_for_the_parent(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	script_socket(&s, 5);
	script_event(&s, (struct event){.id = WIRE_CLOSE, .fd = 5, .flags = WIRE_F_VFORK_CHILD});
	assert_non_null(model_conn(s.model, 100, 5));
	script_close(&s, 5);
	assert_null(model_conn(s.model, 100, 5));
	script_done(&s);
}

static void time_and_ticks(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "tick");
	script_pass(&s, SCRIPT_SEC);
	script_tick(&s);
	assert_true(model_now(s.model) == SCRIPT_EPOCH + SCRIPT_SEC);
	model_finish(s.model, SCRIPT_EPOCH + 3 * SCRIPT_SEC);
	model_finish(s.model, SCRIPT_EPOCH + 4 * SCRIPT_SEC);
	witness_is(&w, "tick 1\ntick 3\n");
	assert_true(model_now(s.model) == SCRIPT_EPOCH + 3 * SCRIPT_SEC);
	script_done(&s);
}

static void note_policy(void *ctx, uint32_t pid, int fd, uint8_t policy, uint64_t now_ns)
{
	struct witness *w = ctx;

	assert_true(now_ns > 0);
	witness_say(w, "policy", "%u %d %u", pid, fd, policy);
}

static void policy_reaches_every_descriptor(void **state)
{
	struct script s;
	struct witness w = {0};

	(void)state;
	script_init(&s);
	script_socket(&s, 5);
	model_set_policy(s.model, model_conn(s.model, 100, 5), 2);
	model_on_policy(s.model, note_policy, &w);
	script_dup(&s, 5, 9, 0);
	model_set_policy(s.model, model_conn(s.model, 100, 5), 2);
	witness_is(&w, "policy 100 9 2\npolicy 100 5 2\n");
	script_done(&s);
}

static void same_events_same_calls(void **state)
{
	static struct witness w[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct script s;
		script_init(&s);
		witness_init(&w[i], s.model, NULL);
		for (int fd = 3; fd < 40; fd++) {
			script_socket(&s, fd);
			script_connect(&s, fd, "10.0.0.1", (uint16_t)(fd * 7), fd % 3 ? 0 : ECONNREFUSED);
			script_write(&s, fd, "x");
		}
		script_fork(&s, 200);
		script_exit(&s, 100);
		script_finish(&s);
		script_done(&s);
	}
	assert_string_equal(w[0].text, w[1].text);
	assert_true(w[0].len > 1000);
}

static uint64_t random_state = 88172645463325252U;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Mostly small numbers, so that events meet; now and then any number. */
static uint64_t random_value(void)
{
	uint64_t kind = random_next() % 16;

	return kind == 0   ? random_next()
	       : kind == 1 ? UINT64_MAX
	       : kind == 2 ? random_next() % 12 << 32 | random_next() % 24
			   : random_next() % 24;
}

/* A recording may hold anything: every event with fields of every kind. */
static void any_event_does_no_harm(void **state)
{
	struct script s;
	static struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, NULL);
	for (int i = 0; i < 200000; i++) {
		size_t len = random_next() % 5 ? 0 : random_next() % 200;
		uint8_t *data = malloc(len + 1);
		assert_non_null(data);
		for (size_t at = 0; at < len; at++)
			data[at] = random_next() % 2 ? 0 : (uint8_t)random_next();
		uint64_t fails = random_next() % 4;
		script_event(&s, (struct event){.id = (uint16_t)(random_next() % 210),
						.pid = (uint32_t)(100 + random_next() % 6),
						.tid = (uint32_t)(100 + random_next() % 9),
						.fd = (int32_t)random_value(),
						.ret = fails ? (int64_t)random_value() : -1,
						.err = fails ? 0 : (uint16_t)(random_next() % 120),
						.flags = random_next() % 3 ? 0 : (uint16_t)(random_next() % 1024),
						.a0 = random_value(),
						.a1 = random_value(),
						.data = len ? data : NULL,
						.data_len = (uint32_t)len});
		free(data);
		w.len = 0;
	}
	script_finish(&s);
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(observers_see_every_event), cmocka_unit_test(common_events_are_for_those_who_want_them),
	  cmocka_unit_test(unknown_events_change_nothing), cmocka_unit_test(vfork_children_do_not_act_for_the_parent),
	  cmocka_unit_test(time_and_ticks), cmocka_unit_test(policy_reaches_every_descriptor),
	  cmocka_unit_test(same_events_same_calls), cmocka_unit_test(any_event_does_no_harm))
