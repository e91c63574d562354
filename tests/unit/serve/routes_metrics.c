/* Prometheus text. */
#include "sample.h"

static void has_series(void **state)
{
	static const char *const lines[] = {
		"gapscope_service_watched{service=\"shop\"} 1\n",
		"gapscope_service_watched{service=\"job\"} 0\n",
		"gapscope_findings{service=\"shop\",rule=\"retry.unbounded\"} 1\n",
		"gapscope_findings{service=\"web\",rule=\"retry.unbounded\"} 0\n", /* explicit zeros */
		"gapscope_findings{service=\"job\",rule=\"deadline.response.missing\"} 0\n",
		"gapscope_findings{service=\"shop\",rule=\"data.log.iban\"} 2\n", /* of a family of rules */
		"gapscope_findings_by_severity{service=\"shop\",severity=\"error\"} 1\n",
		"gapscope_findings_by_severity{service=\"job\",severity=\"critical\"} 0\n",
		"gapscope_gate_verdict{service=\"shop\",verdict=\"fail\"} 1\n",
		"gapscope_gate_verdict{service=\"job\",verdict=\"inconclusive\"} 1\n",
		"gapscope_readiness_score{service=\"job\",area=\"all\"} NaN\n",
		"gapscope_server_requests_total{service=\"web\"} 60\n",
		"gapscope_records_lost_total{service=\"web\"} 2\n",
		"gapscope_service_watched{service=\"a\\\"b\\\\c\\nd\"} 0\n",
	};
	struct board *b = sample_board();
	(void)state;

	assert_non_null(board_add(b, "a\"b\\c\nd", "standard", "x"));
	json_t *list = json_object_get(board_find(b, "shop")->report, "findings");
	for (int i = 0; i < 2; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "rule", "data.log.iban", "severity", "warning"));
	struct route_answer a = sample_ask(b, "GET", "/metrics", NULL, NULL);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.type, "text/plain; version=0.0.4; charset=utf-8");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (!strstr(a.text, lines[i]))
			fail_msg("no %s", lines[i]);
	assert_null(strchr(a.text, '<'));
	free(a.made);
	sample_done(b);
}

TEST_MAIN(cmocka_unit_test(has_series))
