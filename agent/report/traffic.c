/*
 * Rows of traffic with a sample of durations each (traffic.h).
 */
#include "report/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "protocols/protocol.h"
#include "report/areas.h"
#include "report/kinds.h"
#include "report/render_util.h"
#include "report/text.h"

#define KEY_SIZE (LIMIT_PEER_TEXT + 64U)

struct names {
	bool server;
	char protocol[16], operation[32], peer[LIMIT_PEER_TEXT];
};

struct row {
	char key[KEY_SIZE]; /* what makes it a row of its own, and the order of rows */
	struct names names;
	char connection[LIMIT_PEER_TEXT]; /* the peer of the first request's connection, as findings name it */
	bool others;                      /* of all that came past the limit, each of which counts as one */
	uint64_t requests, errors;
	uint32_t sample_us[TRAFFIC_SAMPLE];
	UT_hash_handle hh;
};

struct traffic {
	struct counters *counters;
	struct row *rows;
	uint64_t random;
};

struct traffic *traffic_new(uint64_t seed, struct counters *counters)
{
	struct traffic *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->random = seed;
	t->counters = counters;
	return t;
}

void traffic_free(struct traffic *t)
{
	struct row *row, *next;
	if (t == NULL)
		return;
	HASH_ITER (hh, t->rows, row, next) {
		HASH_DEL(t->rows, row);
		free(row);
	}
	free(t);
}

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
static uint64_t next_random(struct traffic *t)
{
	uint64_t x = t->random += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* The names of a request's row, and its key. A service's own callers are no peers: they come and go. */
static void row_names(const struct request *r, struct names *ret, char key[KEY_SIZE])
{
	ret->server = r->server;
	ret->peer[0] = '\0';
	snprintf(ret->protocol, sizeof ret->protocol, "%s", r->protocol != NULL ? r->protocol->name : "unknown");
	if (!r->server) {
		unsigned int port = 0;
		char host[LIMIT_PEER_TEXT - 8];
		request_server(r, host, sizeof host, &port);
		snprintf(ret->peer, sizeof ret->peer, port != 0 ? "%s:%u" : "%s", host, port);
	}
	text_clean(r->method, ret->operation, sizeof ret->operation);
	snprintf(key, KEY_SIZE, "%c %s %s %s", r->server ? 's' : 'c', ret->protocol, ret->operation, ret->peer);
}

static struct row *row_of(struct traffic *t, const struct request *r)
{
	struct row *row = NULL;
	struct names names;
	char key[KEY_SIZE];
	row_names(r, &names, key);
	HASH_FIND_STR(t->rows, key, row);
	if (row == NULL && HASH_COUNT(t->rows) >= TRAFFIC_ROWS) {
		t->counters->limit[LIMIT_REACHED_SERIES]++;
		snprintf(key, sizeof key, "%c ~", r->server ? 's' : 'c');
		snprintf(names.peer, sizeof names.peer, "other");
		names.operation[0] = names.protocol[0] = '\0';
		HASH_FIND_STR(t->rows, key, row);
	}
	if (row != NULL)
		return row;
	row = calloc(1, sizeof *row);
	if (row == NULL)
		return NULL;
	memcpy(row->key, key, sizeof row->key);
	row->others = names.protocol[0] == '\0';
	row->names = names;
	HASH_ADD_STR(t->rows, key, row);
	return row;
}

void traffic_request(struct traffic *t, const struct request *r)
{
	char type[16];
	if (!request_end_seen(r))
		return;
	struct row *row = r->kind != NULL && r->kind->row != NULL ? r->kind->row : row_of(t, r);
	if (row == NULL)
		return;
	if (r->kind != NULL && !row->others)
		r->kind->row = row;
	const uint64_t us = r->t_end > r->t_start ? (r->t_end - r->t_start) / 1000U : 0;
	const uint64_t slot = row->requests < TRAFFIC_SAMPLE ? row->requests : next_random(t) % (row->requests + 1);
	if (row->requests == 0 && !r->server && r->conn != NULL)
		snprintf(row->connection, sizeof row->connection, "%s", r->conn->peer);
	row->requests++;
	row->errors += r->kind != NULL ? r->kind->error : request_error_type(r, type, sizeof type) != NULL;
	if (slot < TRAFFIC_SAMPLE)
		row->sample_us[slot] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static int by_key(struct row *a, struct row *b)
{
	return strcmp(a->key, b->key);
}

static int by_value(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static json_t *sample_json(const struct row *row)
{
	uint32_t sorted[TRAFFIC_SAMPLE];
	const size_t n = row->requests < TRAFFIC_SAMPLE ? (size_t)row->requests : TRAFFIC_SAMPLE;
	json_t *o = json_array();
	memcpy(sorted, row->sample_us, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_value);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(o, json_integer(sorted[i]));
	return o;
}

json_t *traffic_json(struct traffic *t)
{
	json_t *o = json_array();
	HASH_SORT(t->rows, by_key);
	for (const struct row *row = t->rows; row != NULL; row = row->hh.next)
		json_array_append_new(o, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "direction",
						   row->names.server ? "server" : "client", "protocol", row->names.protocol, "peer",
						   row->names.peer, "connection", row->connection, "operation",
						   row->names.operation, "requests", (json_int_t)row->requests, "errors",
						   (json_int_t)row->errors, "duration_us", sample_json(row)));
	return o;
}

json_t *traffic_row_like(const json_t *rows, const json_t *row)
{
	static const char *const keys[] = {"direction", "protocol", "operation", "peer"};
	size_t i;
	json_t *other;
	json_array_foreach (rows, i, other) {
		size_t k = 0;
		while (k < sizeof keys / sizeof *keys && strcmp(json_text(other, keys[k]), json_text(row, keys[k])) == 0)
			k++;
		if (k == sizeof keys / sizeof *keys)
			return other;
	}
	return NULL;
}
