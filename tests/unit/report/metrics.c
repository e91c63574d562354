/* The session's metrics. */
#include "sample.h"

#include <arpa/inet.h>

#include "core/samples.h"
#include "report/metrics.h"

static const struct metric *find(const struct metric *m, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(m[i].name, name) == 0)
			return &m[i];
	return NULL;
}

static const struct metric_point *point(const struct metric *m, const char *value)
{
	for (size_t i = 0; m != NULL && i < m->points_n; i++)
		for (size_t k = 0; k < m->points[i].attrs_n; k++)
			if (m->points[i].attrs[k].type == ATTR_STRING && strcmp(m->points[i].attrs[k].s, value) == 0)
				return &m->points[i];
	return NULL;
}

static void all(void **state)
{
	(void)state;
	struct counters counters = {.published = 5, .log_bytes_seen = 100, .log_bytes_read = 90};
	counters.retries_out = 4;
	counters.retries_in = 6;
	counters.requests_in_good = 8;
	counters.requests_in_failed = 9;
	counters.lost[WIRE_LOSS_NESTED] = 3;
	counters.limit[LIMIT_REACHED_PEERS] = 2;
	counters.protocol_resync = 7;
	struct stacks *stacks = stacks_new();
	struct findings *findings = findings_new(stacks, &counters);
	struct metrics *m = metrics_new(&counters, findings);
	size_t n;
	const struct metric *list = metrics_snapshot(m, 1, 2, &n);
	/* nothing happened: no empty envelopes, but the zeros of losses are said */
	assert_null(find(list, n, "http.client.request.duration"));
	assert_null(find(list, n, "gapscope.events"));
	assert_null(find(list, n, "gapscope.findings"));
	assert_true(point(find(list, n, "gapscope.events.lost"), "ring_full")->value == 0);
	assert_true(point(find(list, n, "gapscope.events.lost"), "nested")->value == 3);
	assert_int_equal(find(list, n, "gapscope.events.lost")->points_n, WIRE_LOSS_CAUSES - 1);
	assert_true(point(find(list, n, "gapscope.limits.reached"), "peers")->value == 2);
	assert_true(find(list, n, "gapscope.protocol.resyncs")->points[0].value == 7);
	assert_true(point(find(list, n, "gapscope.log.bytes"), "seen")->value == 100);
	assert_true(point(find(list, n, "gapscope.log.bytes"), "scanned")->value == 90);
	assert_true(find(list, n, "gapscope.records.published")->points[0].value == 5);
	assert_true(point(find(list, n, "gapscope.retries"), "client")->value == 4);
	assert_true(point(find(list, n, "gapscope.retries"), "server")->value == 6);
	assert_true(point(find(list, n, "gapscope.server.answers"), "good")->value == 8);
	assert_true(point(find(list, n, "gapscope.server.answers"), "failed")->value == 9);

	static const uint16_t ids[] = {WIRE_READ, WIRE_WRITE, WIRE_POLL, 9999};
	for (size_t i = 0; i < 4; i++)
		metrics_event(m, &(struct event){.id = ids[i]});
	struct conn c = {.peer = "payments:80"};
	struct request r = {.conn = &c, .method = "GET", .status = 200, .version = 11, .t_start = 0, .t_end = 30000000};
	metrics_request(m, &r);
	metrics_request(m, &r);
	r.end = REQUEST_PENDING;
	metrics_request(m, &r);
	r.end = REQUEST_DONE;
	r.end_unseen = true; /* neither of these has a duration */
	metrics_request(m, &r);
	r.end_unseen = false;
	r.server = true;
	metrics_request(m, &r);
	struct finding f = sample_finding(0);
	findings_emit(findings, &f);
	f.key = "b";
	findings_emit(findings, &f);
	f.key = "c";
	f.severity = SEVERITY_INFO;
	findings_emit(findings, &f);

	list = metrics_snapshot(m, 1, 2, &n);
	const struct metric *client = find(list, n, "http.client.request.duration");
	assert_string_equal(client->unit, "s");
	assert_int_equal(client->bounds_n, 14);
	assert_int_equal(client->points_n, 1);
	assert_int_equal(client->points[0].count, 2);
	assert_int_equal(client->points[0].buckets[3], 2); /* 30 ms: above .025, up to .05 */
	assert_non_null(point(client, "payments"));
	assert_non_null(point(find(list, n, "http.server.request.duration"), "http"));
	assert_true(point(find(list, n, "gapscope.requests"), "pending")->value == 1);
	assert_true(point(find(list, n, "gapscope.requests"), "unseen")->value == 1);
	assert_true(point(find(list, n, "gapscope.requests"), "server")->value == 1);
	assert_true(point(find(list, n, "gapscope.events"), "data")->value == 2);
	assert_true(point(find(list, n, "gapscope.events"), "wait")->value == 1);
	assert_true(point(find(list, n, "gapscope.findings"), "error")->value == 2);
	assert_true(point(find(list, n, "gapscope.findings"), "info")->value == 1);
	metrics_free(m);
	findings_free(findings);
	stacks_free(stacks);
}

/* The kernel's sums: by the name of the peer where a connection told it, in place of what was sampled of single connections. */
static void by_the_kernel(void **state)
{
	struct counters counters = {0};
	struct stacks *stacks = stacks_new();
	struct findings *findings = findings_new(stacks, &counters);
	struct metrics *m = metrics_new(&counters, findings);
	struct conn c = {.id = 1, .kind = CONN_TCP, .role = CONN_CLIENT, .peer = "payments:80"};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x0a000009)};
	struct sample_tcp s = {.established = 4, .reset = 1, .retransmits = 7};
	struct sample_life life = {.forks = 3, .killed = 1, .lost_peers = 2};
	struct event tcp = {.id = WIRE_SAMPLE_TCP, .a0 = WIRE_ROLE_CLIENT, .data = (const uint8_t *)&s, .data_len = sizeof s};
	const struct event lived = {.id = WIRE_SAMPLE_LIFE, .data = (const uint8_t *)&life, .data_len = sizeof life};
	const struct metric *list;
	size_t n;

	(void)state;
	memcpy(&c.peer_addr, &at, sizeof at);
	memcpy(s.address, &at, sizeof at);
	metrics_bytes(m, &c, DIR_OUT, 10);
	metrics_retransmits(m, &c, 2); /* before the kernel was asked */
	metrics_kernel(m, &tcp);
	metrics_kernel(m, &lived);
	metrics_retransmits(m, &c, 9);
	s.retransmits = 8;
	metrics_kernel(m, &tcp); /* sums, not changes */
	s = (struct sample_tcp){.closed = 5};
	tcp.a0 = WIRE_ROLE_SERVER;
	metrics_kernel(m, &tcp);
	metrics_kernel(m, &(struct event){.id = WIRE_SAMPLE_TCP, .data = (const uint8_t *)&s, .data_len = 8}); /* cut off */
	list = metrics_snapshot(m, 1, 2, &n);
	assert_true(find(list, n, "gapscope.tcp.retransmits")->points[0].value == 10);
	assert_non_null(point(find(list, n, "gapscope.tcp.retransmits"), "payments"));
	assert_true(point(find(list, n, "gapscope.tcp.changes"), "established")->value == 4);
	assert_true(point(find(list, n, "gapscope.tcp.changes"), "reset")->value == 1);
	assert_true(point(find(list, n, "gapscope.tcp.changes"), "server")->value == 5);
	assert_true(point(find(list, n, "gapscope.process.changes"), "fork")->value == 3);
	assert_true(point(find(list, n, "gapscope.process.changes"), "killed")->value == 1);
	assert_true(point(find(list, n, "gapscope.tcp.uncounted"), "peers")->value == 2);
	metrics_free(m);
	findings_free(findings);
	stacks_free(stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all), cmocka_unit_test(by_the_kernel)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
