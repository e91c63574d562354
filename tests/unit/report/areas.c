/* Names, keys and errors of each area. */
#include "test.h"

#include <string.h>

#include "report/areas.h"
#include "report/spans.h"

static const struct trace_ids ids = {.trace_id = {1}, .span_id = {2}};

static const char *value(const struct span *s, const char *key)
{
	for (size_t i = 0; i < s->attrs_n; i++)
		if (strcmp(s->attrs[i].key, key) == 0 && s->attrs[i].type == ATTR_STRING)
			return s->attrs[i].s;
	return "";
}

static const struct {
	struct request r;
	enum span_kind kind;
	const char *name, *key, *value, *error;
} rows[] = {
	{{.area = AREA_DB,
	  .system = "postgresql",
	  .method = "SELECT",
	  .target = "users",
	  .summary = "SELECT users",
	  .space = "shop"},
	 SPAN_CLIENT,
	 "SELECT users",
	 "db.collection.name",
	 "users",
	 ""},
	{{.area = AREA_DB, .system = "postgresql", .method = "SELECT", .failed = true, .status_text = "42P01"},
	 SPAN_CLIENT,
	 "SELECT",
	 "db.response.status_code",
	 "42P01",
	 "42P01"},
	{{.area = AREA_DB, .system = "redis"}, SPAN_CLIENT, "redis", "db.system.name", "redis", ""},
	{{.area = AREA_DB, .system = "redis", .method = "GET", .server = true}, SPAN_SERVER, "GET", "db.operation.name", "GET", ""},
	{{.area = AREA_DB, .system = "mysql", .method = "PING", .end = REQUEST_RESET},
	 SPAN_CLIENT,
	 "PING",
	 "db.system.name",
	 "mysql",
	 "ECONNRESET"},
	{{.area = AREA_RPC, .system = "grpc", .target = "shop.Cart/Get", .failed = true, .status_text = "NOT_FOUND"},
	 SPAN_CLIENT,
	 "shop.Cart/Get",
	 "rpc.response.status_code",
	 "NOT_FOUND",
	 "NOT_FOUND"},
	{{.area = AREA_RPC,
	  .system = "grpc",
	  .target = "shop.Cart/Get",
	  .server = true,
	  .failed = true,
	  .status_text = "NOT_FOUND"},
	 SPAN_SERVER,
	 "shop.Cart/Get",
	 "rpc.method",
	 "shop.Cart/Get",
	 ""},
	{{.area = AREA_RPC, .system = "grpc", .server = true, .failed = true, .status_text = "INTERNAL"},
	 SPAN_SERVER,
	 "grpc",
	 "rpc.system.name",
	 "grpc",
	 "INTERNAL"},
	{{.area = AREA_RPC, .system = "grpc", .server = true, .failed = true, .status_text = "CANCELLED", .end = REQUEST_ABANDONED},
	 SPAN_SERVER,
	 "grpc",
	 "rpc.response.status_code",
	 "CANCELLED",
	 ""},
	{{.area = AREA_RPC,
	  .system = "grpc",
	  .server = false,
	  .failed = true,
	  .status_text = "CANCELLED",
	  .end = REQUEST_ABANDONED},
	 SPAN_CLIENT,
	 "grpc",
	 "rpc.response.status_code",
	 "CANCELLED",
	 "CANCELLED"},
	{{.area = AREA_MESSAGING, .system = "kafka", .way = MESSAGE_SEND, .method = "send", .target = "orders"},
	 SPAN_PRODUCER,
	 "send orders",
	 "messaging.operation.type",
	 "send",
	 ""},
	{{.area = AREA_MESSAGING, .system = "rabbitmq", .way = MESSAGE_DELIVER, .method = "deliver", .target = "jobs"},
	 SPAN_CONSUMER,
	 "deliver jobs",
	 "messaging.destination.name",
	 "jobs",
	 ""},
	{{.area = AREA_MESSAGING, .system = "kafka", .method = "metadata"},
	 SPAN_CLIENT,
	 "metadata",
	 "messaging.system",
	 "kafka",
	 ""},
	{{.area = AREA_DNS, .method = "AAAA", .target = "a.test", .failed = true, .status_text = "NXDOMAIN"},
	 SPAN_CLIENT,
	 "DNS AAAA",
	 "dns.question.name",
	 "a.test",
	 "NXDOMAIN"},
	{{.area = AREA_HTTP, .method = "GET", .status = 503}, SPAN_CLIENT, "GET", "http.request.method", "GET", "503"},
};

static void spans(void **state)
{
	struct span_texts texts;
	struct span s;
	struct stacks *stacks = stacks_new();

	(void)state;
	assert_non_null(stacks);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		span_from_request(&rows[i].r, &ids, stacks, &texts, &s);
		assert_string_equal(s.name, rows[i].name);
		assert_int_equal(s.kind, rows[i].kind);
		assert_string_equal(value(&s, rows[i].key), rows[i].value);
		assert_string_equal(value(&s, "error.type"), rows[i].error);
		assert_int_equal(s.status, rows[i].error[0] ? SPAN_ERROR : SPAN_UNSET);
	}
	stacks_free(stacks);
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < AREA_N; i++) {
		const struct area *a = &area_table[i];
		assert_true(a->client_metric && a->client_doc && a->server_metric && a->server_doc && a->name && a->keys);
		assert_true(a->bounds_n > 0 && a->bounds_n < HISTOGRAM_BUCKETS_MAX);
		for (size_t k = 1; k < a->bounds_n; k++)
			assert_true(a->bounds[k] > a->bounds[k - 1]);
	}
}

static void encrypted_connections(void **state)
{
	struct conn c = {.peer = "10.0.0.1:8443", .handshake = {.version = 0x0304, .server_name = "api.test", .alpn = "h2"}};
	const struct request r = {.conn = &c, .area = AREA_DB, .system = "postgresql", .method = "SELECT"};
	struct span_texts texts;
	struct span s;
	struct stacks *stacks = stacks_new();

	(void)state;
	assert_non_null(stacks);
	span_from_request(&r, &ids, stacks, &texts, &s);
	assert_string_equal(value(&s, "server.address"), "api.test");
	assert_string_equal(value(&s, "tls.protocol.version"), "1.3");
	assert_string_equal(value(&s, "tls.next_protocol"), "h2");
	stacks_free(stacks);
}

TEST_MAIN(cmocka_unit_test(spans), cmocka_unit_test(every_row_is_whole), cmocka_unit_test(encrypted_connections))
