/*
 * Deadlines, inside the detector. deadline.c follows each client connection through its phases; deadline_settle.c ends them; deadline_bound.c says from the waits of one
 * phase which bound they show, deadline_runtime.c from what a language's runtime said; deadline_watchdog.c knows which other threads may end a wait; deadline_tally.c merges all that per peer and call site; deadline_report.c speaks.
 *
 *   connect   until the peer accepted          response   bytes sent → first byte back
 *   body      each gap between bytes           total      the whole operation
 */
#ifndef GAPSCOPE_DETECTORS_DEADLINE_H
#define GAPSCOPE_DETECTORS_DEADLINE_H

#include "core/hash.h"
#include "core/pool.h"
#include "detectors/detector.h"
#include "detectors/evidence.h"
#include "detectors/remedies.h"

#define DEADLINE_KERNEL_NS (134 * NS_PER_S) /* a connect ends so, tcp_syn_retries 6; measured 133.5 to 135.5 s */
#define DEADLINE_SLOT 0U                    /* of conn.slot */
#define DEADLINE_SITES_MAX 8U               /* call sites told apart per peer and phase; later ones share the last */
#define DEADLINE_HELD_MAX 6U                /* observations held back while a connection is young */
#define DEADLINE_OPEN_MAX 8U                /* outstanding requests of one connection that are looked at */
#define DEADLINE_TIMERS 64U                 /* latest waits of other threads that may be watchdogs */
#define DEADLINE_WHEELS 32U                 /* threads that sleep in whole milliseconds */
#define DEADLINE_BIRTHS 64U                 /* threads that began of late */
#define DEADLINE_IDLE_NS (30 * NS_PER_S)    /* longer sleeps are a pool's threads that wait for work, more often than not */
#define DEADLINE_RECENT 64U                 /* observations held back because a watchdog may turn out to have covered them */

enum phase { PHASE_CONNECT, PHASE_RESPONSE, PHASE_BODY, PHASE_TOTAL, PHASE_WRITE, PHASES, PHASE_IDLE = PHASES };

/* What shows a bound or the lack of one; deadline_report.c has the words. */
enum how {
	HOW_NOTHING,
	HOW_CALL_LIMIT,    /* SO_RCVTIMEO, SO_SNDTIMEO */
	HOW_POLL_LIMIT,    /* the timeout of a poll on that descriptor */
	HOW_REMAINDER,     /* limits that fall towards one moment */
	HOW_ALARM,         /* a pending SIGALRM that interrupts */
	HOW_GAVE_UP,       /* the process closed it while waiting */
	HOW_TIMED_OUT,     /* a wait ran out, and the process stopped */
	HOW_SYN_COUNT,     /* TCP_SYNCNT */
	HOW_USER_TIMEOUT,  /* TCP_USER_TIMEOUT, for connects */
	HOW_KERNEL,        /* only the kernel's own limit */
	HOW_CALL_FOREVER,  /* a blocking call without a limit */
	HOW_POLL_FOREVER,  /* a poll without a limit */
	HOW_SLICES,        /* slices that are re-armed again and again */
	HOW_LOOP_FOREVER,  /* an event loop's wait without a limit */
	HOW_NO_GIVE_UP,    /* waited long, and nobody gave up */
	HOW_DRIPPED,       /* each gap was bounded, the whole outlived the bound */
	HOW_ONE_SLICE,     /* undecided: a slice of at most a second says nothing */
	HOW_LOOP_TIMER,    /* undecided: an event loop's timer may be anybody's */
	HOW_REARMED,       /* undecided: one limit ran out and was armed again */
	HOW_OTHER_THREAD,  /* undecided: another thread was asleep or a timer set, and may be a watchdog */
	HOW_BUSY,          /* undecided: reads that are tried again and again */
	HOW_UNKNOWN_LIMIT, /* undecided: the socket existed before it was watched */
	HOW_CALLER_GONE,   /* the caller had gone, and the call went on */
	HOW_CALLER_FIRST,  /* the caller's own deadline comes first */
	HOW_GO_TIMER,      /* undecided: a timer of Go's runtime may cover it */
	HOW_SET_UP,        /* undecided: slices while the peer has never spoken: a connect deadline may be looked at between them */
	HOW_NEXT_BEGAN,    /* undecided: given up long after its next attempts had begun: who asked for it may have left before */
	HOW_BEGUN_BEFORE,  /* undecided: it gave up, or would, so long after somebody began to watch; nobody knows when it began */
	HOW_SILENT,        /* undecided: a connection from before it was watched, and nobody has said anything */
	HOW_CLOCK,         /* undecided: the clock ticks by which a library looks after its deadlines */
	HOW_RUNTIME,       /* the language's runtime was given this deadline */
	HOW_RUNTIME_NONE,  /* … was given none, for anything */
	HOW_STATED,        /* the request itself says how long its sender waits (grpc-timeout) */
	HOWS
};

/* Strength of evidence; what outweighs what is said in deadline_tally.c. W_DOUBT: undecided, because somebody seemed to watch over it. */
enum weight { W_UNDECIDED, W_KERNEL, W_NONE_WEAK, W_DOUBT, W_FINITE, W_NONE, W_FINITE_PROVEN, WEIGHTS };

struct observation {
	enum phase phase;
	enum weight weight;
	enum how how;
	bool observed;      /* it ran out in front of us, rather than being an argument alone */
	uint64_t limit_ns;  /* of finite ones */
	uint64_t waited_ns; /* without a give-up */
	uint32_t stack;
	uint64_t first_ns, last_ns;
	uint64_t calls, operations;
	uint64_t request_id;
};

/* What was said of a phase while it was under way, to be taken back when more is known. */
struct told {
	struct tally *tally; /* NULL: nothing */
	enum weight weight;
	uint64_t calls;
};

/* The waits of one phase of one operation. */
struct watch {
	enum phase phase;
	uint64_t since_ns, until_ns;
	uint32_t sender_tid;
	uint32_t stack; /* of the send or connect; the wait's is preferred */
	uint32_t wait_stack;
	uint64_t calls, request_id;
	uint64_t last_t0;
	uint64_t last_due_ns; /* when the latest wait with a limit was to end */
	uint32_t last_tid;
	bool by_call, forever, loop_forever, loop_forever_sure, go_timer, unknown, rearmed, last_timed_out, interrupted,
		other_thread, slices;
	uint32_t timeouts;
	uint64_t limit_ns;      /* largest limit of a wait that belongs to the descriptor, above a second */
	uint64_t last_limit_ns; /* of the latest finite one */
	uint64_t due_lo, due_hi, armed_first, armed_last; /* when finite waits would have ended, and were begun */
	uint32_t armed;
	uint64_t alarm_due_ns, alarm_len_ns;
	uint64_t hint_ns;                /* when a loop means to wake */
	uint64_t timer_ns, timer_len_ns; /* the timer behind that: due, and how far off it was when it was first seen */
	uint64_t tick_len_ns;            /* the longest timer that came and went while nothing was given up */
	bool loop_timed_out;
	uint32_t clock_ticks;  /* waits for the next tick of a known library's clock */
	uint64_t operation_ns; /* start of the operation that the phase belongs to */
	uint64_t last_t1;      /* end of the latest wait */
	bool end_unseen; /* the latest is a blocking call on a connection from before anybody watched, and may be from before too: then what it brings is not told */
	bool ready;      /* a poll has just said that there is something to read */
	bool seen_late;  /* it was under way when it began to be watched: earlier waits for it are not known */
	bool begun_before;        /* before anybody watched, and nobody knows when */
	bool half_closed;         /* its wait ran out, and its thread told the peer that it asks nothing more */
	bool announced;           /* … or an event loop's wait has: what is left unread now was not given up */
	uint32_t tries;           /* reads that found nothing, of a thread that does not wait */
	uint64_t runtime_due_ns;  /* the deadline of a language's runtime that covers it, 0 = none */
	uint64_t stated_ns;       /* so long its sender waits, says the request; 0: it does not say */
	uint32_t runtime_anew;    /* how often it ran out and another one was set, without an answer */
	uint64_t runtime_last_ns; /* when the last of its other timers expires, as the wait first saw it; 0: it saw none */
	bool runtime_whole;       /* … it is the whole operation's */
	bool runtime_none;        /* the runtime has no timer that might end it */
	bool runtime_unclear;     /* it had one meanwhile, and it is not known whose */
	uint64_t watchdog_due_ns; /* another thread sleeps until then: 0 = none does */
	struct told told;
};

/* END_EXIT: the thread that waited ended the process, right after its wait. Killed or ended by others is END_PENDING. */
enum ending { END_DATA, END_GAVE_UP, END_FAILED, END_EXIT, END_PENDING };

struct judge {
	uint64_t now_ns;
	uint64_t no_give_up_ns; /* waiting this long in an event loop means that nobody bounds it */
	int64_t user_timeout_ns;
	int syn_count;
	bool fired;            /* another thread's sleep ended at that very moment */
	bool left;             /* … and it was its caller's, who called exit then */
	uint64_t fired_len_ns; /* and how long it was, if it was begun for this operation, as far as can be told; else 0 */
	bool set_up; /* the connection is still being set up: a deadline on connecting covers this, for as long as the kernel's would */
	bool wheel;    /* a timer wheel turns in the process */
	bool dripping; /* bytes came more slowly before than the silence lasted now */
};

/* deadline_runtime.c */
/* What the runtime is known to keep for the wait's connection while it waits. */
void watch_runtime(struct watch *w, const struct wait *wait);
/* Is this a wait for the next tick of the clock by which a library looks after its deadlines? */
bool runtime_clock(const struct stacks *stacks, const struct wait *wait);
/* Was the connect begun by a library that leaves it to its caller to give up? */
bool runtime_leaves_connect(const struct stacks *stacks, uint32_t stack);
/* Is this wait a client library's that makes its own connections, in one call? */
bool runtime_connects_itself(const struct stacks *stacks, uint32_t stack);
bool judge_runtime(const struct watch *w, const struct judge *j, struct observation *o);

/* deadline_bound.c */
/* Say of a phase that it has a bound; true, for its callers. */
bool judge_bounded(struct observation *o, enum how how, uint64_t limit_ns, bool proven);
bool judge_weighs(struct observation *o, enum how how, enum weight weight);
void watch_begin(struct watch *w, enum phase phase, uint64_t now_ns, uint32_t tid, uint32_t stack, uint64_t request_id);
void watch_wait(struct watch *w, const struct wait *wait);
/* Is the timer that a loop waits for one that ticks on regardless? */
bool watch_ticks(const struct watch *w);
/* A read that found nothing and did not wait. */
void watch_try(struct watch *w, const struct event *e);
/* Which bound did these waits show? False if they show nothing (no wait, and no outcome). */
bool watch_judge(const struct watch *w, enum ending end, const struct judge *j, struct observation *ret);

/* Evidence of one phase at one call site of one peer. */
struct tally {
	uint64_t site;
	uint32_t stack;
	uint64_t operations, calls, told;
	uint64_t first_ns, last_ns, waited_ns /* longest without a give-up */;
	uint64_t request_id;
	struct {
		uint64_t count, limit_ns, first_ns;
		enum how how;
		uint64_t waited_ns; /* the longest without a give-up */
		bool observed;
		uint32_t stack;
	} by_weight[WEIGHTS];
	enum severity told_severity;
	enum confidence told_confidence;
};

enum bound_kind { BOUND_UNKNOWN, BOUND_FINITE, BOUND_KERNEL, BOUND_NONE };

struct bound {
	enum bound_kind kind;
	enum how how;
	enum confidence confidence;
	uint64_t limit_ns;
	const struct tally *tally; /* that it comes from, NULL if nothing was seen */
};

struct deadline_peer {
	char name[LIMIT_PEER_TEXT];
	char protocol[16];
	uint64_t connections;
	struct tally sites[PHASES][DEADLINE_SITES_MAX];
	uint32_t sites_n[PHASES];
	UT_hash_handle hh;
};

/* A name that took long to resolve, and a silent client of an accepted connection: findings without a peer of ours. */
struct deadline_slow {
	char name[LIMIT_PEER_TEXT];
	struct tally tally;
	UT_hash_handle hh;
};

struct deadline_conn {
	struct conn *conn;
	struct deadline_conn *prev, *next;
	struct watch now, before; /* before: the phase that has just ended, until nothing can belong to it any more */
	bool before_open;
	enum ending before_end;
	bool by_design; /* what it waits for may come whenever it likes, from now on */
	bool waits;     /* so may the answer to its present request */
	bool asked;     /* its protocol has announced a request: before, what goes to and fro is a handshake, answered in turn */
	struct request *open[DEADLINE_OPEN_MAX];
	uint32_t open_n; /* may exceed DEADLINE_OPEN_MAX */
	uint64_t operation_ns, longest_gap_ns, gap_limit_ns, first_byte_ns;
	uint64_t timer_due_ns;    /* the latest moment that a loop of this operation meant to wake at */
	uint32_t gaps, gaps_anew; /* anew: each bounded, by a limit as long as the one before */
	uint32_t timer_moves;     /* gaps in a row that moved that timer on: it was not the whole's */
	struct told drip;
	struct observation held[DEADLINE_HELD_MAX];
	uint32_t held_n;
};

/* A wait of a thread for nothing but time: a watchdog, perhaps. */
struct deadline_timer {
	uint32_t pid, tid;
	uint64_t t0, due, limit_ns;
	uint64_t since_ns; /* of sleeps of one thread that fall towards one moment, the first's beginning */
	uint64_t first_ns; /* of sleeps of one length, one right after the other, the same */
	uint64_t woke_ns;  /* when it was seen to end; until then, when it is due */
	bool ended, again; /* again: the same thread waits so time after time, which is no watchdog */
	bool idles;        /* it waits for work: so it did before there was anything to watch */
	bool newborn;      /* its thread had only just begun */
	bool jvm;          /* it sleeps in a JVM */
	bool habit;        /* its thread slept just so before */
	bool before;       /* begun before anybody watched; limit_ns is what was left of it at t0 */
	bool dated;        /* … but when it began is known all the same: t0 */
	bool alarm;        /* no thread's sleep, but a timer of the process that fires once */
	bool loop;         /* an event loop's, in which nothing was outstanding */
};

/* A thread that began of late. */
struct deadline_birth {
	uint32_t pid, tid;
	uint64_t t0;
};

/* A thread that sleeps in whole milliseconds, a second at most. */
struct deadline_wheel {
	uint32_t pid, tid;
	uint64_t slept_ns;
	uint64_t tick_ns;        /* a moment that is on its grid */
	uint32_t tick_ms;        /* the longest of its sleeps */
	uint32_t ticks, shorter; /* sleeps since then that end on the grid, and how many of them were shorter, to be in time */
};

/* What a finished wait without a limit shows, held back for as long as a watchdog that covered it may still come to light. */
struct deadline_recent {
	struct deadline_peer *peer; /* NULL: the place is free */
	uint64_t conn_id;
	uint32_t pid, tid;
	uint64_t from_ns, wait_ns;
	struct observation o, killed; /* killed: what it shows if the process was dying; without operations: nothing */
};

struct deadline {
	struct detector_env env;
	struct deadline_conn *conns;
	struct deadline_peer *peers, *other;
	struct deadline_slow *names, *clients;
	uint64_t event_t1; /* of the event in hand, and what it is */
	uint32_t event_tid;
	uint16_t event_id;
	struct deadline_caller *traces; /* deadline_caller.h */
	struct deadline_thread *threads;
	struct deadline_thread *thread_last; /* that was looked up last, or NULL */
	struct pool caller_blocks, thread_blocks;
	uint32_t callers_n;
	struct deadline_call *calls;
	struct deadline_chain *chains;
	uint64_t client_connections;
	uint64_t stopping_ns; /* from then on the service was clearing up, because it was asked to end; 0: it was not */
	struct deadline_timer timers[DEADLINE_TIMERS];
	struct deadline_recent recent[DEADLINE_RECENT];
	struct deadline_birth births[DEADLINE_BIRTHS];
	struct deadline_wheel wheels[DEADLINE_WHEELS];
	uint32_t wheels_used;        /* places that have one */
	uint32_t births_n;           /* ever */
	uint32_t timers_used;        /* places that have a timer */
	uint32_t timers_n, recent_n; /* ever: the place of the next one, where all are taken */
};

/* Rows of the rule table and the option table. */
enum deadline_rule {
	DEADLINE_CONNECT,
	DEADLINE_RESPONSE,
	DEADLINE_BODY,
	DEADLINE_WRITE,
	DEADLINE_RESOLVE,
	DEADLINE_TOTAL,
	DEADLINE_BUDGET,
	DEADLINE_SERVER,
	DEADLINE_INVERSION,
	DEADLINE_ABANDONED,
	DEADLINE_RULES
};
extern const struct rule deadline_rules[];
enum deadline_option {
	DEADLINE_O_WARN,
	DEADLINE_O_ERROR,
	DEADLINE_O_BUDGET,
	DEADLINE_O_NO_GIVE_UP,
	DEADLINE_O_RESOLVE,
	DEADLINE_O_WRITE,
	DEADLINE_O_SETTLE,
	DEADLINE_OPTIONS
};
extern const struct option deadline_options[];

/* deadline.c */
struct deadline_conn *deadline_conn_of(struct deadline *d, struct conn *c);

/* deadline_settle.c */
/* The phase ends, another begins. Waits are told before or after the bytes that end them, so the old one stays for a moment. */
void deadline_turn(struct deadline *d, struct deadline_conn *k, enum phase next, uint64_t now_ns, enum ending end,
		   const struct event *e);
void deadline_settle_before(struct deadline *d, struct deadline_conn *k); /* the moment is over */
void deadline_settle_all(struct deadline *d, struct deadline_conn *k, enum ending end, uint64_t now_ns);
/* The phase goes on: tell what it shows so far, in place of what was told before. */
void deadline_settle_for_now(struct deadline *d, struct deadline_conn *k, uint64_t now_ns);
void deadline_take_back(struct told *t);
/* Note that its wait has run out by now, if the thread that waited does something else just when it should have. */
void deadline_ran_out_unseen(struct watch *w, uint32_t tid, uint64_t now_ns);
/* May the peer take as long as it likes in this phase, because it was asked to? */
bool deadline_by_design(const struct deadline_conn *k, enum phase phase);
/* Was the service asked to end by then? What it closes is no giving up any more. */
bool deadline_is_stopping(const struct deadline *d, uint64_t now_ns);
/*
 * The body drips, and the whole has outlived what bounds each gap: nothing bounds the whole. Where the gaps' bound is not known, only a
 * long time says so, and not if some timer is still to come.
 */
bool deadline_drips(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns,
		    struct observation *ret);
/* Take an observation; those of a young connection wait, alike ones together. */
void deadline_hold(struct deadline *d, struct deadline_conn *k, const struct observation *o);
void deadline_release(struct deadline *d, struct deadline_conn *k);
void deadline_release_old(struct deadline *d, struct deadline_conn *k, uint64_t now_ns); /* if it is young no more */

/* deadline_watchdog.c */
/* A thread waits, or waited, for time alone. */
void watchdog_sleep(struct deadline *d, const struct wait *w);
/* When does another thread's wait end that began with the operation of w and is not over at now_ns? 0: there is none. */
uint64_t watchdog_due(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns);
/* Is there such a wait, of an operation whose own waits came and went? */
bool watchdog_over(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns);
/* Did such a wait end just then? */
bool watchdog_fired(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns);
/* When did the latest such wait run out, in the slack_ns before the process called exit at exit_ns? 0: none did. */
uint64_t watchdog_ran_out(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t exit_ns,
			  uint64_t slack_ns);
/* The same of alarms alone, of a process that is gone without having called exit. */
uint64_t watchdog_alarmed(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t gone_ns,
			  uint64_t slack_ns);
/* Of a connection from before anybody watched: did the thread that called exit sleep in short pieces up to then? From the question on, perhaps. */
bool watchdog_looked(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t slack_ns);
/* How long was the sleep of another thread that ended just then, and was begun a little before the operation? 0: there was none. */
uint64_t watchdog_length(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns);
/* A thread's latest sleep, or what counts as one. */
void watchdog_remember(struct deadline *d, const struct deadline_timer *timer);
/* Hold an observation back; it is counted after a while, or as undecided if a watchdog comes to light. */
void watchdog_hold(struct deadline *d, const struct deadline_conn *k, const struct watch *w, const struct observation *o,
		   const struct observation *killed);
/* The service was asked to end: the same for all of it. */
void watchdog_stopping(struct deadline *d);
void watchdog_killed(struct deadline *d, const struct process *p, uint64_t now_ns);
/* Count what has been held back for long enough, or all of it. */
void watchdog_release(struct deadline *d, uint64_t now_ns, bool all);
/* The connection turned out to wait by design: forget what is held back of it. */
void watchdog_forget(struct deadline *d, const struct conn *c);

/* deadline_alarm.c: a timer that the kernel keeps for the process was set */
void watchdog_alarm(struct deadline *d, const struct event *e);

/* deadline_pool.c: threads that wait for work, as long as their pool keeps them */
void pool_born(struct deadline *d, const struct event *e);
/* Of a thread's next sleep: notes whether it has only just begun, and whether it idles, as `before`, its sleep before, did. */
void pool_sleep(const struct deadline *d, struct deadline_timer *t, const struct deadline_timer *before, const struct process *p);
/* Is t, for all that is known of its thread, rather a pool's wait for work than a caller's for an answer that was asked for at from_ns? */
bool pool_keeps(const struct deadline_timer *t, uint64_t from_ns);
/* Is t the sleep of a new thread, or one from before, one of more that sleep just so than the process has operations for them to watch? */
bool pool_idles(const struct deadline *d, const struct deadline_timer *t, uint64_t now_ns);

/* deadline_wheel.c: threads that look after others' limits at each tick */
void wheel_sleep(struct deadline *d, const struct wait *w);
/* Has this process one? */
bool wheel_turns(const struct deadline *d, uint32_t pid);

/* deadline_wait.c: observer functions, ctx is the struct deadline */
void deadline_wait(void *ctx, const struct wait *w);
void deadline_resolve(void *ctx, const struct resolve *r);

/* deadline_tally.c */
/* Returns where it was counted; NULL beyond the limits. */
struct tally *deadline_count(const struct deadline *d, struct deadline_peer *p, const struct observation *o);
struct tally *deadline_observe(struct deadline *d, const char *peer, const char *protocol, const struct observation *o);
void tally_add(struct tally *t, const struct observation *o);
/* Undo one that was added: the operation turned out differently. */
void tally_take_back(struct tally *t, enum weight weight, uint64_t calls, uint64_t operations);
bool tally_empty(const struct tally *t);
struct bound tally_bound(const struct tally *t, uint64_t observed_ns);
/* The weakest bound over all call sites of a phase, as it was seen. */
struct bound peer_bound(const struct deadline_peer *p, enum phase phase, uint64_t observed_ns);
/* The bounds that hold: a bound of the whole bounds its parts, and a part without a bound leaves the whole without one.
 * site: of this call site (evidence_site_hash) alone; 0: of all. */
void peer_bounds(const struct deadline_peer *p, uint64_t site, uint64_t observed_ns, struct bound ret[PHASES]);
struct deadline_peer *deadline_peer_get(struct deadline *d, const char *name);
struct deadline_slow *deadline_slow_get(struct deadline *d, struct deadline_slow **table, const char *name);
void deadline_tallies_free(struct deadline *d);

/* deadline_report.c: emit what is new; `settled` = the session is over, suspicions need not wait any more. */
void deadline_tell(struct deadline *d, uint64_t now_ns, bool settled);
json_t *deadline_section(struct deadline *d, json_t *not_exercised);

/* A finding to be told of a tally, in one sentence. */
struct deadline_telling {
	enum deadline_rule rule;
	enum severity severity;
	const char *peer, *operation, *key;
	enum remedy_kind remedy;
};
/* Tell a finding once, and again when more occurred or it got worse. */
void deadline_tell_one(struct deadline *d, struct tally *t, const struct bound *b, const struct deadline_telling *say,
		       const char *message);

#endif
