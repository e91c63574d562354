/*
 * The store of findings: one entry per rule, call site and key. Counts add up, first and last widen, severity and confidence only rise.
 *
 * Owner: the session, on its thread. Texts are copied; evidence objects are taken over.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/hash.h"
#include "report/findings.h"
#include "report/text.h"

struct entry {
	char *id; /* rule, call site and key: what makes two emissions one finding, and the order among equals */
	struct finding finding;
	char *peer, *operation, *key, *sink, *message, *remedy;
	char trace[33]; /* of the latest request that it was seen in, "" = none is known */
	json_t *json;   /* rendered on demand, NULL after a change */
	UT_hash_handle hh;
};

struct findings {
	const struct stacks *stacks;
	struct counters *counters;
	struct entry *by_id;
	struct entry **sorted;
	size_t count;
	bool in_order;
	findings_change_fn on_change;
	void *on_change_ctx;
	findings_trace_fn trace;
	void *trace_ctx;
};

struct findings *findings_new(const struct stacks *stacks, struct counters *counters)
{
	struct findings *f = calloc(1, sizeof *f);
	if (f == NULL)
		return NULL;
	f->sorted = calloc(LIMIT_FINDINGS, sizeof *f->sorted);
	if (f->sorted == NULL) {
		free(f);
		return NULL;
	}
	f->stacks = stacks;
	f->counters = counters;
	return f;
}

static void entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	json_decref(e->finding.evidence);
	json_decref(e->json);
	free(e->id);
	free(e->peer);
	free(e->operation);
	free(e->key);
	free(e->sink);
	free(e->message);
	free(e->remedy);
	free(e);
}

void findings_free(struct findings *f)
{
	if (f == NULL)
		return;
	HASH_CLEAR(hh, f->by_id);
	for (size_t i = 0; i < f->count; i++)
		entry_free(f->sorted[i]);
	free(f->sorted);
	free(f);
}

void findings_on_change(struct findings *f, findings_change_fn fn, void *ctx)
{
	f->on_change = fn;
	f->on_change_ctx = ctx;
}

void findings_traces(struct findings *f, findings_trace_fn fn, void *ctx)
{
	f->trace = fn;
	f->trace_ctx = ctx;
}

static void note_trace(const struct findings *f, struct entry *e, uint64_t request_id)
{
	uint8_t id[16];
	if (request_id == 0 || f->trace == NULL || !f->trace(f->trace_ctx, request_id, id))
		return;
	for (size_t i = 0; i < sizeof id; i++)
		snprintf(e->trace + 2 * i, 3, "%02x", id[i]);
}

const char *time_text(uint64_t unix_ns, char *buf, size_t size)
{
	time_t seconds = (time_t)(unix_ns / 1000000000ULL);
	struct tm tm;
	if (gmtime_r(&seconds, &tm) == NULL)
		memset(&tm, 0, sizeof tm);
	size_t n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, size - n, ".%03uZ", (unsigned int)(unix_ns / 1000000ULL % 1000ULL));
	return buf;
}

static json_t *text_or_null(const char *text)
{
	return text != NULL ? text_json(text) : json_null();
}

json_t *call_site_json(const struct stacks *s, uint32_t stack)
{
	size_t n = 0;
	const struct frame *frames = stacks_frames(s, stack, &n);
	const struct frame *site = stacks_site(s, stack);
	char text[512];
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, text_json(frame_text(&frames[i], text, sizeof text)));
	json_t *o = json_object();
	json_object_set_new(o, "text", text_json(frame_text(site, text, sizeof text)));
	json_object_set_new(o, "function", text_or_null(site != NULL ? site->function : NULL));
	json_object_set_new(o, "module", text_or_null(site != NULL ? site->module : NULL));
	json_object_set_new(o, "file", text_or_null(site != NULL ? site->file : NULL));
	json_object_set_new(o, "line", site != NULL && site->line != 0 ? json_integer(site->line) : json_null());
	json_object_set_new(o, "stack", list);
	return o;
}

/* The same function of the same module is the same call site; where no function is known, the address inside the module tells. */
static char *identity(const struct stacks *s, const struct finding *f)
{
	const struct frame *site = stacks_site(s, f->stack);
	const char *function = site != NULL && site->function != NULL ? site->function : "";
	const char *module = site != NULL && site->module != NULL ? site->module : "";
	unsigned long long offset = site != NULL && site->function == NULL ? site->offset : 0;
	char *id = NULL;
	if (asprintf(&id, "%s\x1f%s\x1f%s\x1f%llx\x1f%s", f->rule->id, function, module, offset, f->key != NULL ? f->key : "") < 0)
		return NULL;
	return id;
}

static int replace_text(char **slot, const char *text)
{
	if (text == NULL)
		return 0;
	char *copy = strdup(text);
	if (copy == NULL)
		return -ENOMEM;
	free(*slot);
	*slot = copy;
	return 0;
}

static int entry_texts(struct entry *e, const struct finding *f)
{
	int rc = replace_text(&e->peer, f->peer);
	rc = rc != 0 ? rc : replace_text(&e->operation, f->operation);
	rc = rc != 0 ? rc : replace_text(&e->key, f->key);
	rc = rc != 0 ? rc : replace_text(&e->sink, f->sink);
	rc = rc != 0 ? rc : replace_text(&e->message, f->message);
	rc = rc != 0 ? rc : replace_text(&e->remedy, f->remedy);
	e->finding.peer = e->peer;
	e->finding.operation = e->operation;
	e->finding.key = e->key;
	e->finding.sink = e->sink;
	e->finding.message = e->message;
	e->finding.remedy = e->remedy;
	return rc;
}

static struct entry *entry_add(struct findings *f, char *id, const struct finding *from)
{
	struct entry *e = calloc(1, sizeof *e);
	if (e == NULL) {
		free(id);
		return NULL;
	}
	e->id = id;
	e->finding = *from;
	e->finding.evidence = NULL;
	if (entry_texts(e, from) != 0) {
		entry_free(e);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, f->by_id, e->id, strlen(e->id), e);
	if (e->hh.tbl == NULL) {
		entry_free(e);
		return NULL;
	}
	e->finding.evidence = from->evidence != NULL ? from->evidence : json_object();
	f->sorted[f->count++] = e;
	f->in_order = false;
	return e;
}

/* True if the finding became worse or more certain. */
static bool entry_merge(struct entry *e, const struct finding *from)
{
	struct finding *to = &e->finding;
	bool rose = from->severity > to->severity || from->confidence > to->confidence;
	to->severity = from->severity > to->severity ? from->severity : to->severity;
	to->confidence = from->confidence > to->confidence ? from->confidence : to->confidence;
	to->count += from->count;
	if (from->first_seen_ns < to->first_seen_ns)
		to->first_seen_ns = from->first_seen_ns;
	if (from->last_seen_ns > to->last_seen_ns)
		to->last_seen_ns = from->last_seen_ns;
	if (from->evidence != NULL) {
		json_decref(to->evidence);
		to->evidence = from->evidence;
	}
	if (from->request_id != 0)
		to->request_id = from->request_id;
	json_decref(e->json);
	e->json = NULL;
	(void)entry_texts(e, from); /* when memory is out, the earlier sentence stands */
	return rose;
}

static json_t *entry_json(struct findings *f, struct entry *e)
{
	if (e->json != NULL)
		return e->json;
	const struct finding *x = &e->finding;
	char first[32], last[32], fingerprint[17];
	finding_fingerprint(f->stacks, x, fingerprint);
	json_t *o = json_object();
	json_object_set_new(o, "rule", json_string(x->rule->id));
	json_object_set_new(o, "title", json_string(x->rule->title));
	json_object_set_new(o, "severity", json_string(severity_name(x->severity)));
	json_object_set_new(o, "confidence", json_string(confidence_name(x->confidence)));
	json_object_set_new(o, "message", text_json(x->message != NULL ? x->message : x->rule->title));
	json_object_set_new(o, "peer", text_json(x->peer));
	json_object_set_new(o, "operation", text_json(x->operation));
	if (x->sink != NULL)
		json_object_set_new(o, "sink", text_json(x->sink));
	if (e->trace[0] != '\0')
		json_object_set_new(o, "trace_id", json_string(e->trace));
	json_object_set_new(o, "call_site", call_site_json(f->stacks, x->stack));
	json_object_set_new(o, "count", json_integer((json_int_t)x->count));
	json_object_set_new(o, "first_seen", json_string(time_text(x->first_seen_ns, first, sizeof first)));
	json_object_set_new(o, "last_seen", json_string(time_text(x->last_seen_ns, last, sizeof last)));
	json_object_set_new(o, "evidence", text_clean_tree(x->evidence));
	json_object_set_new(o, "fingerprint", json_string(fingerprint));
	json_object_set_new(o, "remedy", text_json(x->remedy != NULL ? x->remedy : x->rule->remedy));
	e->json = o;
	return e->json;
}

void findings_emit(void *ctx, const struct finding *from)
{
	struct findings *f = ctx;
	char *id = identity(f->stacks, from);
	if (id == NULL) {
		json_decref(from->evidence);
		return;
	}
	struct entry *e = NULL;
	HASH_FIND_STR(f->by_id, id, e);
	bool tell = false;
	if (e != NULL) {
		free(id);
		tell = entry_merge(e, from);
		f->in_order = f->in_order && !tell;
	} else if (f->count < LIMIT_FINDINGS) {
		e = entry_add(f, id, from);
		tell = e != NULL;
	} else {
		f->counters->limit[LIMIT_REACHED_FINDINGS]++;
		free(id);
	}
	if (e != NULL)
		note_trace(f, e, from->request_id);
	if (e == NULL)
		json_decref(from->evidence);
	else if (tell && f->on_change != NULL && entry_json(f, e) != NULL)
		f->on_change(f->on_change_ctx, e->json, e->finding.request_id, e->finding.last_seen_ns);
}

size_t findings_count(const struct findings *f)
{
	return f->count;
}

static int worst_first(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
	if (x->finding.severity != y->finding.severity)
		return x->finding.severity > y->finding.severity ? -1 : 1;
	return strcmp(x->id, y->id);
}

static struct entry *entry_at(struct findings *f, size_t i)
{
	if (!f->in_order)
		qsort(f->sorted, f->count, sizeof(struct entry *), worst_first);
	f->in_order = true;
	return f->sorted[i];
}

json_t *findings_json(struct findings *f, size_t i)
{
	return entry_json(f, entry_at(f, i));
}

enum severity findings_severity(struct findings *f, size_t i)
{
	return entry_at(f, i)->finding.severity;
}

const char *findings_rule(struct findings *f, size_t i)
{
	return entry_at(f, i)->finding.rule->id;
}
