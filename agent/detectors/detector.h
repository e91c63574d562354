/*
 * A detector: watches the model as an observer, and emits findings. One file, one entry, one row in detectors.c. No clock, no I/O,
 * no lock. Rules carry their own documentation: man page, `gapscope list` and the README's tables come from here.
 */
#ifndef GAPSCOPE_DETECTORS_DETECTOR_H
#define GAPSCOPE_DETECTORS_DETECTOR_H

#include <jansson.h>

#include "model/model.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_CRITICAL };
enum confidence { CONFIDENCE_SUSPECTED, CONFIDENCE_OBSERVED, CONFIDENCE_PROVEN };

const char *severity_name(enum severity s);     /* "info", "warning", "error", "critical" */
const char *confidence_name(enum confidence c); /* "suspected", "observed", "proven" */
/* The place of a name in its order, the least first; one past the last for a name of a newer version, which counts as the worst. */
int severity_rank(const char *name);
int confidence_rank(const char *name);

struct rule {
	const char *id; /* "deadline.response.missing" */
	enum severity severity;
	const char *title;  /* "no deadline on the response" */
	const char *doc;    /* what it means and when it is given, a few sentences */
	const char *remedy; /* what to do, in general */
};

/* A number that the configuration may set: `detectors: { retry: { unbounded_attempts: 20 } }`. */
struct option {
	const char *name;
	double value; /* default */
	double min, max;
	const char *unit; /* "s", "attempts", "" */
	const char *doc;
};

/* What a detector says. Texts and evidence are copied (evidence is taken over: its reference is stolen). */
struct finding {
	const struct rule *rule;
	enum severity severity; /* usually rule->severity */
	enum confidence confidence;
	const char *peer;      /* or "" */
	const char *operation; /* or "" */
	uint32_t stack;        /* call site, 0 unknown */
	const char *sink;      /* of data.* rules, or NULL */
	const char *
		path; /* functions that lead to the call site, where it says too little itself, or another stable word where there is
			* none: part of the fingerprint; or NULL */
	const char *key; /* tells findings of one rule and call site apart in one session (peer, entity …), or "" */
	uint64_t count;  /* of occurrences that this emission stands for */
	uint64_t first_seen_ns, last_seen_ns;
	json_t *evidence;    /* object; replaces the earlier one of the same finding */
	const char *message; /* one sentence a person understands at once, with the numbers */
	const char *remedy;  /* specific one, or NULL for the rule's */
	uint64_t request_id; /* of a request to link, 0 none */
};

struct detector_env {
	struct model *model;
	const struct stacks *stacks;
	struct counters *counters;
	const double *options; /* values in the order of the entry's option table */
	/* Add or update a finding: same rule, call site and key = same finding; counts add up, first/last widen. */
	void (*emit)(void *ctx, const struct finding *f);
	void *emit_ctx;
};

struct detector {
	const char *name; /* "deadline" */
	const char *doc;
	const struct rule *rules;     /* ends with id NULL; none where it only has a section */
	const struct option *options; /* ends with name NULL; may be NULL */
	const char *section;          /* name of its array in the report ("deadlines", "retries", "data"), or NULL */
	void *(*create)(const struct detector_env *env); /* env is copied; NULL when memory is out */
	void (*destroy)(void *state);
	struct observer observer; /* its ctx is the state */
	/* The session is over: emit what is still to say. */
	void (*finish)(void *state, uint64_t now_ns);
	/* Its section of the report: a new array; and texts of what was not exercised are appended to `not_exercised`. */
	json_t *(*report)(void *state, json_t *not_exercised);
};

/* All detectors in order; ends with NULL. */
extern const struct detector *const detector_table[];

#endif
