/* A request as a span: the attributes of the semantic conventions, and nothing that must not leave. */
#include <arpa/inet.h>

#include "sample.h"

#include "report/spans.h"

static const struct attr *find(const struct span *s, const char *key)
{
	for (size_t i = 0; i < s->attrs_n; i++)
		if (strcmp(s->attrs[i].key, key) == 0)
			return &s->attrs[i];
	return NULL;
}

static void has_text(const struct span *s, const char *key, const char *value)
{
	const struct attr *a = find(s, key);
	assert_non_null(a);
	assert_int_equal(a->type, ATTR_STRING);
	assert_string_equal(a->s, value);
}

static void has_int(const struct span *s, const char *key, int64_t value)
{
	const struct attr *a = find(s, key);
	assert_non_null(a);
	assert_int_equal(a->type, ATTR_INT);
	assert_int_equal(a->i, value);
}

static struct conn peer(void)
{
	struct conn c = {.role = CONN_CLIENT, .peer = "payments:8080"};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(0x7f000001)};
	memcpy(&c.peer_addr, &in, sizeof in);
	return c;
}

static struct request get(struct conn *c)
{
	return (struct request){
		.id = 1,
		.conn = c,
		.method = "GET",
		.path = "/charge",
		.query = "card=4111111111111111",
		.status = 200,
		.end = REQUEST_DONE,
		.t_start = 1000,
		.t_end = 2000,
		.version = 11,
	};
}

static const struct trace_ids ids = {.trace_id = {1}, .span_id = {2}, .parent_id = {3}, .flags = 1, .parent_remote = true};

static void client(void **state)
{
	(void)state;
	struct stacks *stacks = stacks_new();
	struct conn c = peer();
	struct request r = get(&c);
	struct span_texts texts;
	struct span s;
	r.resend_count = 2;
	r.stack = sample_stack(stacks, "charge", "app", 0x10, 88);
	span_from_request(&r, &ids, stacks, &texts, &s);
	assert_string_equal(s.name, "GET");
	assert_int_equal(s.kind, SPAN_CLIENT);
	assert_int_equal(s.status, SPAN_UNSET);
	assert_int_equal(s.start_ns, 1000);
	assert_int_equal(s.end_ns, 2000);
	assert_memory_equal(s.trace_id, ids.trace_id, 16);
	assert_memory_equal(s.parent_id, ids.parent_id, 8);
	has_text(&s, "http.request.method", "GET");
	has_text(&s, "url.full", "http://payments:8080/charge?card=REDACTED");
	has_text(&s, "server.address", "payments");
	has_int(&s, "server.port", 8080);
	has_text(&s, "network.peer.address", "127.0.0.1");
	has_int(&s, "network.peer.port", 8080);
	has_int(&s, "http.response.status_code", 200);
	has_int(&s, "http.request.resend_count", 2);
	has_text(&s, "network.protocol.version", "1.1");
	has_text(&s, "code.function.name", "charge");
	has_text(&s, "code.file.path", "src/app.c");
	has_int(&s, "code.line.number", 88);
	assert_null(find(&s, "error.type"));
	assert_null(find(&s, "url.path"));
	stacks_free(stacks);
}

static void server(void **state)
{
	(void)state;
	struct stacks *stacks = stacks_new();
	struct conn c = peer();
	struct request r = get(&c);
	struct span_texts texts;
	struct span s;
	r.server = true;
	r.status = 404;
	strcpy(r.host, "shop.example:81");
	span_from_request(&r, &ids, stacks, &texts, &s);
	assert_int_equal(s.kind, SPAN_SERVER);
	assert_int_equal(s.status, SPAN_UNSET); /* 4xx is the client's error */
	has_text(&s, "url.scheme", "http");
	has_text(&s, "url.path", "/charge");
	has_text(&s, "url.query", "card=REDACTED");
	has_text(&s, "server.address", "shop.example");
	has_int(&s, "server.port", 81);
	assert_null(find(&s, "url.full"));
	assert_null(find(&s, "network.peer.address")); /* who a client is, is personal data */
	assert_null(find(&s, "error.type"));
	stacks_free(stacks);
}

static void errors(void **state)
{
	(void)state;
	static const struct {
		bool server;
		int status;
		enum request_end end;
		const char *type;
	} cases[] = {
		{false, 200, REQUEST_DONE, NULL},           {false, 404, REQUEST_DONE, "404"},
		{false, 503, REQUEST_DONE, "503"},          {true, 404, REQUEST_DONE, NULL},
		{true, 500, REQUEST_DONE, "500"},           {false, 0, REQUEST_EOF, "eof"},
		{false, 0, REQUEST_RESET, "ECONNRESET"},    {false, 0, REQUEST_REFUSED, "ECONNREFUSED"},
		{false, 0, REQUEST_ABANDONED, "abandoned"}, {false, 0, REQUEST_PENDING, NULL},
		{false, 200, REQUEST_RESET, "ECONNRESET"},
	};
	struct stacks *stacks = stacks_new();
	struct conn c = peer();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct request r = get(&c);
		struct span_texts texts;
		struct span s;
		r.server = cases[i].server;
		r.status = cases[i].status;
		r.end = cases[i].end;
		span_from_request(&r, &ids, stacks, &texts, &s);
		assert_int_equal(s.status, cases[i].type != NULL ? SPAN_ERROR : SPAN_UNSET);
		if (cases[i].type != NULL)
			has_text(&s, "error.type", cases[i].type);
		else
			assert_null(find(&s, "error.type"));
		assert_int_equal(find(&s, "gapscope.request.end") != NULL, cases[i].end == REQUEST_PENDING);
		r.end_unseen = true;
		span_from_request(&r, &ids, stacks, &texts, &s);
		has_text(&s, "gapscope.request.end", "unseen");
		assert_true(s.attrs_n < SPAN_ATTRS_MAX);
	}
	stacks_free(stacks);
}

static void an_unknown_method_is_not_in_the_name(void **state)
{
	(void)state;
	struct stacks *stacks = stacks_new();
	struct conn c = peer();
	struct request r = get(&c);
	struct span_texts texts;
	struct span s;
	strcpy(r.method, "_OTHER");
	strcpy(r.method_original, "BREW");
	r.version = 10;
	r.t_end = 0; /* never ended */
	span_from_request(&r, &ids, stacks, &texts, &s);
	assert_string_equal(s.name, "HTTP");
	has_text(&s, "http.request.method", "_OTHER");
	has_text(&s, "http.request.method_original", "BREW");
	has_text(&s, "network.protocol.version", "1.0");
	assert_int_equal(s.end_ns, s.start_ns);
	stacks_free(stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(client), cmocka_unit_test(server), cmocka_unit_test(errors),
					   cmocka_unit_test(an_unknown_method_is_not_in_the_name)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
