/*
 * Metrics as Prometheus reads them. The two formats differ in three things: the name of a counter's family, units and exemplars, and
 * the last line.
 */
#include "exporters/prometheus_text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exporters/otlp_encode_private.h"

#define NAME_MAX_BYTES 160U

struct page {
	FILE *out;
	bool openmetrics;
};

enum family { COUNTER, GAUGE, HISTOGRAM };

/* -- names -- */

static const char *unit_word(const char *unit)
{
	static const char *const words[][2] = {
		{"s", "seconds"}, {"ms", "milliseconds"}, {"By", "bytes"}, {"1", "ratio"}, {"%", "percent"}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(unit, words[i][0]) == 0)
			return words[i][1];
	return NULL; /* {request} is an annotation, and no unit */
}

static void clean_name(const char *in, bool colon, char *out)
{
	size_t n = 0;
	if (isdigit((unsigned char)in[0]))
		out[n++] = '_';
	for (; *in != '\0' && n + 1 < NAME_MAX_BYTES; in++)
		out[n++] = isalnum((unsigned char)*in) || *in == '_' || (colon && *in == ':') ? *in : '_';
	out[n] = '\0';
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n > m && text[n - m - 1] == '_' && strcmp(text + n - m, end) == 0;
}

static void append(char *name, const char *word)
{
	size_t n = strlen(name);
	if (!ends_with(name, word))
		snprintf(name + n, NAME_MAX_BYTES - n, "_%s", word);
}

/* -- values and labels -- */

static void put_escaped_text(FILE *out, const char *text, bool quotes)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\\' || (*text == '"' && quotes))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void put_number(FILE *out, double d)
{
	if (isnan(d))
		fputs("NaN", out);
	else if (isinf(d))
		fputs(d > 0 ? "+Inf" : "-Inf", out);
	else
		fprintf(out, "%.17g", d);
}

/* A bucket's bound, as Prometheus' own libraries write it: the shortest text that reads back as the same number. */
static void put_bound(FILE *out, double d)
{
	char text[40];
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	fputs(text, out);
	if (strpbrk(text, ".en") == NULL)
		fputs(".0", out); /* OpenMetrics: canonical numbers */
}

static void put_label(FILE *out, const char *key, const Otlp__AnyValue *v, bool first)
{
	char name[NAME_MAX_BYTES];
	clean_name(key, false, name);
	fprintf(out, "%s%s=\"", first ? "" : ",", name);
	switch (v->value_case) {
	case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
		put_escaped_text(out, v->string_value, true);
		break;
	case OTLP__ANY_VALUE__VALUE_INT_VALUE:
		fprintf(out, "%" PRId64, v->int_value);
		break;
	case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
		put_number(out, v->double_value);
		break;
	case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
		fputs(v->bool_value ? "true" : "false", out);
		break;
	default:
		break;
	}
	fputc('"', out);
}

/* The label set, with a bound where there is one (+Inf too). */
static void put_labels(FILE *out, Otlp__KeyValue *const *attrs, size_t n, const double *bound)
{
	fputs("{otel_scope_name=\"gapscope\"", out);
	for (size_t i = 0; i < n; i++)
		put_label(out, attrs[i]->key, attrs[i]->value, false);
	if (bound != NULL) {
		fputs(",le=\"", out);
		if (isinf(*bound))
			fputs("+Inf", out);
		else
			put_bound(out, *bound);
		fputc('"', out);
	}
	fputc('}', out);
}

static void put_exemplar(const struct page *p, const Otlp__HistogramDataPoint *h, double above, double bound)
{
	for (size_t i = 0; p->openmetrics && i < h->n_exemplars; i++) {
		const Otlp__Exemplar *e = h->exemplars[i];
		if (e->as_double <= above || e->as_double > bound || e->trace_id.len != 16 || e->span_id.len != 8)
			continue;
		fputs(" # {trace_id=\"", p->out);
		for (size_t k = 0; k < 16; k++)
			fprintf(p->out, "%02x", e->trace_id.data[k]);
		fputs("\",span_id=\"", p->out);
		for (size_t k = 0; k < 8; k++)
			fprintf(p->out, "%02x", e->span_id.data[k]);
		fputs("\"} ", p->out);
		put_number(p->out, e->as_double);
		fprintf(p->out, " %.3f", (double)e->time_unix_nano / 1e9);
		return;
	}
}

/* -- families -- */

static void put_head(const struct page *p, const char *name, enum family kind, const char *unit, const char *doc)
{
	static const char *const kinds[] = {[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
	fprintf(p->out, "# HELP %s ", name);
	put_escaped_text(p->out, doc, p->openmetrics);
	fprintf(p->out, "\n# TYPE %s %s\n", name, kinds[kind]);
	if (p->openmetrics && unit != NULL && ends_with(name, unit))
		fprintf(p->out, "# UNIT %s %s\n", name, unit);
}

static void put_histogram(const struct page *p, const char *name, const Otlp__HistogramDataPoint *h)
{
	uint64_t sum = 0;
	double above = -INFINITY;
	for (size_t b = 0; b < h->n_bucket_counts; b++) {
		double bound = b < h->n_explicit_bounds ? h->explicit_bounds[b] : INFINITY;
		sum += h->bucket_counts[b];
		fprintf(p->out, "%s_bucket", name);
		put_labels(p->out, h->attributes, h->n_attributes, &bound);
		fprintf(p->out, " %" PRIu64, sum);
		put_exemplar(p, h, above, bound);
		fputc('\n', p->out);
		above = bound;
	}
	fprintf(p->out, "%s_sum", name);
	put_labels(p->out, h->attributes, h->n_attributes, NULL);
	fputc(' ', p->out);
	put_number(p->out, h->sum);
	fprintf(p->out, "\n%s_count", name);
	put_labels(p->out, h->attributes, h->n_attributes, NULL);
	fprintf(p->out, " %" PRIu64 "\n", h->count);
}

static void put_numbers(const struct page *p, const char *name, Otlp__NumberDataPoint *const *points, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fputs(name, p->out);
		put_labels(p->out, points[i]->attributes, points[i]->n_attributes, NULL);
		fputc(' ', p->out);
		if (points[i]->value_case == OTLP__NUMBER_DATA_POINT__VALUE_AS_INT)
			fprintf(p->out, "%" PRId64 "\n", points[i]->as_int);
		else {
			put_number(p->out, points[i]->as_double);
			fputc('\n', p->out);
		}
	}
}

static void put_metric(const struct page *p, const Otlp__Metric *m)
{
	char name[NAME_MAX_BYTES], sample[NAME_MAX_BYTES + 8];
	bool counter = m->data_case == OTLP__METRIC__DATA_SUM && m->sum->is_monotonic;
	bool histogram = m->data_case == OTLP__METRIC__DATA_HISTOGRAM;
	const char *unit = strcmp(m->unit, "1") == 0 && m->data_case != OTLP__METRIC__DATA_GAUGE ? NULL : unit_word(m->unit);
	clean_name(m->name, true, name);
	if (unit != NULL)
		append(name, unit);
	snprintf(sample, sizeof sample, "%s%s", name, counter && !ends_with(name, "total") ? "_total" : "");
	put_head(p, counter && !p->openmetrics ? sample : name,
		 histogram ? HISTOGRAM
		 : counter ? COUNTER
			   : GAUGE,
		 unit, m->description);
	if (histogram) {
		for (size_t i = 0; i < m->histogram->n_data_points; i++)
			put_histogram(p, name, m->histogram->data_points[i]);
	} else if (m->data_case == OTLP__METRIC__DATA_SUM) {
		put_numbers(p, sample, m->sum->data_points, m->sum->n_data_points);
	} else if (m->data_case == OTLP__METRIC__DATA_GAUGE) {
		put_numbers(p, sample, m->gauge->data_points, m->gauge->n_data_points);
	}
}

/* The resource, as the compatibility rules have it: one sample whose labels say who this is. */
static int put_target_info(const struct page *p, const struct resource *r)
{
	struct attr_tree attrs;
	int rc = attr_tree_make(r->attrs, r->attrs_n, &attrs);
	if (rc != 0)
		return rc;
	fprintf(p->out, "# HELP %s Target metadata\n# TYPE %s %s\ntarget_info{", p->openmetrics ? "target" : "target_info",
		p->openmetrics ? "target" : "target_info", p->openmetrics ? "info" : "gauge");
	for (size_t i = 0; i < attrs.n; i++)
		put_label(p->out, attrs.list[i]->key, attrs.list[i]->value, i == 0);
	fputs("} 1\n", p->out);
	attr_tree_done(&attrs);
	return 0;
}

int prometheus_text(const struct resource *r, const struct bytes *metrics, size_t n, bool openmetrics, struct bytes *ret)
{
	char *text = NULL;
	size_t len = 0;
	const struct page p = {.out = open_memstream(&text, &len), .openmetrics = openmetrics};
	if (p.out == NULL)
		return -ENOMEM;
	int rc = put_target_info(&p, r);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		Otlp__Metric *m = otlp__metric__unpack(NULL, metrics[i].len, metrics[i].data);
		if (m == NULL) {
			rc = -ENOMEM;
			break;
		}
		put_metric(&p, m);
		otlp__metric__free_unpacked(m, NULL);
	}
	if (openmetrics)
		fputs("# EOF\n", p.out);
	if (fclose(p.out) != 0)
		rc = -ENOMEM;
	if (rc == 0)
		*ret = (struct bytes){.data = (uint8_t *)text, .len = len};
	else
		free(text);
	return rc;
}

/* -- which format -- */

/* The best quality that an Accept header gives a media type. */
static double quality(const char *accept, const char *type)
{
	double best = 0;
	while (*accept != '\0') {
		accept += strspn(accept, " \t,");
		size_t len = strcspn(accept, ","), word = strcspn(accept, ",; \t");
		if (word == strlen(type) && strncasecmp(accept, type, word) == 0) {
			double q = 1;
			for (size_t i = word; i + 2 < len; i++)
				if ((accept[i] == ';' || accept[i] == ' ') && tolower((unsigned char)accept[i + 1]) == 'q' &&
				    accept[i + 2] == '=')
					q = strtod(accept + i + 3, NULL);
			best = q > best ? q : best;
		}
		accept += len;
	}
	return best;
}

bool prometheus_wants_openmetrics(const char *accept)
{
	if (accept == NULL)
		return false;
	double open = quality(accept, "application/openmetrics-text");
	return open > 0 && open >= quality(accept, "text/plain");
}
