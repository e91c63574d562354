/*
 * The model: processes, open file descriptions, connections and waits, built from events. It draws no conclusions; protocols and
 * detectors do, as its observers.
 *
 * Everything here reads no clock, does no I/O and takes no lock: the same events give the same calls, bit for bit. Structs handed to
 * observers are the model's; they are valid during the call, and a `struct conn *` until conn_close has been observed.
 */
#ifndef GAPSCOPE_MODEL_MODEL_H
#define GAPSCOPE_MODEL_MODEL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/counters.h"
#include "core/event.h"
#include "core/limits.h"
#include "core/stacks.h"

#define WAIT_INFINITE (-1) /* a limit in ns that never comes */
#define WAIT_UNKNOWN (-2)  /* a limit that could not be seen */

struct process {
	uint32_t pid;
	uint32_t parent;
	char exe[LIMIT_PEER_TEXT]; /* path of the executable, "" if unknown */
	uint64_t start_ns;
	uint64_t first_client_ns; /* when it first connected to somebody by TCP, 0 = it has not */
	bool sigalrm_interrupts;  /* SIGALRM ends a wait: by a handler without SA_RESTART, or with the process */
	uint64_t itimer_due_ns;   /* when a pending ITIMER_REAL or alarm expires, 0 = none */
	uint64_t itimer_len_ns;   /* how long it was set for */
	uint64_t exit_ns;         /* it called exit, and what follows is its clearing up; 0 = not yet */
	uint32_t exit_tid;
	bool timers_known; /* the runtime's timers are told: each that may end an operation, and cannot be tied to a descriptor, is one of those below */
	uint64_t timers_due_ns;  /* when the last of them expires, 0 = there is none */
	uint64_t timers_gone_ns; /* since when there is none */
	bool jvm;                /* a JVM runs in it: its thread pools keep idle threads for a minute */
	bool go;                 /* a Go program: its deadlines are timers of its runtime, which no system call sets */
};

enum conn_role { CONN_UNKNOWN, CONN_CLIENT, CONN_SERVER, CONN_LISTENER };
enum conn_kind { CONN_TCP, CONN_UDP, CONN_UNIX, CONN_PIPE, CONN_FILE, CONN_TTY, CONN_OTHER };
enum conn_end { CONN_OPEN, CONN_CLOSED_BY_US, CONN_EOF, CONN_RESET, CONN_CONNECT_FAILED };
enum direction { DIR_IN, DIR_OUT }; /* as the watched process sees it: read, write */

/* What a TLS handshake said in the clear. */
struct conn_tls {
	uint16_t version; /* 0x0304 = 1.3; 0 until known */
	uint8_t alert;    /* the last one that came in the clear, 0 = none */
	char alpn[16];    /* "h2", as the server chose it in the clear (up to TLS 1.2) */
	char server_name[128];
};

/* A deadline that the language's runtime keeps for a connection (DEADLINE). */
struct conn_deadline {
	uint64_t due_ns; /* 0 = none */
	uint64_t set_ns; /* when it was told */
};

/* One open file description (not one descriptor number: dup, fork and SCM_RIGHTS share it). */
struct conn {
	uint64_t id;             /* ≥ 1, in order of appearance */
	struct process *process; /* that opened it */
	int fd;                  /* a number it has (the first) */
	enum conn_role role;
	enum conn_kind kind;
	enum conn_end end;
	struct sockaddr_storage peer_addr;
	char peer[LIMIT_PEER_TEXT]; /* "payments:443", "127.0.0.1:8080", "unix:/run/x" or "" */
	char path[LIMIT_PEER_TEXT]; /* of files: the path it was opened with */
	bool is_sink;               /* a log: descriptors 1 and 2, files for appending, as the shim classified it */
	bool nonblocking;
	bool inherited; /* existed before we watched: what happened to it before is unknown */
	bool connect_before; /* its last attempt to connect was under way before we watched: a connect() that waited then is not seen to return */
	bool set_up; /* … but this is known: nobody has answered on it yet, and what was sent may be a part of its set-up */
	int64_t rcvtimeo_ns; /* 0 = none (the default), WAIT_UNKNOWN if inherited */
	int64_t sndtimeo_ns;
	int64_t user_timeout_ns; /* TCP_USER_TIMEOUT, 0 = none */
	int syncnt;              /* TCP_SYNCNT, 0 = the system's */
	bool keepalive;
	struct conn_deadline runtime[WIRE_DEADLINE_OTHERS]; /* by enum wire_deadline; READ and WRITE instead of BOTH */
	uint64_t opened_ns;
	uint32_t open_stack, open_tid; /* of the call that made it */
	uint64_t connect_t0,
		connect_t1; /* 0 until it happened; a non-blocking connect ends at the first proof of success or failure */
	int connect_err;    /* errno of its end, 0 = success, EINPROGRESS while under way; closed before its end was known:
	                       ETIMEDOUT if a wait for it had run out, else ECANCELED */
	uint32_t connect_stack;
	uint64_t bytes_in, bytes_out;
	uint64_t first_in_ns, last_in_ns, last_out_ns;
	uint32_t last_out_stack, last_in_stack;
	uint32_t last_out_tid;
	bool eof_in;    /* read returned 0 */
	bool peer_ends; /* the peer's answer said that the connection ends with it, which was not asked of it */
	bool tls;       /* encrypted, and what goes through it is known: conn_plain has been told */
	struct conn_tls handshake;
	unsigned int refs;               /* descriptors that share it */
	const struct protocol *protocol; /* once recognised */
	void *protocol_state;            /* the protocol's own */
	void *slot[4];                   /* detectors' own, by detector index; freed by them in conn_close */
};

enum wait_op {
	WAIT_CONNECT,
	WAIT_READ,
	WAIT_WRITE,
	WAIT_ACCEPT,
	WAIT_RESOLVE,
	WAIT_SLEEP,
	WAIT_LOOP /* an event loop slept to the end, and nothing was outstanding in it */
};
enum wait_how { WAIT_BY_CALL, WAIT_BY_POLL, WAIT_BY_EPOLL, WAIT_BY_SLEEP, WAIT_BY_COND };
/* INTERRUPTED with err EINTR: by a signal; with err 0: another descriptor of the set became ready. */
enum wait_outcome { WAIT_READY, WAIT_TIMED_OUT, WAIT_FAILED, WAIT_INTERRUPTED, WAIT_PENDING /* not returned yet */ };

/* One wait that covers a connection (poll and epoll waits are told once per connection that they cover). */
struct wait {
	struct conn *conn; /* NULL for sleeps, idle loops and resolver calls */
	struct process *process;
	const struct event *event; /* the call; for WAIT_PENDING an INFLIGHT event */
	enum wait_op op;
	enum wait_how how;
	enum wait_outcome outcome;
	int64_t limit_ns; /* of this wait: argument or socket option in force; WAIT_INFINITE, WAIT_UNKNOWN or ≥ 0 */
	uint64_t t0, t1;
	unsigned int covers; /* descriptors in the set, 1 for a blocking call */
	uint32_t tid;
	uint32_t stack;
	int err;
	bool before;           /* it was begun before anybody watched: limit_ns is what was left of it at t0 */
	bool dated;            /* … but t0 is when it began all the same */
	uint64_t timer_due_ns; /* of poll and epoll: when a one-shot timer descriptor in the same set expires, 0 = none */
};

struct resolve {
	struct process *process;
	const struct event *event;
	const char *name; /* NUL-terminated */
	int code;         /* of the call, 0 = success */
	unsigned int addresses;
};

/* Bytes that entered a log: one write, one stdio call, one syslog message. Their text never gets here (core/event.h). */
struct log_write {
	struct conn *conn; /* the sink; NULL for syslog and journal */
	struct process *process;
	const struct event *event;
	const char *sink;        /* "stdout", "stderr", path of the file, "syslog", "journal" */
	uint32_t lines;          /* completed by it */
	uint64_t total, scanned; /* bytes */
};

/* Where the scanner found something: in a log, or in the clear on a TCP connection. */
enum match_where { MATCH_LOG, MATCH_SENT, MATCH_RECEIVED };

/* The scanner found something. */
struct log_match {
	enum match_where where;
	struct conn *conn;
	struct process *process;
	const struct event *event; /* MATCH; its stack is the write's */
	const char *sink;          /* as above; of a connection "sent" or "received" */
	uint64_t slot;             /* of a number in a log: its place (struct log_slot), 0 none */
	const struct event_match *match;
	uint64_t fingerprint; /* keyed: the same value gives the same number within the session only */
};

/* Memory that the service asked for, as a sample stands for it (heap.c): told when it was asked for, and when it was given back. */
struct allocation {
	uint64_t address; /* unique among what is alive in its process */
	uint64_t size;    /* bytes asked for in this one call */
	double bytes;     /* that it stands for: an estimate without bias; of mapped memory its size */
	double objects;
	struct process *process;
	uint32_t stack;
	bool mapped;                   /* by mmap, not by an allocator */
	bool no_free;                  /* it will not be told when this is given back */
	uint64_t t_ns;                 /* when it was asked for */
	uint64_t served;               /* request that its thread was serving, 0 = none known */
	const struct request *request; /* the same, while heap_alloc is told */
};

/* What a place of a line of the log held so far (ingest/learn.h). */
struct log_slot {
	uint64_t id;
	const struct event *event;
	uint32_t values, passed; /* different numbers of one shape, and those that the scanner's checks let pass */
	uint32_t equal_steps;    /* numbers that followed the one before by the same step */
};

enum request_end {
	REQUEST_DONE,
	REQUEST_EOF,
	REQUEST_RESET,
	REQUEST_ABANDONED /* closed by us */,
	REQUEST_PENDING,
	REQUEST_REFUSED
};

/* What kind of work a request is: it decides the names of its span and its metrics (report/areas.c). */
enum request_area { AREA_HTTP, AREA_DB, AREA_RPC, AREA_MESSAGING, AREA_DNS, AREA_N };
/* Which way a message goes: MESSAGE_SEND to the broker, MESSAGE_DELIVER from the broker to who subscribed, MESSAGE_RECEIVE asked for. */
enum message_way { MESSAGE_NONE, MESSAGE_SEND, MESSAGE_RECEIVE, MESSAGE_DELIVER };

struct request;
struct answering;
struct kind;

/* Where an open request stands among the others: the model's own. */
struct request_open {
	bool here;
	struct request *prev, *next;
	struct answering *answering; /* its thread's, NULL if it is none of ours to answer */
};

/* One operation on a connection, as a protocol saw it: told when it starts and when it ends. */
struct request {
	uint64_t id; /* ≥ 1, in order of appearance */
	struct conn *conn;
	const struct protocol *protocol;
	bool server; /* the watched process serves it */
	enum request_area area;
	enum message_way way; /* of messaging */
	const char *system;   /* "postgresql", "grpc", "kafka": a constant; NULL for HTTP and DNS */
	char method[32]; /* "GET", "_OTHER" for unknown ones; of other areas the operation: "SELECT", "publish"; "" = unknown */
	char method_original[16];
	char space[64]; /* database, virtual host: db.namespace; "" if unknown */
	uint32_t batch; /* operations or messages in this one, 0 or 1 = one */
	uint64_t
		operation_key; /* the same for the same operation with the same arguments; 0 = use method, path, query, body_hash */
	char traceparent[64];  /* of the wire, "" if none */
	uint64_t body_hash;    /* of the captured request body, 0 if none */
	bool idempotency_key;  /* a header Idempotency-Key or like */
	uint8_t attempt;       /* its number, as its sender says: the second one is a retry; 0 not stated */
	bool reads;            /* a header names an action that changes nothing */
	bool setup;            /* it is about its connection, and made with each: no call of the service's own */
	bool waits;            /* it asks for an answer that may come late, or has no end: a long poll, an event stream */
	int status;            /* 0 until known; of other areas the protocol's number, if it has one */
	bool answered;         /* an answer came; of HTTP, status says it */
	bool failed;           /* the answer is an error, whatever its number; of HTTP, status says it */
	bool transient;        /* and one that may pass by itself: overload, deadlock, unavailable */
	char status_text[32];  /* as error.type and the area's status key want it: "42P01", "NOT_FOUND", "WRONGTYPE"; "" = none */
	int64_t retry_after_ns; /* stated by the answer, -1 if not */
	int64_t deadline_ns;    /* stated by the request: so long its sender waits; 0 if not */
	enum request_end end;
	bool end_unseen;  /* done, as far as can be known: no answer was seen before records were lost, so t_end says nothing */
	uint64_t t_start; /* first byte of the request */
	uint64_t t_sent;  /* last byte of the request seen so far */
	uint64_t t_first_byte; /* of the response's head, 0 if none yet */
	uint64_t t_last_byte;  /* of the response seen so far */
	uint64_t t_end;        /* end of the response or of the connection */
	uint64_t request_bytes, response_bytes;
	unsigned int version;      /* 10, 11, 20 */
	unsigned int resend_count; /* set by the retry detector before exporters see it */
	uint64_t resend_of;        /* and the request that it repeats, 0 none */
	/* What the serving thread allocated meanwhile, where allocations are watched: estimate, samples, and the largest single call. */
	double alloc_bytes;
	uint32_t alloc_samples, alloc_largest_stack;
	uint64_t alloc_largest;
	uint32_t pid, tid; /* of the first byte */
	uint32_t stack;    /* of the call that sent (client) or read (server) the first byte */
	struct kind *kind; /* the session's: requests that are alike share one (report/kinds.h); NULL while it is open */
	struct deadline_caller *caller; /* the deadline detector's (detectors/deadline_caller.h); NULL: it keeps none */
	struct request_open open;       /* the model's own */
	/* The long texts: of a new request only empty, not cleared (model_request_new). */
	char path[LIMIT_PEER_TEXT];  /* without query */
	char query[LIMIT_PEER_TEXT]; /* raw: for keys only, sanitise before export */
	char host[LIMIT_PEER_TEXT];  /* of the Host header, "" if none */
	char target[128];            /* collection, destination, question or full RPC method; "" if none or several */
	char summary[128];           /* "SELECT orders": low cardinality, no literal */
	char text[LIMIT_QUERY_TEXT]; /* the query with every literal replaced; no value is in it */
};

/* What the model and the protocols tell. Any member may be NULL. Order of calls: table order of the detectors, each event once. */
struct observer {
	/* Every event, before anything derived from it. Who wants none of the reads, writes and waits that a service makes all the time takes
	 * `rare_event` in its place. */
	void (*event)(void *ctx, const struct event *e);
	void (*rare_event)(void *ctx, const struct event *e);
	void (*process_start)(void *ctx, struct process *p);
	void (*process_program)(void *ctx, struct process *p); /* p->exe was told: at its start, at an exec, or while it runs */
	void (*process_exit)(void *ctx, struct process *p);
	void (*conn_open)(void *ctx, struct conn *c, const struct event *e);    /* socket known, or accepted */
	void (*conn_connect)(void *ctx, struct conn *c, const struct event *e); /* connect ended: connect_err says how */
	void (*conn_data)(void *ctx, struct conn *c, enum direction d, const struct event *e); /* bytes moved, or EOF/error */
	/* Bytes that went through a TLS library and this connection: e is a READ or a WRITE of plaintext, its ret > 0. The encrypted bytes
	 * are told by conn_data all the same. */
	void (*conn_plain)(void *ctx, struct conn *c, enum direction d, const struct event *e);
	/* last reference gone, or shutdown both ways; e is NULL in model_free */
	void (*conn_close)(void *ctx, struct conn *c, const struct event *e);
	void (*wait)(void *ctx, const struct wait *w);
	void (*resolve)(void *ctx, const struct resolve *r);
	void (*log)(void *ctx, const struct log_write *l);
	void (*match)(void *ctx, const struct log_match *m);
	void (*slot)(void *ctx, const struct log_slot *s);
	void (*request_start)(void *ctx, struct request *r);
	void (*request_end)(void *ctx, struct request *r);
	void (*heap_alloc)(void *ctx, const struct allocation *a);
	/* So many bytes of it were given back: all, if they are a->bytes. e is NULL where its process ended. */
	void (*heap_free)(void *ctx, const struct allocation *a, double bytes, const struct event *e);
	void (*heap_asked)(void *ctx, struct process *p, uint64_t bytes); /* exactly so many bytes, since it was told last */
	void (*tick)(void *ctx, uint64_t now_ns);                         /* about once a second of session time, and at its end */
};

struct model;

/* A new model. `stacks` and `counters` stay the caller's and must outlive it. NULL when memory is out. */
struct model *model_new(const struct stacks *stacks, struct counters *counters);
/* Tells conn_close (without an event, `end` as it was) of every connection still open, so that observers free what they keep there:
 * free the model first, then its observers. */
void model_free(struct model *m);
/* Add an observer (copied); told in the order of adding. Returns 0, -ENOMEM, or -ENOSPC past the 32nd. */
int model_observe(struct model *m, const struct observer *o, void *ctx);
/* Feed one event, in order. Unknown ids are passed to observers' `event` and otherwise ignored. */
void model_event(struct model *m, const struct event *e);
/* The session is over at `now_ns`: ends open requests as REQUEST_PENDING (not as failures), sends a last tick. */
void model_finish(struct model *m, uint64_t now_ns);
/* Look up, for protocols, detectors and tests; NULL if unknown. */
struct process *model_process(struct model *m, uint32_t pid);
struct conn *model_conn(struct model *m, uint32_t pid, int fd);
/* The session's counts, for protocols. */
struct counters *model_counters(struct model *m);
/* Time of the latest event, ns. */
uint64_t model_now(const struct model *m);
/* For a protocol: what all its connections share, made when it is first asked for and given to `done` with the model. One such thing; NULL when
 * memory is out. */
void *model_shared(struct model *m, void *(*make)(void), void (*done)(void *shared));
/* For protocols: a request's memory, MODEL_REQUEST_BLOCK bytes that begin with an empty struct request, the rest zero; NULL when memory is
 * out. To be given back when its end was announced. */
void *model_request_new(struct model *m);
void model_request_free(struct model *m, void *request);
#define MODEL_REQUEST_BLOCK (sizeof(struct request) + 64U) /* what a protocol keeps beside it */
/* For protocols: announce a request's start and end to all observers. */
void model_request_start(struct model *m, struct request *r);
void model_request_end(struct model *m, struct request *r);
/* The incoming request that a thread is serving, if that is certain: the only one that is open on it. Its id, or 0. */
uint64_t model_serving(const struct model *m, uint32_t pid, uint32_t tid);
/* For the session: called after a connection's protocol or sink state says that fewer bytes are needed; policy is enum wire_policy,
 * now_ns the time of the event that said so. The live session passes a function that writes the shared policy byte; a replay passes none. */
typedef void (*model_policy_fn)(void *ctx, uint32_t pid, int fd, uint8_t policy, uint64_t now_ns);
void model_on_policy(struct model *m, model_policy_fn fn, void *ctx);
void model_set_policy(struct model *m, const struct conn *c, uint8_t policy);

#endif
