/* Samplers of OTEL_TRACES_SAMPLER. */
#include "test.h"

#include "exporters/environment.h"
#include "exporters/otlp_sampler.h"

static const struct span root = {.trace_id = {[8] = 0x20}, .trace_flags = 1}; /* a quarter of 2^63 */
static const struct span sampled_child = {.trace_id = {[8] = 0x20}, .parent_id = {1}, .trace_flags = 1};
static const struct span other_child = {.trace_id = {[8] = 0x20}, .parent_id = {1}, .trace_flags = 0};

static void each(void **state)
{
	(void)state;
	static const struct {
		const char *name, *arg;
		bool root, sampled, other;
	} cases[] = {
		{"", "", true, true, false},
		{"parentbased_always_on", "", true, true, false},
		{"parentbased_always_off", "", false, true, false},
		{"parentbased_traceidratio", "0.2", false, true, false},
		{"parentbased_traceidratio", "0.3", true, true, false},
		{"always_on", "", true, true, true},
		{"always_off", "", false, false, false},
		{"traceidratio", "0.2", false, false, false},
		{"traceidratio", "0.3", true, true, true},
		{"traceidratio", "1", true, true, true},
		{"traceidratio", "0", false, false, false},
		{"traceidratio", "", true, true, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct otlp_sampler s;
		ENVIRONMENT("OTEL_TRACES_SAMPLER", cases[i].name, "OTEL_TRACES_SAMPLER_ARG", cases[i].arg);
		assert_true(otlp_sampler_read(env_of_test, &s));
		assert_int_equal(otlp_sampled(&s, &root), cases[i].root);
		assert_int_equal(otlp_sampled(&s, &sampled_child), cases[i].sampled);
		assert_int_equal(otlp_sampled(&s, &other_child), cases[i].other);
	}
}

static void unknown_ones_fall_back(void **state)
{
	(void)state;
	static const char *const args[] = {"2", "-1", "x", "nan"};
	struct otlp_sampler s;
	ENVIRONMENT("OTEL_TRACES_SAMPLER", "jaeger_remote");
	assert_false(otlp_sampler_read(env_of_test, &s));
	assert_true(otlp_sampled(&s, &root) && !otlp_sampled(&s, &other_child));
	for (size_t i = 0; i < sizeof args / sizeof *args; i++) {
		ENVIRONMENT("OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", args[i]);
		assert_false(otlp_sampler_read(env_of_test, &s));
		assert_true(otlp_sampled(&s, &root));
	}
}

TEST_MAIN(cmocka_unit_test(each), cmocka_unit_test(unknown_ones_fall_back))
