/*
 * What may be repeated without a second thought. RFC 9110 (9.2.2) says so of most methods; of POST and PATCH the sender may: by a key under which the
 * server does the work once, or by an action that only reads and has POST because its question is long. Pure.
 */
#include <string.h>

#include "detectors/retry.h"

/* Elasticsearch, OpenSearch and Solr search with POST; Google's APIs (AIP-136) and others put the verb behind a colon. */
static bool path_reads(const char *path)
{
	static const char *const last[] = {"_search", "_msearch", "_count", "_mget", "_field_caps", "_analyze", "_explain"};
	static const char *const verbs[] = {"get", "list", "search", "query", "lookup", "count", "batchGet"};
	const char *slash = strrchr(path, '/'), *colon = slash ? strrchr(slash, ':') : NULL;

	for (size_t i = 0; slash && i < sizeof last / sizeof *last; i++) {
		if (!strcmp(slash + 1, last[i]))
			return true;
	}
	for (size_t i = 0; colon && i < sizeof verbs / sizeof *verbs; i++) {
		if (!strcmp(colon + 1, verbs[i]))
			return true;
	}
	return false;
}

bool retry_repeats_work(const struct request *q)
{
	return q->area == AREA_HTTP && (!strcmp(q->method, "POST") || !strcmp(q->method, "PATCH")) && !q->idempotency_key &&
	       !q->reads && !path_reads(q->path);
}
