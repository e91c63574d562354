/*
 * Deltas: a table with the latest cumulative state of each point, by metric and attributes. The sum of all deltas is the cumulative value;
 * each starts where the one before ended. A point that fell began anew.
 */
#include "exporters/otlp_delta.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "report/series.h"

struct before {
	char *key;
	struct metric_point point; /* its attributes are not used */
	struct exponential exponential;
	UT_hash_handle hh;
};

struct otlp_delta {
	struct before *by_key;
	struct metric_point *points; /* of the latest result */
	struct exponential *exponentials;
};

struct otlp_delta *otlp_delta_new(void)
{
	return calloc(1, sizeof(struct otlp_delta));
}

void otlp_delta_free(struct otlp_delta *d)
{
	struct before *b, *next;
	if (d == NULL)
		return;
	HASH_ITER (hh, d->by_key, b, next) {
		HASH_DEL(d->by_key, b);
		free(b->key);
		free(b);
	}
	free(d->points);
	free(d->exponentials);
	free(d);
}

static struct before *find(struct otlp_delta *d, const char *metric, const struct metric_point *p)
{
	struct before *b = NULL;
	char *attrs = series_key(p->attrs, p->attrs_n), *key = NULL;
	if (attrs == NULL || asprintf(&key, "%s\x1d%s", metric, attrs) < 0)
		key = NULL;
	free(attrs);
	if (key == NULL)
		return NULL;
	HASH_FIND_STR(d->by_key, key, b);
	if (b != NULL) {
		free(key);
		return b;
	}
	b = calloc(1, sizeof *b);
	if (b != NULL) {
		b->key = key;
		HASH_ADD_KEYPTR(hh, d->by_key, b->key, strlen(b->key), b);
		if (b->hh.tbl != NULL)
			return b;
	}
	free(key);
	free(b);
	return NULL;
}

/* What p has more than `then`; false if nothing. */
static bool subtract(const struct metric *m, const struct metric_point *p, const struct metric_point *then,
		     struct metric_point *ret)
{
	bool histogram = m->kind == METRIC_HISTOGRAM, fell = histogram ? p->count < then->count : p->value < then->value;
	*ret = *p;
	if (fell || then->time_ns == 0)
		return histogram ? p->count > 0 : p->value > 0;
	ret->start_ns = then->time_ns;
	ret->value -= then->value;
	ret->count -= then->count;
	ret->sum -= then->sum;
	for (size_t i = 0; i <= m->bounds_n && i < HISTOGRAM_BUCKETS_MAX; i++)
		ret->buckets[i] -= then->buckets[i];
	ret->no_extremes = true; /* those of the whole are not those of this part */
	ret->has_exemplar = p->has_exemplar && p->exemplar.time_ns >= then->time_ns;
	return histogram ? ret->count > 0 : ret->value > 0;
}

int otlp_delta_metric(struct otlp_delta *d, const struct metric *m, struct metric *ret)
{
	struct metric_point *points;
	size_t n = 0;
	*ret = *m;
	if (m->kind != METRIC_SUM && m->kind != METRIC_HISTOGRAM)
		return 0;
	bool wanted = m->points_n > 0 && m->points[0].exponential != NULL;
	struct exponential *exponentials = wanted ? calloc(m->points_n, sizeof *exponentials) : NULL;
	points = calloc(m->points_n + 1, sizeof *points);
	if (points == NULL || (wanted && exponentials == NULL)) {
		free(points);
		free(exponentials);
		return -ENOMEM;
	}
	for (size_t i = 0; i < m->points_n; i++) {
		struct before *b = find(d, m->name, &m->points[i]);
		if (b == NULL) {
			free(points);
			free(exponentials);
			return -ENOMEM;
		}
		if (!subtract(m, &m->points[i], &b->point, &points[n]))
			continue; /* the next delta starts where the last one that was told ended */
		if (m->points[i].exponential != NULL && exponentials != NULL) {
			exponentials[n] = *m->points[i].exponential;
			if (points[n].start_ns != m->points[i].start_ns)
				exponential_subtract(&exponentials[n], &b->exponential);
			points[n].exponential = &exponentials[n];
			b->exponential = *m->points[i].exponential;
		}
		n++;
		b->point = m->points[i];
	}
	free(d->points);
	free(d->exponentials);
	d->points = points;
	d->exponentials = exponentials;
	ret->points = points;
	ret->points_n = n;
	ret->delta = true;
	return 0;
}
