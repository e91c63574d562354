/* What the daemon knows of its services. */
#include "sample.h"

static void knows_services(void **state)
{
	struct board *b = sample_board();
	(void)state;

	assert_int_equal(b->n, 3);
	assert_null(board_add(b, "shop", "standard", "port 81")); /* the name is taken */
	assert_null(board_find(b, "nobody"));
	const uint64_t version = b->version;
	board_update(b, board_find(b, "shop"), BOARD_ENDED, NULL, 3);
	assert_int_equal(b->version, version + 1);
	assert_non_null(board_find(b, "shop")->report); /* the last report stays */
	assert_int_equal(board_find(b, "shop")->sessions, 1);
	sample_done(b);
}

static void is_bounded(void **state)
{
	struct board *b = calloc(1, sizeof(*b));
	char name[16];
	(void)state;

	assert_non_null(b);
	for (unsigned int i = 0; i < BOARD_SERVICES_MAX; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		assert_non_null(board_add(b, name, "standard", "x"));
	}
	assert_null(board_add(b, "more", "standard", "x"));
	sample_done(b);
}

static void sums_up(void **state)
{
	struct board *b = sample_board();
	json_t *shop = board_summary(b, board_find(b, "shop")), *job = board_summary(b, board_find(b, "job"));
	(void)state;

	assert_string_equal(json_string_value(json_object_get(shop, "state")), "watching");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(shop, "findings"), "error")), 1);
	assert_int_equal(json_integer_value(json_object_get(shop, "lost")), 2);
	assert_true(json_is_null(json_object_get(job, "score")));
	json_decref(shop);
	json_decref(job);
	sample_done(b);
}

static const char *verdict(struct board *b, const char *name)
{
	static char text[16];
	json_t *v = board_verdict(b, board_find(b, name), "2026-11-21");

	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(v, "verdict")));
	json_decref(v);
	return text;
}

static void judges(void **state)
{
	struct board *b = sample_board();
	(void)state;

	assert_string_equal(verdict(b, "shop"), "fail");
	assert_string_equal(verdict(b, "web"), "pass");
	assert_string_equal(verdict(b, "job"), "inconclusive");
	struct board_service *web = board_find(b, "web");
	snprintf(web->stable, sizeof(web->stable), "shop");
	board_update(b, web, BOARD_WATCHING, sample_report("error"), 3);
	assert_string_equal(verdict(b, "web"), "pass"); /* stable has it too */
	sample_done(b);
}

/* A pass is for the version that runs now. */
static void passes_what_is_watched_only(void **state)
{
	struct board *b = sample_board();
	struct board_service *web = board_find(b, "web"), *shop = board_find(b, "shop");
	(void)state;

	b->now_s = web->updated_s + BOARD_SILENT_S;
	assert_string_equal(verdict(b, "web"), "pass");
	b->now_s++; /* its session is stuck */
	assert_string_equal(verdict(b, "web"), "inconclusive");
	b->now_s = 0;
	board_update(b, web, BOARD_ENDED, NULL, 3);
	assert_string_equal(verdict(b, "web"), "inconclusive");
	board_update(b, shop, BOARD_REFUSED, NULL, 3);
	assert_string_equal(verdict(b, "shop"), "fail"); /* what was found stays found */
	/* its session has just begun: what takes its time was not told yet */
	board_update(b, web, BOARD_WATCHING, sample_report(NULL), 4);
	assert_string_equal(verdict(b, "web"), "pass");
	json_object_set_new(json_object_get(web->report, "service"), "end", json_string("2026-11-21T10:00:14.900Z"));
	assert_string_equal(verdict(b, "web"), "inconclusive");
	board_update(b, web, BOARD_ENDED, NULL, 4);
	/* the next version begins: what its predecessor did is no evidence, for or against */
	board_update(b, web, BOARD_WATCHING, NULL, 4);
	board_update(b, shop, BOARD_WATCHING, NULL, 4);
	assert_string_equal(verdict(b, "web"), "inconclusive");
	assert_string_equal(verdict(b, "shop"), "inconclusive");
	sample_done(b);
}

static void wants_the_stable_version(void **state)
{
	struct board *b = sample_board();
	struct board_service *shop = board_find(b, "shop"), *web = board_find(b, "web");
	(void)state;

	snprintf(shop->stable, sizeof(shop->stable), "job"); /* never seen: whether it has the finding, too, nobody knows */
	assert_string_equal(verdict(b, "shop"), "inconclusive");
	snprintf(web->stable, sizeof(web->stable), "job");
	assert_string_equal(verdict(b, "web"), "inconclusive");
	snprintf(shop->stable, sizeof(shop->stable), "web"); /* seen without it, for as long as it takes to see it */
	assert_string_equal(verdict(b, "shop"), "fail");
	json_object_set_new(json_object_get(web->report, "service"), "end", json_string("2026-11-21T10:00:14.900Z"));
	assert_string_equal(verdict(b, "shop"), "inconclusive");
	sample_done(b);
}

static void asks_by_tier(void **state)
{
	static const char text[] = "evidence: {requests: 50}\n";
	struct board *b = sample_board();
	char err[128];
	(void)state;

	assert_string_equal(verdict(b, "web"), "pass"); /* critical: 100 of 100 */
	json_object_set_new(json_object_get(board_find(b, "web")->report, "service"), "server_requests", json_integer(59));
	assert_string_equal(verdict(b, "web"), "inconclusive");
	board_update(b, board_find(b, "shop"), BOARD_WATCHING, sample_report("warning"), 3);
	assert_string_equal(verdict(b, "shop"), "fail"); /* standard */
	board_update(b, board_find(b, "job"), BOARD_WATCHING, NULL, 3);
	board_update(b, board_find(b, "job"), BOARD_WATCHING, sample_report("warning"), 3);
	assert_string_equal(verdict(b, "job"), "pass"); /* internal */
	assert_int_equal(policy_parse("p", text, sizeof(text) - 1, &b->policy, err, sizeof(err)), 0);
	assert_string_equal(verdict(b, "web"), "pass"); /* what the policy says itself wins */
	sample_done(b);
}

TEST_MAIN(cmocka_unit_test(knows_services), cmocka_unit_test(is_bounded), cmocka_unit_test(sums_up), cmocka_unit_test(judges),
	  cmocka_unit_test(passes_what_is_watched_only), cmocka_unit_test(wants_the_stable_version), cmocka_unit_test(asks_by_tier))
