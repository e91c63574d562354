/*
 * The section "heap" of the report: what was asked for, what is alive, and by which call stacks. Profiles and flame graphs are made from it
 * (report/, exporters/pprof.c). NULL where allocations were not watched.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/elapsed.h"
#include "detectors/heap.h"

#define LOST_SAID 0.1      /* of the samples: more that are missing are said */
#define UNKNOWN_SAID 0.01  /* of them: more whose end is not known, of which most would be free, are said */
#define SAMPLES_SURE 1000U /* of fewer, chance may miss so many bytes */
#define UNNAMED_TOLD 16U   /* modules whose code could not be named */
#define SITES_TOLD 1000U   /* call stacks in a report; the rest is summed up */

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *frames_json(const struct stacks *stacks, uint32_t stack)
{
	size_t n = 0;
	const struct frame *f = stacks_frames(stacks, stack, &n);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:I, s:I}", "function", text_or_null(f[i].function),
						      "module", text_or_null(f[i].module), "file", text_or_null(f[i].file), "line",
						      (json_int_t)f[i].line, "offset", (json_int_t)f[i].offset));
	return list;
}

static double weight(const struct heap_site *s)
{
	return s->amount.live_bytes > s->amount.alloc_bytes / 16 ? s->amount.live_bytes : s->amount.alloc_bytes / 16;
}

static int heaviest_first(const struct heap_site *a, const struct heap_site *b)
{
	const double x = weight(a), y = weight(b);

	return x > y ? -1 : x < y ? 1 : a->key < b->key ? -1 : a->key > b->key;
}

static void put_amount(json_t *o, const struct heap_amount *m, double scale)
{
	json_object_set_new(o, "alloc_bytes", json_integer((json_int_t)(m->alloc_bytes * scale + 0.5)));
	json_object_set_new(o, "alloc_objects", json_integer((json_int_t)(m->alloc_objects * scale + 0.5)));
	json_object_set_new(o, "live_bytes", json_integer((json_int_t)(m->live_bytes * scale + 0.5)));
	json_object_set_new(o, "live_objects", json_integer((json_int_t)(m->live_objects * scale + 0.5)));
	json_object_set_new(o, "samples", json_integer((json_int_t)m->samples));
}

static void add(struct heap_amount *to, const struct heap_amount *m)
{
	to->alloc_bytes += m->alloc_bytes;
	to->alloc_objects += m->alloc_objects;
	to->live_bytes += m->live_bytes;
	to->live_objects += m->live_objects;
	to->samples += m->samples;
}

static json_t *sites_json(struct heap *h, json_t *section)
{
	struct heap_amount heap = {0}, mapped = {0}, rest = {0};
	json_t *sites = json_array(), *o;
	char site[SITE_TEXT_SIZE];
	size_t n = 0;

	HASH_SORT(h->sites, heaviest_first);
	for (const struct heap_site *s = h->sites; s; s = s->hh.next) {
		const bool is_mapped = s->key & 1;
		const uint32_t stack = (uint32_t)(s->key >> 1);

		add(is_mapped ? &mapped : &heap, &s->amount);
		if (n++ >= SITES_TOLD) {
			add(&rest, &s->amount);
			continue;
		}
		o = json_object();
		json_object_set_new(o, "kind", json_string(is_mapped ? "mapped" : "heap"));
		json_object_set_new(o, "call_site", json_string(evidence_site(h->env.stacks, stack, site, sizeof site)));
		put_amount(o, &s->amount, is_mapped ? 1 : heap_scale(h));
		json_object_set_new(o, "stack", frames_json(h->env.stacks, stack));
		json_array_append_new(sites, o);
	}
	json_object_set_new(section, "heap", o = json_object());
	put_amount(o, &heap, heap_scale(h));
	json_object_set_new(section, "mapped", o = json_object());
	put_amount(o, &mapped, 1);
	json_object_set_new(section, "not_listed", o = json_object());
	put_amount(o, &rest, 1);
	return sites;
}

static json_t *requests_json(const struct heap *h)
{
	json_t *list = json_array();

	for (const struct heap_operation *o = h->operations; o; o = o->hh.next)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:I}", "operation", o->name, "requests",
						      (json_int_t)o->requests, "bytes_per_request",
						      (json_int_t)(o->requests ? o->bytes / (double)o->requests : 0),
						      "largest_bytes", (json_int_t)o->largest, "samples", (json_int_t)o->samples));
	return list;
}

/* Whose code could not be named: by module, the number of frames. */
static json_t *unnamed_json(const struct heap *h)
{
	json_t *modules = json_object();

	for (const struct heap_site *s = h->sites; s; s = s->hh.next) {
		size_t n = 0;
		const struct frame *f = stacks_frames(h->env.stacks, (uint32_t)(s->key >> 1), &n);

		for (size_t i = 0; i < n; i++) {
			const char *name = f[i].module ? f[i].module : "?";

			if (!f[i].function && json_object_size(modules) < UNNAMED_TOLD)
				json_object_set_new(modules, name,
						    json_integer(json_integer_value(json_object_get(modules, name)) + 1));
		}
	}
	return modules;
}

/* Why stacks have gaps. */
static void say_unnamed(json_t *modules, json_t *not_exercised)
{
	char text[512];
	size_t len = (size_t)snprintf(text, sizeof text, "heap: functions without names: ");
	const char *name;
	json_t *frames;
	bool first = true;

	if (json_object_size(modules) == 0)
		return;
	json_object_foreach (modules, name, frames) {
		const int n = snprintf(
			text + len, sizeof text - len, "%s%s", first ? "" : ", ",
			name[0] == '?' || name[0] == '[' ? "code in no file (made at run time, and no perf map of it)" : name);
		if (n < 0 || (size_t)n >= sizeof text - len - 64)
			break;
		len += (size_t)n;
		first = false;
	}
	text[len] = '\0';
	snprintf(text + len, sizeof text - len, "; stripped files need their debug symbols installed");
	json_array_append_new(not_exercised, json_string(text));
}

/* What losses do to the numbers. Bytes asked for are exact, and what samples tell is scaled to them; a free that is not known has no such help. */
static void say_lost(const struct heap *h, json_t *not_exercised)
{
	const double missing = h->asked > 0 ? 1 - h->estimated / (double)h->asked : 0;
	char text[256];

	if (missing > LOST_SAID && h->samples >= SAMPLES_SURE) {
		snprintf(text, sizeof text,
			 "heap: samples of %.0f %% of the bytes allocated were lost; the others stand for them, as if losses fell "
			 "evenly",
			 100 * missing);
		json_array_append_new(not_exercised, json_string(text));
	}
	if ((double)h->frees_lost > UNKNOWN_SAID * (double)h->samples) {
		snprintf(text, sizeof text,
			 "heap: %" PRIu64 " frees of sampled blocks were lost: what is in use is at most what is told, and no "
			 "leak is concluded",
			 h->frees_lost);
		json_array_append_new(not_exercised, json_string(text));
	}
	if ((double)h->unwatched > UNKNOWN_SAID * (double)h->samples) {
		snprintf(text, sizeof text,
			 "heap: %" PRIu64 " sampled blocks found no room to be remembered: what is in use is at least what is told",
			 h->unwatched);
		json_array_append_new(not_exercised, json_string(text));
	}
}

json_t *heap_report(void *state, json_t *not_exercised)
{
	struct heap *h = state;
	char text[256];
	json_t *section;

	if (h->why_not[0]) {
		snprintf(text, sizeof text, "heap: allocations were not watched: %s", h->why_not);
		json_array_append_new(not_exercised, json_string(text));
	}
	if (!h->watched)
		return NULL;
	section = json_object();
	json_object_set_new(section, "allocator", json_string(h->allocator));
	json_object_set_new(section, "mean_bytes", json_integer((json_int_t)h->mean));
	json_object_set_new(section, "asked_bytes", json_integer((json_int_t)h->asked));
	json_object_set_new(section, "time_ns", json_integer((json_int_t)h->now_ns));
	json_object_set_new(section, "duration_ns", json_integer((json_int_t)elapsed_ns(h->start_ns, h->now_ns)));
	json_object_set_new(section, "frees_lost", json_integer((json_int_t)h->frees_lost));
	say_lost(h, not_exercised);
	json_t *sites = sites_json(h, section);
	json_object_set_new(section, "requests", requests_json(h));
	json_t *unnamed = unnamed_json(h);
	say_unnamed(unnamed, not_exercised);
	json_object_set_new(section, "unnamed", unnamed);
	json_object_set_new(section, "sites", sites);
	return section;
}
