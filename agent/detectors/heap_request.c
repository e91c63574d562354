/*
 * Memory by request: how much serving one allocates, and whether a request can choose it. What a thread allocates counts for the request that
 * it serves; a server that serves several at once on one thread has averages that are right and single ones that may be its neighbour's.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/heap.h"

#define SLACK_BYTES 4096.0 /* heads and terminators that go with what was asked for */
#define SLACK_SHARE 1.02
#define MOST 0.5
#define BODY_FACTOR 4.0 /* buffers are often larger than what they hold, or have to hold it twice */

/* "GET /orders/#": numbers and long words of a path are values, not names. */
static void name_operation(const struct request *r, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "%s ", r->summary[0] ? r->summary : r->method);

	for (const char *p = r->summary[0] ? "" : r->path; *p && n + 2 < size;) {
		const size_t word = strcspn(p + 1, "/") + 1;
		const bool value = strcspn(p, "0123456789") < word || word > 32;

		if (value)
			n += (size_t)snprintf(buf + n, size - n, "%s", *p == '/' ? "/#" : "#");
		else
			n += (size_t)snprintf(buf + n, size - n, "%.*s", (int)word, p);
		p += word;
	}
	if (n > 0 && n < size && buf[n - 1] == ' ')
		buf[n - 1] = '\0';
}

static struct heap_operation *operation_of(struct heap *h, const struct request *r)
{
	char name[HEAP_OPERATION_SIZE] = {0};
	struct heap_operation *o;

	name_operation(r, name, sizeof name);
	HASH_FIND_STR(h->operations, name, o);
	if (!o && HASH_COUNT(h->operations) >= HEAP_OPERATIONS) {
		snprintf(name, sizeof name, "other");
		HASH_FIND_STR(h->operations, name, o);
	}
	if (!o && (o = calloc(1, sizeof *o))) {
		memcpy(o->name, name, sizeof name);
		o->first_ns = r->t_start;
		HASH_ADD_STR(h->operations, name, o);
	}
	return o;
}

/* The space-saving algorithm: a new one takes the place, and the count, of the rarest. */
void heap_request_alloc(struct heap *h, struct heap_group *g, const struct request *r)
{
	const struct heap_operation *const o = operation_of(h, r);
	struct heap_route *rarest = &g->routes[0];

	for (struct heap_route *at = g->routes; at < g->routes + HEAP_ROUTES; at++) {
		if (o && at->operation == o) {
			at->samples++;
			return;
		}
		if (at->samples < rarest->samples)
			rarest = at;
	}
	if (o)
		*rarest = (struct heap_route){.operation = o, .samples = rarest->samples + 1, .over = rarest->samples};
}

const struct heap_operation *heap_request_of(const struct heap_group *g, double *ret_share)
{
	for (const struct heap_route *at = g->routes; at < g->routes + HEAP_ROUTES; at++) {
		const double share = g->amount.samples ? (double)(at->samples - at->over) / (double)g->amount.samples : 0;

		if (at->operation && share > MOST) {
			*ret_share = share;
			return at->operation;
		}
	}
	return NULL;
}

static bool about(double size, double wanted)
{
	return size >= wanted && size <= wanted * SLACK_SHARE + SLACK_BYTES;
}

/* Is there a number in the text that this size may come from, as it stands or as a count of things of 2, 4, 8 or 16 bytes? */
static double named(const char *text, double size)
{
	for (const char *p = text; *p;) {
		if (!isdigit((unsigned char)*p)) {
			p++;
			continue;
		}
		char *end;
		const double n = strtod(p, &end);

		for (unsigned int each = 1; n > 0 && each <= 16; each *= 2) {
			if (about(size, n * each))
				return n;
		}
		p = end > p ? end : p + 1;
		while (isdigit((unsigned char)*p))
			p++;
	}
	return 0;
}

static void judge_size(struct heap *h, const struct request *r, const struct heap_operation *o)
{
	const double size = (double)r->alloc_largest, body = (double)r->request_bytes;
	char message[512], bytes[32];
	const char *by = NULL;

	if (size < h->env.options[HEAP_HUGE_BYTES])
		return;
	if (named(r->query, size) > 0)
		by = "a number in its query";
	else if (named(r->path, size) > 0)
		by = "a number in its path";
	else if (size >= body / SLACK_SHARE && size <= body * BODY_FACTOR)
		by = "the size of its body";
	if (!by)
		return;
	snprintf(message, sizeof message, "%s: %s in one allocation, as %s has it", o->name,
		 heap_bytes_text(size, bytes, sizeof bytes), by);
	const struct finding f = {
		.rule = &heap_rules[HEAP_REQUEST_SIZE],
		.severity = heap_rules[HEAP_REQUEST_SIZE].severity,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = "",
		.operation = o->name,
		.stack = r->alloc_largest_stack,
		.key = o->name,
		.count = 1,
		.first_seen_ns = r->t_start,
		.last_seen_ns = r->t_end > r->t_start ? r->t_end : r->t_start,
		.evidence = json_pack("{s:I, s:s, s:I}", "bytes", (json_int_t)r->alloc_largest, "by", by, "request_bytes",
				      (json_int_t)r->request_bytes),
		.message = message,
		.request_id = r->id,
	};
	h->env.emit(h->env.emit_ctx, &f);
}

void heap_request_end(struct heap *h, const struct request *r)
{
	struct heap_operation *o = operation_of(h, r);

	if (!o)
		return;
	o->requests++;
	o->samples += r->alloc_samples;
	o->bytes += r->alloc_bytes;
	o->last_ns = r->t_end > r->t_start ? r->t_end : r->t_start;
	if (r->alloc_largest > o->largest) {
		o->largest = r->alloc_largest;
		o->stack = r->alloc_largest_stack;
	}
	judge_size(h, r, o);
}

void heap_requests_finish(struct heap *h)
{
	char message[512], bytes[32];

	for (struct heap_operation *o = h->operations; o; o = o->hh.next) {
		const double each = o->requests ? o->bytes / (double)o->requests : 0;

		if (each < h->env.options[HEAP_REQUEST_BYTES] || (double)o->requests < h->env.options[HEAP_MIN_REQUESTS] ||
		    (double)o->samples < h->env.options[HEAP_MIN_SAMPLES])
			continue;
		snprintf(message, sizeof message, "%s: about %s of memory for each of %" PRIu64 " requests", o->name,
			 heap_bytes_text(each, bytes, sizeof bytes), o->requests);
		const struct finding f = {
			.rule = &heap_rules[HEAP_REQUEST],
			.severity = heap_rules[HEAP_REQUEST].severity,
			.confidence = CONFIDENCE_OBSERVED,
			.peer = "",
			.operation = o->name,
			.stack = o->stack,
			.key = o->name,
			.count = o->requests,
			.first_seen_ns = o->first_ns,
			.last_seen_ns = o->last_ns,
			.evidence = json_pack("{s:I, s:I, s:I, s:I}", "bytes_per_request", (json_int_t)each, "requests",
					      (json_int_t)o->requests, "largest_bytes", (json_int_t)o->largest, "samples",
					      (json_int_t)o->samples),
			.message = message,
		};
		h->env.emit(h->env.emit_ctx, &f);
	}
}
