/*
 * Matches not yet told (matches.h).
 */
#include "scan/matches.h"

#include <string.h>

#include "scan/rules.h"

bool matches_add(struct matches *m, size_t start, size_t end, enum entity_id entity)
{
	if (start < m->done || start >= end || (rules.off[entity] && m->bytes != NULL))
		return false;
	size_t after = m->n; /* first held match that begins at or after our end */
	while (after > 0 && m->held[after - 1].start >= end)
		after--;
	size_t first = after; /* first one that overlaps */
	while (first > 0 && m->held[first - 1].end > start) {
		if (entity_rank(m->held[first - 1].entity) >= entity_rank(entity))
			return false;
		first--;
	}
	if (first == after) {
		if (m->n == MATCHES_MAX)
			matches_flush(m, m->held[m->n / 2].end);
		if (start < m->done)
			return false;
		after = m->n;
		while (after > 0 && m->held[after - 1].start >= end)
			after--;
		memmove(m->held + after + 1, m->held + after, (m->n - after) * sizeof(*m->held));
		m->n++;
		first = after;
	} else {
		memmove(m->held + first + 1, m->held + after, (m->n - after) * sizeof(*m->held));
		m->n -= after - first - 1;
	}
	m->held[first] = (struct held){.start = start, .end = end, .entity = entity};
	return true;
}

void matches_flush(struct matches *m, size_t limit)
{
	size_t n = 0;
	while (n < m->n && m->held[n].end <= limit) {
		struct scan_match match = {
			.start = m->held[n].start, .end = m->held[n].end, .entity = &entity_table[m->held[n].entity]};
		m->done = match.end;
		n++;
		if (rules.allow_n > 0 && m->bytes != NULL && rules_allow(m->bytes + match.start, match.end - match.start))
			continue;
		m->told++;
		if (m->fn != NULL)
			m->fn(m->ctx, &match);
	}
	m->n -= n;
	memmove(m->held, m->held + n, m->n * sizeof(*m->held));
}
