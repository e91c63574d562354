/*
 * The points of one metric by their attributes. Points lie in one array that grows by doubling up to LIMIT_SERIES + 1; the one past the
 * limit is the overflow point, made when it is first needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"
#include "report/series.h"

#define RECENT 4U /* points that are looked at before keys are built: requests are often alike */

struct slot {
	char *key; /* the attributes as text */
	size_t point;
	UT_hash_handle hh;
};

struct series {
	const double *bounds;
	size_t bounds_n;
	struct counters *counters;
	struct slot *by_key;
	struct metric_point *points;
	char **texts; /* copies of string values, POINT_ATTRS_MAX a point */
	size_t n, room;
	bool overflowed;
	bool exponential;
	size_t overflow; /* index of the overflow point */
	size_t recent[RECENT], recent_n;
};

struct series *series_new(const double *bounds, size_t bounds_n, struct counters *counters)
{
	struct series *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->bounds = bounds;
	s->bounds_n = bounds_n;
	s->counters = counters;
	return s;
}

void series_exponential(struct series *s)
{
	s->exponential = s->bounds_n != 0;
}

void series_free(struct series *s)
{
	if (s == NULL)
		return;
	struct slot *x, *next;
	HASH_ITER (hh, s->by_key, x, next) {
		HASH_DEL(s->by_key, x);
		free(x->key);
		free(x);
	}
	for (size_t i = 0; i < s->n * POINT_ATTRS_MAX; i++)
		free(s->texts[i]);
	for (size_t i = 0; i < s->n; i++)
		free(s->points[i].exponential);
	free(s->texts);
	free(s->points);
	free(s);
}

char *series_key(const struct attr *attrs, size_t n)
{
	char *key = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&key, &size);
	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct attr *a = &attrs[i];
		fprintf(out, "%s\x1f%u\x1f", a->key, (unsigned int)a->type);
		if (a->type == ATTR_STRING)
			fprintf(out, "%s\x1e", a->s);
		else if (a->type == ATTR_INT)
			fprintf(out, "%lld\x1e", (long long)a->i);
		else if (a->type == ATTR_DOUBLE)
			fprintf(out, "%.17g\x1e", a->d);
		else
			fprintf(out, "%d\x1e", a->b);
	}
	if (fclose(out) != 0) {
		free(key);
		return NULL;
	}
	return key;
}

static bool grow(struct series *s)
{
	if (s->n < s->room)
		return true;
	size_t room = s->room == 0 ? 16 : s->room * 2;
	struct metric_point *points = reallocarray(s->points, room, sizeof *points);
	if (points == NULL)
		return false;
	s->points = points;
	char **texts = reallocarray(s->texts, room * POINT_ATTRS_MAX, sizeof *texts);
	if (texts == NULL)
		return false;
	s->texts = texts;
	s->room = room;
	return true;
}

static struct metric_point *point_add(struct series *s, const struct attr *attrs, size_t n)
{
	if (!grow(s))
		return NULL;
	struct metric_point *p = &s->points[s->n];
	char **texts = &s->texts[s->n * POINT_ATTRS_MAX];
	memset(p, 0, sizeof *p);
	memset(texts, 0, POINT_ATTRS_MAX * sizeof *texts);
	p->attrs_n = n < POINT_ATTRS_MAX ? n : POINT_ATTRS_MAX;
	p->exponential = s->exponential ? malloc(sizeof *p->exponential) : NULL;
	if (p->exponential != NULL)
		exponential_init(p->exponential);
	s->n++;
	for (size_t i = 0; i < p->attrs_n; i++) {
		p->attrs[i] = attrs[i];
		if (attrs[i].type != ATTR_STRING)
			continue;
		texts[i] = strdup(attrs[i].s);
		p->attrs[i].s = texts[i] != NULL ? texts[i] : "";
	}
	return p;
}

static struct metric_point *overflow_point(struct series *s)
{
	static const struct attr overflow = {.key = "otel.metric.overflow", .type = ATTR_BOOL, .b = true};
	s->counters->limit[LIMIT_REACHED_SERIES]++;
	if (!s->overflowed) {
		if (point_add(s, &overflow, 1) == NULL)
			return NULL;
		s->overflow = s->n - 1;
		s->overflowed = true;
	}
	return &s->points[s->overflow];
}

static bool same_attr(const struct attr *a, const struct attr *b)
{
	if (a->type != b->type || strcmp(a->key, b->key) != 0)
		return false;
	switch (a->type) {
	case ATTR_STRING:
		return strcmp(a->s, b->s) == 0;
	case ATTR_INT:
		return a->i == b->i;
	case ATTR_BOOL:
		return a->b == b->b;
	default:
		return false; /* the key decides */
	}
}

static struct metric_point *point_recent(struct series *s, const struct attr *attrs, size_t n)
{
	for (size_t k = 0; k < s->recent_n && k < RECENT; k++) {
		struct metric_point *p = &s->points[s->recent[k]];
		size_t i = 0;
		while (p->attrs_n == n && i < n && same_attr(&p->attrs[i], &attrs[i]))
			i++;
		if (p->attrs_n == n && i == n)
			return p;
	}
	return NULL;
}

static struct metric_point *point_find(struct series *s, const struct attr *attrs, size_t n)
{
	struct metric_point *recent = point_recent(s, attrs, n);
	if (recent != NULL)
		return recent;
	char *key = series_key(attrs, n);
	if (key == NULL)
		return NULL;
	struct slot *x = NULL;
	HASH_FIND_STR(s->by_key, key, x);
	if (x != NULL) {
		free(key);
		s->recent[s->recent_n++ % RECENT] = x->point;
		return &s->points[x->point];
	}
	/* the overflow point counts towards the limit, as the specification has it */
	if (s->n >= LIMIT_SERIES - 1 || s->overflowed) {
		free(key);
		return overflow_point(s);
	}
	x = calloc(1, sizeof *x);
	if (x == NULL) {
		free(key);
		return NULL;
	}
	x->key = key;
	x->point = s->n;
	HASH_ADD_KEYPTR(hh, s->by_key, x->key, strlen(x->key), x);
	struct metric_point *p = x->hh.tbl != NULL ? point_add(s, attrs, n) : NULL;
	if (p == NULL) {
		if (x->hh.tbl != NULL)
			HASH_DEL(s->by_key, x);
		free(key);
		free(x);
	}
	return p;
}

static void add(const struct series *s, struct metric_point *p, double value, const struct exemplar *x)
{
	if (s->bounds_n == 0) {
		p->value += value;
		return;
	}
	size_t bucket = 0;
	while (bucket < s->bounds_n && value > s->bounds[bucket])
		bucket++;
	p->buckets[bucket]++;
	if (p->exponential != NULL)
		exponential_add(p->exponential, value);
	p->min = p->count == 0 || value < p->min ? value : p->min;
	p->max = p->count == 0 || value > p->max ? value : p->max;
	p->sum += value;
	p->count++;
	if (x != NULL) {
		p->has_exemplar = true;
		p->exemplar = *x;
		p->exemplar.value = value;
	}
}

void series_record(struct series *s, const struct attr *attrs, size_t attrs_n, double value)
{
	(void)series_record_traced(s, attrs, attrs_n, value, NULL);
}

size_t series_record_traced(struct series *s, const struct attr *attrs, size_t attrs_n, double value, const struct exemplar *x)
{
	struct metric_point *p = point_find(s, attrs, attrs_n);
	if (p == NULL)
		return 0;
	add(s, p, value, x);
	const size_t at = (size_t)(p - s->points);
	return s->overflowed && at == s->overflow ? 0 : at + 1;
}

void series_again(struct series *s, size_t number, double value, const struct exemplar *x)
{
	add(s, &s->points[number - 1], value, x);
}

const struct metric_point *series_points(struct series *s, uint64_t start_ns, uint64_t now_ns, size_t *ret_n)
{
	for (size_t i = 0; i < s->n; i++) {
		s->points[i].start_ns = start_ns;
		s->points[i].time_ns = now_ns;
	}
	*ret_n = s->n;
	return s->points;
}
