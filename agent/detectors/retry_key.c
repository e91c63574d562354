/*
 * The table of operations. Bounded by LIMIT_OPERATIONS: the one unused for longest makes room if nothing is known against it; when none
 * such is among the oldest, the new one is not followed, and that is counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/retry.h"

#define CONNECT_FIRST 1U
#define EVICT_LOOK 16U /* oldest operations that are looked at for one to forget */

static void key_free(struct retry *r, struct retry_key *k)
{
	retry_client_done(r, k);
	free(k->peer);
	free(k->operation);
	free(k);
}

static bool forget_one(struct retry *r)
{
	struct retry_key *k = r->keys;

	for (unsigned int i = 0; k && i < EVICT_LOOK; i++, k = k->hh.next) {
		if (!k->failures && !k->first.seq.active && !k->dirty) {
			HASH_DEL(r->keys, k);
			key_free(r, k);
			return true;
		}
	}
	return false;
}

struct retry_key *retry_key_get(struct retry *r, enum retry_kind kind, const char *peer, const char *operation, uint64_t hash,
				uint32_t stack)
{
	const struct retry_key_id id = {.operation = hash, .peer = evidence_hash(EVIDENCE_HASH_SEED, peer, strlen(peer))};
	struct retry_key *k;

	HASH_FIND(hh, r->keys, &id, sizeof id, k);
	if (k)
		return k;
	if (HASH_COUNT(r->keys) >= LIMIT_OPERATIONS && !forget_one(r)) {
		r->env.counters->limit[LIMIT_REACHED_OPERATIONS]++;
		return NULL;
	}
	k = calloc(1, sizeof *k);
	if (!k)
		return NULL;
	k->id = id;
	k->kind = kind;
	retry_client_init(k);
	k->stack = stack;
	k->peer = strdup(peer);
	k->operation = strdup(operation);
	if (!k->peer || !k->operation)
		goto fail;
	HASH_ADD(hh, r->keys, id, sizeof id, k);
	if (!k->hh.tbl)
		goto fail;
	return k;
fail:
	key_free(r, k);
	return NULL;
}

struct retry_key *retry_key_find(struct retry *r, const char *peer, uint64_t hash)
{
	const struct retry_key_id id = {.operation = hash, .peer = evidence_hash(EVIDENCE_HASH_SEED, peer, strlen(peer))};
	struct retry_key *k;

	HASH_FIND(hh, r->keys, &id, sizeof id, k);
	return k;
}

/* Some connects come without a stack (snapshots are taken now and then): those belong to the peer's first call site, which is kept
 * under the number of none and learns its site when it can. */
struct retry_key *retry_key_connect(struct retry *r, const char *peer, uint64_t site, uint32_t stack)
{
	struct retry_key *first = retry_key_get(r, RETRY_OF_CONNECT, peer, "connect", CONNECT_FIRST, stack);

	if (!first || !site || first->site == site)
		return first;
	if (!first->site) {
		first->site = site;
		first->stack = stack;
		return first;
	}
	struct retry_key *k = retry_key_get(r, RETRY_OF_CONNECT, peer, "connect", site, stack);
	if (k)
		k->site = site;
	return k;
}

void retry_keys_free(struct retry *r)
{
	struct retry_key *k, *next;

	HASH_ITER (hh, r->keys, k, next) {
		HASH_DEL(r->keys, k);
		key_free(r, k);
	}
}

const char *retry_operation_text(const struct request *q, char *buf, size_t size)
{
	if (q->area == AREA_HTTP)
		snprintf(buf, size, "%s %.200s", q->method, q->path);
	else
		snprintf(buf, size, "%s", q->summary[0] ? q->summary : q->method);
	return buf;
}

uint64_t retry_request_hash(const struct request *q)
{
	if (q->operation_key)
		return q->operation_key;
	uint64_t h = evidence_hash(EVIDENCE_HASH_SEED, q->method, strlen(q->method) + 1);

	h = evidence_hash(h, q->path, strlen(q->path) + 1);
	h = evidence_hash(h, q->query, strlen(q->query) + 1);
	return evidence_hash(h, &q->body_hash, sizeof q->body_hash);
}
