/*
 * What a span costs to encode: spans a second of one core, items and the envelope around 512 of them, as protobuf in one pass, as protobuf
 * from protobuf-c's trees (for comparison), and as OTLP JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exporters/otlp_encode_private.h"
#include "exporters/otlp_json.h"

#define BATCH 512U
#define ROUNDS 200U
#define TRIES 3U

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const struct resource *about(void)
{
	static const struct attr attrs[] = {{.key = "service.name", .type = ATTR_STRING, .s = "bench"}};
	static const struct resource r = {.attrs = attrs, .attrs_n = 1};
	return &r;
}

static struct span make_span(unsigned int n)
{
	struct span s = {
		.trace_id = {1}, .span_id = {2}, .kind = SPAN_CLIENT, .name = "GET", .start_ns = 1000 + n, .end_ns = 2000 + n};
	static const char *const keys[] = {"http.request.method",   "url.full",          "server.address",
					   "network.peer.address",  "url.scheme",        "user_agent.original",
					   "network.protocol.name", "code.function.name"};
	for (size_t i = 0; i < 8; i++)
		s.attrs[s.attrs_n++] = (struct attr){.key = keys[i], .type = ATTR_STRING, .s = "a value of some length"};
	for (size_t i = 0; i < 4; i++)
		s.attrs[s.attrs_n++] = (struct attr){.key = "http.response.status_code", .type = ATTR_INT, .i = (int64_t)(200 + i)};
	memcpy(s.span_id, &n, sizeof n);
	return s;
}

static ProtobufCBinaryData id(uint8_t *bytes, size_t len)
{
	return (ProtobufCBinaryData){.len = len, .data = bytes};
}

/* As otlp_encode_span, by protobuf-c: a tree, then its bytes. */
static int tree_span(struct span *s, struct bytes *ret)
{
	struct attr_tree attrs;
	int rc = attr_tree_make(s->attrs, s->attrs_n, &attrs);
	if (rc != 0)
		return rc;
	Otlp__Span span = OTLP__SPAN__INIT;
	span.trace_id = id(s->trace_id, sizeof s->trace_id);
	span.span_id = id(s->span_id, sizeof s->span_id);
	span.flags = 0x100U | s->trace_flags;
	span.name = (char *)s->name;
	span.kind = (Otlp__Span__SpanKind)s->kind;
	span.start_time_unix_nano = s->start_ns;
	span.end_time_unix_nano = s->end_ns;
	span.n_attributes = attrs.n;
	span.attributes = attrs.list;
	rc = message_pack(&span.base, ret);
	attr_tree_done(&attrs);
	return rc;
}

/* Both ways lead to the same bytes. */
static void agree(void)
{
	struct span s = make_span(7);
	struct bytes tree, pass;
	if (tree_span(&s, &tree) != 0 || otlp_encode_span(&s, 128, &pass) != 0 || tree.len != pass.len ||
	    memcmp(tree.data, pass.data, tree.len) != 0)
		abort();
	free(tree.data);
	free(pass.data);
}

enum way { ONE_PASS, TREE, JSON };

/* Spans a second and core. */
static double rate(enum way way)
{
	const bool json = way == JSON;
	double best = 0;
	for (unsigned int t = 0; t < TRIES; t++) {
		double start = cpu_s();
		for (unsigned int r = 0; r < (json ? ROUNDS / 10 : ROUNDS); r++) {
			struct bytes items[BATCH], request;
			for (unsigned int i = 0; i < BATCH; i++) {
				struct span s = make_span(r * BATCH + i);
				if ((way == TREE ? tree_span(&s, &items[i]) : otlp_encode_span(&s, 128, &items[i])) != 0)
					abort();
			}
			int rc = json ? otlp_json_request(EXPORT_SPANS, about(), items, BATCH, &request)
				      : otlp_encode_request(about(), items, BATCH, &request);
			if (rc != 0)
				abort();
			free(request.data);
			for (unsigned int i = 0; i < BATCH; i++)
				free(items[i].data);
		}
		double spans = (double)BATCH * (json ? ROUNDS / 10 : ROUNDS) / (cpu_s() - start);
		best = spans > best ? spans : best;
	}
	return best;
}

int main(void)
{
	agree();
	printf("{\"protobuf_spans_per_s\": %.0f, \"tree_spans_per_s\": %.0f, \"json_spans_per_s\": %.0f}\n", rate(ONE_PASS),
	       rate(TREE), rate(JSON));
	return 0;
}
