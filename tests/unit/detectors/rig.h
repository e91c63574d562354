/*
 * A rig for detector tests: a script's model with the protocols and one detector behind it, and what the detector emitted. Header-only.
 */
#ifndef GAPSCOPE_TESTS_UNIT_DETECTORS_RIG_H
#define GAPSCOPE_TESTS_UNIT_DETECTORS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "detectors/detector.h"
#include "model/script.h"
#include "protocols/protocol.h"

#define RIG_FINDINGS_MAX 256U
#define RIG_OPTIONS_MAX 32U

struct rig_finding {
	char rule[64], peer[128], operation[128], key[256], message[1024];
	enum severity severity;
	enum confidence confidence;
	uint64_t count, request_id;
	uint32_t stack;
	json_t *evidence;
};

struct rig {
	struct script s;
	struct protocols *protocols;
	const struct detector *detector;
	void *state;
	double options[RIG_OPTIONS_MAX];
	struct rig_finding found[RIG_FINDINGS_MAX];
	size_t found_n;
	json_t *section, *not_exercised;
};

SCRIPT_API void rig_emit(void *ctx, const struct finding *f)
{
	struct rig *r = ctx;
	struct rig_finding *at = NULL;

	for (size_t i = 0; i < r->found_n && !at; i++) {
		if (!strcmp(r->found[i].rule, f->rule->id) && !strcmp(r->found[i].key, f->key) && r->found[i].stack == f->stack)
			at = &r->found[i];
	}
	if (!at) {
		assert_true(r->found_n < RIG_FINDINGS_MAX);
		at = &r->found[r->found_n++];
	}
	snprintf(at->rule, sizeof at->rule, "%s", f->rule->id);
	snprintf(at->peer, sizeof at->peer, "%s", f->peer);
	snprintf(at->operation, sizeof at->operation, "%s", f->operation);
	snprintf(at->key, sizeof at->key, "%s", f->key);
	snprintf(at->message, sizeof at->message, "%s", f->message);
	at->severity = f->severity > at->severity ? f->severity : at->severity;
	at->confidence = f->confidence > at->confidence ? f->confidence : at->confidence;
	at->count += f->count;
	at->stack = f->stack;
	at->request_id = f->request_id;
	json_decref(at->evidence);
	at->evidence = f->evidence;
	assert_non_null(f->evidence);
	assert_true(f->first_seen_ns <= f->last_seen_ns);
	assert_true(f->first_seen_ns >= SCRIPT_EPOCH);
}

SCRIPT_API void rig_init(struct rig *r, const struct detector *d)
{
	memset(r, 0, sizeof *r);
	script_init(&r->s);
	r->detector = d;
	for (size_t i = 0; d->options && d->options[i].name; i++)
		r->options[i] = d->options[i].value;
	r->protocols = protocols_new(r->s.model, &r->s.counters);
	assert_non_null(r->protocols);
	const struct detector_env env = {
		.model = r->s.model,
		.stacks = r->s.stacks,
		.counters = &r->s.counters,
		.options = r->options,
		.emit = rig_emit,
		.emit_ctx = r,
	};
	r->state = d->create(&env);
	assert_non_null(r->state);
	assert_int_equal(model_observe(r->s.model, &protocols_observer, r->protocols), 0);
	assert_int_equal(model_observe(r->s.model, &d->observer, r->state), 0);
}

/* The session ends; the section and what was not exercised are taken. */
SCRIPT_API void rig_finish(struct rig *r)
{
	script_finish(&r->s);
	if (r->detector->finish)
		r->detector->finish(r->state, r->s.now);
	if (!r->detector->report)
		return;
	r->not_exercised = json_array();
	r->section = r->detector->report(r->state, r->not_exercised);
	/* Where there was nothing to watch, there is no section. */
	assert_true(!r->section || json_is_array(r->section) || json_is_object(r->section));
}

SCRIPT_API void rig_done(struct rig *r)
{
	for (size_t i = 0; i < r->found_n; i++)
		json_decref(r->found[i].evidence);
	json_decref(r->section);
	json_decref(r->not_exercised);
	script_done(&r->s); /* first: it tells observers of the connections that are left */
	protocols_free(r->protocols);
	r->detector->destroy(r->state);
}

SCRIPT_API const struct rig_finding *rig_found(const struct rig *r, const char *rule)
{
	for (size_t i = 0; i < r->found_n; i++) {
		if (!strcmp(r->found[i].rule, rule))
			return &r->found[i];
	}
	return NULL;
}

SCRIPT_API void rig_print(const struct rig *r)
{
	for (size_t i = 0; i < r->found_n; i++)
		printf("  %s %s %s: %s\n", r->found[i].rule, severity_name(r->found[i].severity),
		       confidence_name(r->found[i].confidence), r->found[i].message);
}

/* Text at a path of a row of the section: rig_text(&r, 0, "phase", "response", "bound", NULL). */
SCRIPT_API const char *rig_text(const struct rig *r, size_t row, ...)
{
	json_t *at = json_array_get(r->section, row);
	const char *name;
	va_list ap;

	va_start(ap, row);
	while ((name = va_arg(ap, const char *)))
		at = json_object_get(at, name);
	va_end(ap);
	return json_is_string(at) ? json_string_value(at) : "(no text)";
}

SCRIPT_API double rig_number(const struct rig *r, size_t row, ...)
{
	json_t *at = json_array_get(r->section, row);
	const char *name;
	va_list ap;

	va_start(ap, row);
	while ((name = va_arg(ap, const char *)))
		at = json_object_get(at, name);
	va_end(ap);
	return json_is_number(at) ? json_number_value(at) : -1.0;
}

SCRIPT_API bool rig_not_exercised(const struct rig *r, const char *part)
{
	size_t i;
	json_t *text;

	json_array_foreach (r->not_exercised, i, text) {
		if (strstr(json_string_value(text), part))
			return true;
	}
	return false;
}

/* A stack whose application frame is `function` in `module`. */
SCRIPT_API uint32_t rig_stack(struct rig *r, const char *function, const char *module)
{
	const struct frame frames[] = {{.function = "recv", .module = "libc.so.6", .runtime = true},
				       {.function = function, .module = module}};

	return stacks_add(r->s.stacks, frames, 2);
}

#define RIG_GET "GET /orders/17 HTTP/1.1\r\nHost: payments\r\n\r\n"
#define RIG_POST "POST /charge HTTP/1.1\r\nHost: payments\r\nContent-Length: 2\r\n\r\n{}"
#define RIG_200 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define RIG_503 "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"

#endif
