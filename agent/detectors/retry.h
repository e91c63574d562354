/*
 * Retries, inside the detector: operations (keys), attempts and sequences. retry.c turns what the model tells into attempts, retry_key.c
 * keeps the operations, retry_client.c who does them; retry_sequence.c says what follows what, retry_judge.c judges, retry_report.c speaks.
 *
 *   attempt   one try of an operation: a request, a connect that failed, a connection that ended without an answer, a look-up of a name
 *   sequence  attempts of one operation, each begun after the one before it had failed
 */
#ifndef GAPSCOPE_DETECTORS_RETRY_H
#define GAPSCOPE_DETECTORS_RETRY_H

#include "core/hash.h"
#include "core/pool.h"
#include "detectors/detector.h"
#include "detectors/evidence.h"
#include "detectors/retry_calls.h"
#include "detectors/retry_shape.h"

#define RETRY_SLOT 1U                   /* of conn.slot */
#define RETRY_ADDRESSES_MAX 8U          /* addresses of one look-up that are tried in one attempt to connect */
#define RETRY_FRESH_NS (20 * NS_PER_MS) /* a connection used so soon was made for that use */
#define RETRY_BUDGET_SECONDS 10U
#define RETRY_CALLERS_MAX 65536U /* threads with an incoming request in hand */
#define RETRY_LINE_GAPS 6U       /* gaps that a timeline names */
/* Detail of an amplification: attempts in all, and those of one inner round. */
#define RETRY_LAYERS(all, inner) (((uint64_t)(all) << 16) | ((inner)&0xffffU))
#define RETRY_EXITING_MAX 64U
#define RETRY_TIDS_MAX 16U     /* threads of one sequence that are told apart */
#define RETRY_THREADS_MAX 256U /* threads whose requests are counted, a power of two */
#define RETRY_LANES_MAX 32U    /* attempts at once that are told apart */
#define RETRY_SLEEPS_MAX 4U    /* latest sleeps of a thread */
#define RETRY_WAITS_MAX 8U     /* and waits with a limit, and others */
#define RETRY_JOBS_MAX 4U      /* latest jobs that a thread took */
#define RETRY_EXECS_MAX 16U
#define RETRY_MADE_MAX 16U      /* threads that were made last */
#define RETRY_CLIENTS_MAX 4096U /* processes that are told apart, over all operations */
#define RETRY_SIDE_MAX 64U      /* and of one operation */

/* Rows of the rule table, retry_rules[]. */
enum retry_rule {
	RETRY_UNBOUNDED,
	RETRY_NO_BACKOFF,
	RETRY_NO_JITTER,
	RETRY_BUDGET,
	RETRY_STORM,
	RETRY_AMPLIFICATION,
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

enum retry_kind { RETRY_OF_REQUEST, RETRY_OF_CONNECT, RETRY_OF_BYTES, RETRY_OF_LOOKUP };
enum retry_result {
	RETRY_OK,
	RETRY_FAILED,  /* may be worth another try */
	RETRY_REFUSED, /* the peer said no: another try of the same gives the same */
	RETRY_NEUTRAL, /* a redirect and the like */
	RETRY_PENDING, /* the session ended during it */
};

struct retry_attempt {
	uint64_t start_ns, end_ns;
	uint64_t connect_ns; /* begin of the connection that was made for it, 0 none */
	enum retry_result result;
	int status;              /* of HTTP, 0 none */
	uint64_t retry_after_ns; /* stated by the peer, 0 none */
	bool delivered;          /* the peer may have acted on it without saying so */
	bool unsafe;             /* repeating it may do its work twice */
	uint64_t caller;         /* incoming request that it was made for, 0 none */
	uint64_t address;        /* hash of the peer's address */
	uint64_t request_id;
	uint64_t process_ns; /* start of the process that made it */
	uint32_t pid, tid, parent, stack;
	uint32_t asked; /* requests of this thread to this peer so far; 0 if it has several at once, or that is not known */
	uint8_t number; /* as its sender says; 0 not stated */
	bool answered;  /* it was not the caller who ended it */
};

struct retry_sequence {
	bool active, exited; /* exited: its process ended by its own will after the last failure */
	bool refused;        /* of RETRY_REFUSED attempts */
	bool open;           /* the last attempt had not ended when the session did */
	uint32_t attempts, gaps_n;
	uint32_t stated; /* gaps that the peer had asked for (Retry-After) */
	uint32_t starts; /* attempts for which a process was begun after the one before had failed */
	uint32_t slept;  /* gaps that stand as they were asked for */
	uint32_t busy;   /* long gaps in which an event loop waited for nothing */
	uint64_t first_start_ns, last_start_ns, last_end_ns, last_gap_ns, due_ns /* of Retry-After */;
	uint64_t request_id; /* of the last attempt, 0 none */
	uint64_t repeats;    /* the request that the last attempt tried again, 0 none */
	uint64_t exit_ns;    /* when the process of the last attempt called exit, 0 not yet */
	uint64_t gap_ns;     /* begin of the last gap, if it ended as a process was begun, else 0 */
	uint64_t caller;
	uint32_t pid, tid, stack, boss; /* boss: who started the process that exited and may start another, 0 nobody */
	int status;
	bool delivered;
	uint64_t gaps[SHAPE_GAPS_MAX];
	uint64_t addresses[RETRY_ADDRESSES_MAX]; /* tried in the current attempt to connect */
	uint32_t addresses_n;
	uint32_t tids[RETRY_TIDS_MAX]; /* threads, latest first */
	uint32_t tids_n;
	bool each_new;  /* every attempt came from a thread of its own */
	bool answered;  /* of the last attempt */
	uint8_t number; /* of it, as its sender says */
	uint32_t asked, max_before;
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

/* The gaps of a client's sequence, and what they show of calls one after the other. */
struct retry_calls {
	uint32_t n;
	struct calls_shown shown; /* of the first `looked` ones */
	uint32_t looked;
	struct calls_gap gaps[CALLS_GAPS_MAX];
};

struct retry_crowd;  /* retry_crowd.c */
struct retry_handed; /* retry_client.c */

/* A sequence as a line of text tells it. */
enum retry_outcome { RETRY_GOES_ON, RETRY_GAVE_UP, RETRY_RECOVERED };
struct retry_line {
	uint32_t attempts, gaps_n;
	uint64_t span_ns;
	uint64_t gaps[RETRY_LINE_GAPS];
	enum retry_outcome outcome;
};

/* Who does it: the service, or one of its processes once several were seen to do it side by side. */
struct retry_client {
	struct retry_key *key;
	uint32_t pid, parent;
	struct retry_sequence seq;
	bool concurrent;           /* several threads do it at once: only attempts of one thread follow each other */
	uint32_t overlaps;         /* attempts that overlapped another of the same thread */
	struct retry_calls *calls; /* of its sequence; NULL until it tried something again */
	struct retry_crowd *crowd; /* several tasks of one thread do it at once: their attempts cannot be told apart */
	uint64_t ok_start_ns, period_ns, period_off_ns; /* healthy start-to-start interval and how much it wanders */
	uint32_t period_n;
	uint64_t ok_end_ns, ok_caller, calm_ns; /* last good answer, and how long after one the next attempt comes */
	uint32_t ok_tid, ok_pid, calm_n;
	uint64_t due_ns, last_end_ns; /* next round of the period, 0 not known; end of the last attempt */
	uint32_t odd, paid_failures;  /* attempts in a row: that were no rounds in time; that made up for rounds and failed */
	uint32_t burst;               /* attempts of this client that came at once, one after the other, after good answers */
	bool paid;                    /* the last attempt made up for a round */
	bool good;                    /* and it went well */
	struct retry_client *active_prev, *active_next; /* with a sequence under way */
	struct retry_client *next;                      /* of the key */
};

struct retry_key {
	struct retry_key_id id;
	enum retry_kind kind;
	char *peer, *operation;
	uint32_t stack;
	uint64_t site; /* of connects: hash of the call site, 0 until known */
	bool dirty;
	uint64_t attempts, retries, failures;
	uint64_t sequences, gave_up, recovered;
	uint32_t max_attempts, bound; /* bound: longest sequence that ended in giving up */
	bool unbounded;
	enum backoff backoff; /* of the longest sequence */
	enum jitter jitter;   /* within it */
	uint32_t inner;       /* attempts of one inner round of it, 0 = not nested */
	uint32_t round;       /* attempts of each of many calls that fail one after the other, 0 = not such */
	uint64_t median_gap_ns;
	uint32_t judged_gaps;
	bool busy;              /* no gap of the longest sequence was waited: what made them long is a busy machine */
	struct retry_line line; /* the longest sequence */
	struct shape_step steps[SHAPE_STEPS_MAX];
	bool side_by_side;           /* processes do it at once */
	struct retry_client *client; /* whose attempt is looked at, or was last */
	struct retry_client first;
	uint32_t others_n;
	struct retry_client *others; /* once processes were seen side by side: one each, newest first */
	struct retry_handed *handed; /* attempts that went from process to process; NULL where none did */
	struct retry_hit hits[RETRY_RULES];
	struct retry_key *dirty_next;
	UT_hash_handle hh;
};

/* Requests and retries to one peer, second by second, for the budget rule. */
struct retry_peer {
	char name[LIMIT_PEER_TEXT];
	uint64_t second; /* of the newest slot */
	uint32_t requests[RETRY_BUDGET_SECONDS], retries[RETRY_BUDGET_SECONDS];
	uint32_t stack;
	const struct retry_key *key; /* whose attempt passed the budget last; it has failed, so it is not forgotten */
	struct retry_hit hit;
	UT_hash_handle hh;
};

/* Incoming requests, second by second. */
struct retry_storm_slot {
	uint32_t requests, retries, good;
};
struct retry_storm {
	uint64_t second; /* of the newest slot */
	struct retry_storm_slot slots[RETRY_BUDGET_SECONDS];
	uint32_t stack, requests, good_before, good_after; /* of the worst moment */
	struct retry_hit hit;
};

/* A moment of a process. */
struct retry_exec {
	uint32_t pid, pad;
	uint64_t now_ns;
};

/* Where a thread slept last. */
struct retry_sleep {
	uint64_t t0, t1;
	uint32_t stack;
};
struct retry_slept {
	uint32_t tid, n; /* n: sleeps so far */
	struct retry_sleep sleeps[RETRY_SLEEPS_MAX];
};

/* A thread was made, by this one. */
struct retry_made {
	uint32_t pid, tid;
	uint64_t now_ns;
};

/* The latest waits of a thread; asked_ns: for how long at most, or as long as it took. */
struct retry_wait {
	uint64_t t0, t1, asked_ns;
	bool sleep; /* for nothing but time */
	bool woken; /* without a limit, by another thread */
};
struct retry_waits {
	uint32_t tid, n; /* n: waits so far */
	uint32_t pid;
	bool loop; /* of events */
	struct retry_wait waits[RETRY_WAITS_MAX];
};

/* Jobs that a thread took from a queue: when, and the first sleep since, 0 none. */
struct retry_job {
	uint64_t taken_ns, slept_ns;
};
struct retry_work {
	uint32_t tid, n; /* n: jobs so far */
	struct retry_job jobs[RETRY_JOBS_MAX];
};

/* Requests of one thread to one peer. */
struct retry_thread {
	uint64_t id, last_end_ns;
	uint32_t asked;
	bool loop; /* it has several at once */
};

struct retry_caller;   /* retry_incoming.c: incoming requests in hand, by thread */
struct retry_traced;   /* and by trace */
struct retry_incoming; /* and those that failed */
struct retry_talk;     /* retry_talk.c */

struct retry {
	struct detector_env env;
	struct retry_key *keys;
	struct retry_client *active;
	struct retry_key *dirty;
	uint32_t clients; /* beside the first ones */
	struct retry_peer *peers;
	struct retry_caller *callers, *caller_last;
	struct retry_traced *traced;
	struct pool caller_blocks;
	struct retry_incoming *incoming;
	struct retry_storm storm;
	struct retry_talk *talks;            /* retry_talk.c: one a connection */
	uint32_t exiting[RETRY_EXITING_MAX]; /* processes that called exit, newest over oldest */
	uint32_t exiting_n;
	struct retry_exec execs[RETRY_EXECS_MAX];  /* calls of exec and spawn, by the caller */
	struct retry_exec starts[RETRY_EXECS_MAX]; /* when processes were begun that then showed a new image */
	uint32_t execs_n, starts_n;
	struct retry_made made[RETRY_MADE_MAX];
	uint32_t made_n;
	struct retry_thread threads[RETRY_THREADS_MAX];
	struct retry_slept slept[RETRY_THREADS_MAX];
	struct retry_waits waits[RETRY_THREADS_MAX];
	struct retry_work work[RETRY_THREADS_MAX];
	uint64_t logged[RETRY_THREADS_MAX]; /* last log line of a process */
	uint64_t attempts, failures;
};

/* retry_key.c */
struct retry_key *retry_key_get(struct retry *r, enum retry_kind kind, const char *peer, const char *operation, uint64_t hash,
				uint32_t stack);
/* An operation that is known already, or NULL. */
struct retry_key *retry_key_find(struct retry *r, const char *peer, uint64_t hash);
/* The operation of connecting to a peer from a call site (hash `site`, 0 unknown: the peer's first one). */
struct retry_key *retry_key_connect(struct retry *r, const char *peer, uint64_t site, uint32_t stack);
void retry_keys_free(struct retry *r);
/* Text of a request as an operation: method and path, never the query. Returns buf. */
const char *retry_operation_text(const struct request *q, char *buf, size_t size);
/* Hash of everything that makes two requests one operation: method, path, query, body. */
uint64_t retry_request_hash(const struct request *q);

/* retry_safe.c: may a repetition of it do its work twice? */
bool retry_repeats_work(const struct request *q);

/* retry_pace.c: checks and polls that go on at one pace, whether they are answered well or not. */
bool retry_keeps_period(const struct retry_key *k, uint64_t interval_ns);
bool retry_keeps_pace(const struct retry_key *k, uint64_t gap_ns);
/* It makes up for a round that was due before, or is the first one in time after such. */
bool retry_keeps_schedule(const struct retry_key *k, const struct retry_attempt *a);
void retry_learn_pace(struct retry_key *k, const struct retry_attempt *a);
/* The same, judged when all is known: delays between failures that are those between good answers. */
bool retry_was_pace(const struct retry_key *k);

/* retry_sequence.c. Returns how many attempts came before this one in its sequence: 0 = not a retry. */
unsigned int retry_attempt(struct retry *r, struct retry_key *k, const struct retry_attempt *a);
/* The incoming request that attempts were made for is over, and so are they. */
void retry_call_over(struct retry *r, struct retry_key *k, uint64_t caller);
/* When an attempt began that comes after the end of another: a connection made for it belongs to it. */
uint64_t retry_begin_ns(const struct retry_attempt *a, uint64_t after_ns);
/* A process ended by its own will. `parent`: the one that started it, which is watched and lives on; 0 if none does. */
void retry_process_exit(struct retry *r, uint32_t pid, uint32_t parent);
/* End sequences that nothing can follow any more. */
void retry_expire(struct retry *r, uint64_t now_ns);
/* The session is over: what has not ended stays undecided, unless its process is gone. */
void retry_end_all(struct retry *r, uint64_t now_ns);

/* retry_judge.c: what sequences show. */
uint64_t retry_option_ns(const struct retry *r, enum retry_option o);
void retry_note(struct retry *r, struct retry_key *k, enum retry_rule rule, const struct retry_attempt *a, enum severity severity,
		enum confidence confidence, uint64_t detail);
/* An attempt has followed the failure before it, after a gap. */
void retry_judge_attempt(struct retry *r, struct retry_key *k, const struct retry_attempt *a, uint64_t gap);
/* The sequence ends: it gave up, or an attempt went well. */
void retry_judge_end(struct retry *r, struct retry_key *k, bool gave_up);
/* The session is over, and the sequence is not. */
void retry_judge_open(struct retry *r, struct retry_key *k);
/* Shape and pace so far, where it is the longest of its operation. */
void retry_judge_shape(const struct retry *r, struct retry_key *k, uint64_t end_ns);
/* It was no sequence after all: what was concluded from it, and has not been told yet, is not told. */
void retry_judge_nothing(struct retry_key *k);

/* retry_incoming.c */
void retry_incoming_start(struct retry *r, const struct request *q);
void retry_incoming_end(struct retry *r, const struct request *q);
void retry_incoming_tick(struct retry *r, uint64_t now_ns);
void retry_incoming_init(struct retry *r);
void retry_incoming_free(struct retry *r);
/* The incoming request that one to a dependency is made for, 0 none; the latest of a thread; and an attempt that failed for it. */
uint64_t retry_caller_of(const struct retry *r, const struct request *q);
uint64_t retry_caller_of_thread(const struct retry *r, uint32_t tid);
void retry_caller_failed(struct retry *r, const struct request *q, struct retry_key *k);

/* retry_client.c */
void retry_client_init(struct retry_key *k);
void retry_client_done(struct retry *r, struct retry_key *k);
/* Makes the one whose attempt it is the key's present client. False if there is no room for another: the attempt is not followed. */
bool retry_client_choose(struct retry *r, struct retry_key *k, const struct retry_attempt *a);
/* Notes an attempt that goes on with a sequence, before it does: it may be another process that does. */
void retry_client_hand(struct retry_key *k, const struct retry_attempt *a);
/* Does it show that processes do the same side by side: it overlaps another one's attempt, or its process comes back after another's? */
bool retry_client_beside(const struct retry_key *k, const struct retry_attempt *a);
/* From now on each process has its own client. What the first one had done by itself, and the attempts since, which are to be gone through
 * again; false if there were too many of them. */
bool retry_client_split(struct retry_key *k, struct retry_sequence *ret_before, const struct retry_attempt **ret_since,
			uint32_t *ret_n);
/* An attempt was gone through. */
void retry_client_settled(struct retry_key *k, const struct retry_attempt *a);

/* retry_crowd.c */
/* Who makes threads. */
void retry_crowd_event(struct retry *r, const struct event *e);
void retry_crowd_begin(struct retry_sequence *s, const struct retry_attempt *a);
/* Adds the thread of an attempt to a sequence. False if the sequence turns out to be the attempts of several threads at once. */
bool retry_crowd_join(const struct retry *r, struct retry_sequence *s, const struct retry_attempt *a);
/* Workers that failed once each, rather than one that tried again? */
bool retry_crowd_apart(const struct retry_sequence *s);
/* An attempt that overlaps one of the same thread. True from when on the attempts of this operation cannot be told apart. */
bool retry_crowd_overlap(struct retry_key *k, const struct retry_attempt *a);
/* An attempt of such an operation. */
void retry_crowd_attempt(struct retry *r, struct retry_key *k, const struct retry_attempt *a);
/* Counts a request of a thread, unless it comes with a new connection; the number of it, 0 if the thread has several at once. */
uint32_t retry_crowd_asked(struct retry *r, const struct retry_key *k, const struct request *q, uint64_t end_ns);

/* retry_process.c */
void retry_process_event(struct retry *r, const struct event *e);
void retry_process_gone(struct retry *r, const struct process *p);
/* When a process was begun: by fork, or by the exec that its first image came of; 0 of none. */
uint64_t retry_process_ns(const struct retry *r, const struct process *p);

/* retry_talk.c */
void retry_connect_ended(struct retry *r, const struct conn *c, uint32_t tid);
void retry_talk_data(struct retry *r, struct conn *c, enum direction d, const struct event *e);
void retry_talk_wait(const struct wait *w);
void retry_talk_close(struct retry *r, struct conn *c, const struct event *e);
void retry_talks_free(struct retry *r);
/* When the connection was begun that was made for the bytes that went out at start_ns; 0 if it was there before. */
uint64_t retry_connect_ns(const struct conn *c, uint64_t start_ns);
/* When an attempt ended whose connection was closed at end_ns: when the last wait for an answer ran out, if one did. */
uint64_t retry_timed_out_ns(const struct conn *c, uint64_t end_ns);

/* retry_place.c */
void retry_slept(struct retry *r, const struct wait *w);
void retry_logged(struct retry *r, const struct log_write *l);
/* What lay between the last attempt of a sequence and this one. */
struct calls_gap retry_gap_seen(struct retry *r, const struct retry_sequence *s, const struct retry_attempt *a, uint64_t gap_ns);

/* retry_asked.c */
void retry_asked_event(struct retry *r, const struct event *e);
/* A gap as the thread asked for it, without what a busy machine added; never longer than it was. *ret_exact: it is what was asked for. */
uint64_t retry_asked_gap(struct retry *r, const struct retry_sequence *s, const struct retry_attempt *a, uint64_t gap_ns,
			 bool *ret_exact);
/* Did the event loop that makes these attempts wait for nothing in the gap, nor any other thread of its process for time? No delay was asked
 * for, then. */
bool retry_asked_nothing(struct retry *r, const struct retry_sequence *s, const struct retry_attempt *a, uint64_t gap_ns);
/* Did a thread rest between two moments until another one woke it, and sleep no more after it? */
bool retry_asked_woken(struct retry *r, uint32_t tid, uint64_t from_ns, uint64_t to_ns);

/* retry_work.c */
void retry_work_event(struct retry *r, const struct event *e);
void retry_work_request(struct retry *r, const struct request *q);
void retry_work_read(struct retry *r, const struct conn *c, enum direction d, const struct event *e);
/* Did this thread take a job between two moments, and let no time pass from then to the second one? */
bool retry_work_taken(struct retry *r, uint32_t tid, uint64_t from_ns, uint64_t to_ns);

/* retry_lookup.c */
void retry_lookup(struct retry *r, const struct resolve *l);

/* retry_budget.c */
void retry_budget_count(struct retry *r, const struct retry_key *k, uint64_t now_ns, bool retry, uint32_t stack);
void retry_budget_free(struct retry *r);

/* retry_timeline.c: "7 attempts in 0.9 s: 0, 41, 42, 40 ms …, gave up". Returns buf. */
const char *retry_timeline(const struct retry_line *l, char *buf, size_t size);

/* retry_report.c */
/* `last`: the session is over, and what waited for more to be known is told as well. */
void retry_tell(struct retry *r, bool last);
json_t *retry_section(struct retry *r, json_t *not_exercised);

#endif
