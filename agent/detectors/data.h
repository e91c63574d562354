/*
 * The inside of the data detector: what was found, by entity, place and call site. Included by data*.c only; the session's thread.
 *
 *   data.c        sinks, matches, the report's section        data_group.c  groups, and the findings made of them
 *   data_slot.c   numbers that pass a check by chance         data_trace.c  stack traces in answers
 */
#ifndef GAPSCOPE_DETECTORS_DATA_H
#define GAPSCOPE_DETECTORS_DATA_H

#include "core/hash.h"
#include "detectors/detectors.h"
#include "detectors/distinct.h"
#include "scan/scan.h"

#define DATA_LEVELS_MAX 8U

#define DATA_PLAIN_PLACES 32U
#define DATA_PLAIN_BYTES 768U

/* The bytes of an answer that hold nothing of a stack trace (data_trace.c); len 0: none. */
struct data_plain {
	size_t len;
	uint8_t bytes[DATA_PLAIN_BYTES];
};

/* Read shares: bytes that entered a sink, and how many of them the scanner read. */
struct data_sink {
	char name[LIMIT_PEER_TEXT];
	uint64_t total, scanned, lines;
	UT_hash_handle hh;
};

/* Matches that count as one. */
struct data_tally {
	uint64_t count, first_ns, last_ns;
	uint64_t line;       /* of the first */
	uint64_t request_id; /* the latest that one was seen in, 0 none */
	char sample[64];
	char levels[DATA_LEVELS_MAX][16]; /* log levels seen, in order of appearance */
	uint32_t levels_n;
	struct distinct distinct;
};

struct data_group_key {
	uint64_t site;
	const struct entity *entity;
	uint32_t sink; /* hash of its name, or of the peer and the direction */
	enum match_where where;
};

struct data_group {
	struct data_group_key key;
	char sink[LIMIT_PEER_TEXT]; /* "sent" and "received" of connections */
	char peer[LIMIT_PEER_TEXT]; /* of connections that the service opened, else "" */
	bool loopback;              /* all that was seen stayed on this machine */
	uint32_t stack;
	uint64_t told; /* of tally.count, already emitted */
	uint64_t first_untold_ns;
	uint32_t values, passed; /* of the places that its numbers were at: data_slot.c */
	struct data_tally tally;
	UT_hash_handle hh;
};

struct data {
	struct detector_env env;
	struct data_sink *sinks, *sink_last;
	struct data_group *groups;
	struct data_place *places;
	struct data_held *held;
	struct data_answers *answers;
	struct data_plain plain[DATA_PLAIN_PLACES];
	uint64_t lines;
};

extern const struct rule data_rules[];
extern const struct rule *const data_trace_rule;

/* data_group.c */
struct data_group *data_group_of(struct data *d, const struct log_match *m, const struct entity *e);
void data_tally_add(struct data *d, struct data_tally *t, const struct log_match *m);
void data_group_add(struct data *d, struct data_group *g, const struct log_match *m);
void data_group_take(struct data_group *g, const struct data_tally *t); /* what was held belongs to it after all */
const char *data_group_rule(const struct data_group *g);
json_t *data_group_json(struct data *d, const struct data_group *g);
void data_groups_tell(struct data *d);
void data_groups_free(struct data *d);

/* data_slot.c */
void data_slot(void *ctx, const struct log_slot *s);
/* A number of a place that is not judged yet is held; false: it is to be told at once. */
bool data_slot_holds(struct data *d, struct data_group *g, const struct log_match *m);
/* What was held for long enough is told; with `all`, whatever was not judged. */
void data_slots_release(struct data *d, uint64_t now_ns, bool all);
/* What was taken for no value, and why: texts for the report. */
void data_slots_explain(struct data *d, json_t *notes);
void data_slots_free(struct data *d);

/* data_trace.c */
void data_trace_bytes(void *ctx, struct conn *c, enum direction dir, const struct event *e);
void data_trace_start(void *ctx, struct request *r);
void data_trace_end(void *ctx, struct request *r);
void data_trace_close(void *ctx, struct conn *c, const struct event *e);
void data_traces_tell(struct data *d);
void data_traces_free(struct data *d);

#endif
