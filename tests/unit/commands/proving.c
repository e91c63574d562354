/* What ties the conductor of proofs to a session: options are refused before anything starts, a dry run says its plan, and a fault is lifted at the end. */
#include "commands/proving.h"

#include <errno.h>
#include <jansson.h>

#include "commands/unit.h"
#include "core/monotonic.h"

struct scene {
	struct settings settings;
	struct pipeline pipeline;
	struct ingest *ingest;
	struct proving *proving;
	uint64_t seed;
};

static void open_scene(struct scene *s, const char *spec)
{
	const struct proving_of of = {0};
	char err[256] = "";

	*s = (struct scene){0};
	assert_int_equal(settings_load(&s->settings, run_flags, 1, WORDS("run"), err, sizeof(err)), 1);
	assert_int_equal(pipeline_init(&s->pipeline), 0);
	assert_int_equal(pipeline_ingest(&s->pipeline, &s->settings, &s->seed, &s->ingest, err, sizeof(err)), 0);
	if (proving_open(spec, &of, s->ingest, &s->pipeline, &s->proving, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(pipeline_open(&s->pipeline, &s->settings, "unit", s->seed), 0);
	assert_int_equal(proving_watch(s->proving), 0);
}

/* The report's proofs; the caller's. */
static json_t *close_scene(struct scene *s)
{
	json_t *report, *proofs;

	proving_end(s->proving, false);
	proving_end(s->proving, false); /* once is enough, twice does no harm */
	assert_int_equal(ingest_shared(s->ingest)->fault.way, WIRE_FAULT_NONE);
	session_finish(s->pipeline.session, ingest_now_ns(s->ingest));
	report = session_report(s->pipeline.session);
	proofs = json_incref(json_object_get(report, "proofs"));
	json_decref(report);
	proving_close(s->proving);
	pipeline_done(&s->pipeline);
	ingest_free(s->ingest);
	return proofs;
}

static void nothing_is_asked(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, NULL);
	assert_null(s.proving);
	proving_tick(s.proving);
	assert_int_equal(json_array_size(close_scene(&s)), 0);
}

static void refuses(void **state)
{
	const struct proving_of of = {0};
	struct proving *p = (struct proving *)&of;
	char err[256] = "";

	(void)state;
	assert_int_equal(proving_open("faults=thunder", &of, NULL, NULL, &p, err, sizeof(err)), -EINVAL);
	assert_null(p);
	assert_non_null(strstr(err, "thunder"));
}

static void dry_run(void **state)
{
	struct scene s;
	json_t *proofs;

	(void)state;
	open_scene(&s, "dry,faults=dns");
	proving_tick(s.proving);
	assert_int_equal(ingest_shared(s.ingest)->fault.relay_port, 0); /* there is no relay */
	proofs = close_scene(&s);
	assert_int_equal(json_array_size(proofs), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(proofs, 0), "outcome")), "planned");
	json_decref(proofs);
}

/* Of a program that is about to start: the first connection counts. */
static void fault_begins_at_once(void **state)
{
	struct scene s;
	const struct wire_fault *f;
	json_t *proofs;

	(void)state;
	open_scene(&s, "faults=refuse");
	f = &ingest_shared(s.ingest)->fault;
	assert_int_equal(f->way, WIRE_FAULT_REFUSE);
	assert_int_not_equal(f->refuse_port, 0);
	proving_tick(s.proving);
	assert_true(f->until_ns > monotonic_ns());
	proofs = close_scene(&s); /* nobody came: nothing is said of anybody */
	assert_int_equal(json_array_size(proofs), 0);
	json_decref(proofs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_asked), cmocka_unit_test(refuses), cmocka_unit_test(dry_run),
					   cmocka_unit_test(fault_begins_at_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
