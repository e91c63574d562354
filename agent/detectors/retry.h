/*
 * Retries, inside the detector: operations (keys), attempts and sequences. retry.c turns what the model tells into attempts, retry_key.c
 * keeps the operations, retry_sequence.c judges, retry_report.c speaks.
 *
 *   attempt   one try of an operation: a request, a connect that failed, a connection that ended without an answer
 *   sequence  attempts of one operation, each begun after the one before it had failed
 */
#ifndef GAPSCOPE_DETECTORS_RETRY_H
#define GAPSCOPE_DETECTORS_RETRY_H

#include "core/hash.h"
#include "detectors/detector.h"
#include "detectors/evidence.h"
#include "detectors/retry_shape.h"

#define RETRY_SLOT 1U          /* of conn.slot */
#define RETRY_ADDRESSES_MAX 8U /* addresses of one look-up that are tried in one attempt to connect */
#define RETRY_BUDGET_SECONDS 10U
#define RETRY_EXITING_MAX 64U

/* Rows of the rule table, retry_rules[]. */
enum retry_rule {
	RETRY_UNBOUNDED,
	RETRY_NO_BACKOFF,
	RETRY_NO_JITTER,
	RETRY_BUDGET,
	RETRY_NON_IDEMPOTENT,
	RETRY_IGNORES_RETRY_AFTER,
	RETRY_NOT_RETRYABLE,
	RETRY_RULES
};
extern const struct rule retry_rules[];

/* Rows of the option table. */
enum retry_option {
	RETRY_O_UNBOUNDED_ATTEMPTS,
	RETRY_O_UNBOUNDED_SECONDS,
	RETRY_O_PROVEN_ATTEMPTS,
	RETRY_O_WINDOW,
	RETRY_O_NO_BACKOFF,
	RETRY_O_BUDGET_WARN,
	RETRY_O_BUDGET_ERROR,
	RETRY_O_BUDGET_RATE,
	RETRY_OPTIONS
};
extern const struct option retry_options[];

enum retry_kind { RETRY_OF_REQUEST, RETRY_OF_CONNECT, RETRY_OF_BYTES };
enum retry_result {
	RETRY_OK,
	RETRY_FAILED,  /* may be worth another try */
	RETRY_REFUSED, /* the peer said no: another try of the same gives the same */
	RETRY_NEUTRAL, /* a redirect and the like */
	RETRY_PENDING, /* the session ended during it */
};

struct retry_attempt {
	uint64_t start_ns, end_ns;
	enum retry_result result;
	int status;              /* of HTTP, 0 none */
	uint64_t retry_after_ns; /* stated by the peer, 0 none */
	bool delivered;          /* the peer may have acted on it without saying so */
	bool unsafe;             /* repeating it may do its work twice */
	uint64_t caller;         /* incoming request that it was made for, 0 none */
	uint64_t address;        /* hash of the peer's address */
	uint64_t request_id;
	uint32_t pid, tid, stack;
};

struct retry_sequence {
	bool active, exited; /* exited: its process ended by its own will after the last failure */
	bool refused;        /* of RETRY_REFUSED attempts */
	bool open;           /* the last attempt had not ended when the session did */
	uint32_t attempts, gaps_n;
	uint64_t first_start_ns, last_start_ns, last_end_ns, last_gap_ns, due_ns /* of Retry-After */;
	uint64_t caller;
	uint32_t pid, tid;
	int status;
	bool delivered;
	uint64_t gaps[SHAPE_GAPS_MAX];
	uint64_t addresses[RETRY_ADDRESSES_MAX]; /* tried in the current attempt to connect */
	uint32_t addresses_n;
};

/* What a rule has to say about an operation. */
struct retry_hit {
	uint64_t count, told;
	uint64_t first_ns, last_ns;
	enum severity severity;
	enum confidence confidence;
	uint64_t request_id;
	uint64_t detail; /* by rule: attempts, median gap ns, status, per mille … */
};

struct retry_key_id {
	uint64_t operation; /* hash of everything that makes it one operation */
	uint64_t peer;
};

struct retry_key {
	struct retry_key_id id;
	enum retry_kind kind;
	char *peer, *operation;
	uint32_t stack;
	bool concurrent; /* several threads do it at once: only attempts of one thread follow each other */
	bool dirty;
	uint64_t attempts, retries, failures;
	uint64_t sequences, gave_up, recovered;
	uint32_t max_attempts, bound; /* bound: longest sequence that ended in giving up */
	bool unbounded;
	enum backoff backoff; /* of the longest sequence */
	uint64_t median_gap_ns;
	uint32_t judged_gaps;
	uint64_t ok_start_ns, period_ns, period_off_ns; /* healthy start-to-start interval and how much it wanders */
	uint32_t period_n;
	struct shape_step steps[SHAPE_STEPS_MAX];
	struct retry_sequence seq;
	struct retry_hit hits[RETRY_RULES];
	struct retry_key *active_prev, *active_next; /* keys with a sequence under way */
	struct retry_key *dirty_next;
	UT_hash_handle hh;
};

/* Requests and retries to one peer, second by second, for the budget rule. */
struct retry_peer {
	char name[LIMIT_PEER_TEXT];
	uint64_t second; /* of the newest slot */
	uint32_t requests[RETRY_BUDGET_SECONDS], retries[RETRY_BUDGET_SECONDS];
	uint32_t stack;
	struct retry_hit hit;
	UT_hash_handle hh;
};

struct retry_caller; /* retry.c: incoming requests by thread */
struct talk;

struct retry {
	struct detector_env env;
	struct retry_key *keys;
	struct retry_key *active, *dirty;
	struct retry_peer *peers;
	struct retry_caller *callers;
	struct talk *talks;                  /* retry.c: connections without a known protocol */
	uint32_t exiting[RETRY_EXITING_MAX]; /* processes that called exit, newest over oldest */
	uint32_t exiting_n;
	uint64_t attempts, failures;
};

/* retry_key.c */
struct retry_key *retry_key_get(struct retry *r, enum retry_kind kind, const char *peer, const char *operation, uint64_t hash,
				uint32_t stack);
void retry_keys_free(struct retry *r);
/* Text of a request as an operation: method and path, never the query. Returns buf. */
const char *retry_operation_text(const struct request *q, char *buf, size_t size);
/* Hash of everything that makes two requests one operation: method, path, query, body. */
uint64_t retry_request_hash(const struct request *q);

/* retry_sequence.c. Returns how many attempts came before this one in its sequence: 0 = not a retry. */
unsigned int retry_attempt(struct retry *r, struct retry_key *k, const struct retry_attempt *a);
void retry_process_exit(struct retry *r, uint32_t pid);
/* End sequences that nothing can follow any more. */
void retry_expire(struct retry *r, uint64_t now_ns);
/* The session is over: what has not ended stays undecided, unless its process is gone. */
void retry_end_all(struct retry *r, uint64_t now_ns);
void retry_note(struct retry *r, struct retry_key *k, enum retry_rule rule, const struct retry_attempt *a, enum severity severity,
		enum confidence confidence, uint64_t detail);

/* retry_budget.c */
void retry_budget_count(struct retry *r, const char *peer, uint64_t now_ns, bool retry, uint32_t stack);
void retry_budget_free(struct retry *r);

/* retry_report.c */
void retry_tell(struct retry *r);
json_t *retry_section(struct retry *r, json_t *not_exercised);

#endif
