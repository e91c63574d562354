/*
 * What the files of this layer share: the full structs behind struct process and struct conn, and the small verbs on them. Private
 * to agent/model. Everything runs on the session's thread.
 *
 *   model ── procs (by pid) ── fdtable ── holder ┐            one holder a descriptor number,
 *                                                ├── connx    one connx an open file description;
 *            another process ── fdtable ── holder┘            an epoll set hangs on its connx
 */
#ifndef GAPSCOPE_MODEL_PRIVATE_H
#define GAPSCOPE_MODEL_PRIVATE_H

#include "core/hash.h"
#include "core/pool.h"
#include "model/model.h"

struct proc;
struct connx;
struct epoll_set;
struct epoll_reg;
struct name;
struct tls_session;
struct block;

/* One descriptor number of one process. `weak`: inherited and not used yet; it does not keep the description open (process.c). */
struct holder {
	struct connx *conn; /* NULL: the slot is free */
	struct proc *proc;
	struct holder *prev, *next; /* all holders of the connx */
	int fd;
	bool cloexec;
	bool weak;
};

#define FD_PAGE 64U
struct fd_page {
	struct holder slot[FD_PAGE];
	unsigned int used;
};

/* Descriptor → holder in pages that never move, so that holders can be linked. */
struct fdtable {
	struct fd_page **pages;
	unsigned int n_pages;
};

/* What a thread polled last: a poll that has not returned does not say its set (wait.c). */
struct poll_memory {
	uint32_t tid;
	uint32_t n;
	UT_hash_handle hh;
	struct wire_pollfd set[];
};

enum proc_maker { PROC_SEEN, PROC_STARTED, PROC_BY_PARENT, PROC_BY_CHILD };

struct proc {
	struct process pub; /* first: a struct process * is a struct proc * */
	struct fdtable fds;
	struct poll_memory *polls;
	unsigned int n_polls;
	uint64_t tree;               /* shared by a process and its descendants: scope of resolver names */
	enum proc_maker maker;       /* which record made it, while its twin is awaited (FORK and FORK_CHILD) */
	bool exiting;                /* exit was called: handlers of the program may still run */
	struct event exit_event;     /* without data */
	uint64_t itimer_period_ns;   /* of ITIMER_REAL, 0 = one shot */
	struct block *blocks, *maps; /* sampled allocations that are alive (heap.c) */
	UT_hash_handle hh;
};

struct connx {
	struct conn pub; /* first: a struct conn * is a struct connx * */
	struct connx *prev, *next;
	struct holder *holders;
	bool told_open, told_close;
	uint64_t opening_ns;  /* when the call that made it was entered */
	bool connecting;      /* an attempt is under way and its end was not told */
	bool entered;         /* … and connect() itself has not returned, as far as is known */
	uint64_t ready_ns;    /* a poll showed the attempt's end, 0 = not yet; whether it succeeded shows later */
	bool connect_expired; /* a wait for it timed out */
	bool shut_in, shut_out;
	uint32_t connect_tid;
	bool awaiting;         /* bytes went out and none came back since */
	unsigned int requests; /* of ours that a protocol knows to be open */
	struct epoll_set *set;
	struct epoll_reg *regs; /* epoll sets that this is registered in */
	bool timerfd;
	uint64_t timer_due_ns, timer_period_ns;
	struct tls_session *tls; /* whose plaintext goes through it */
	uint64_t tls_hello;      /* of its handshake, 0 = none seen */
	bool tls_seen;           /* its bytes looked like TLS */
};

/* The connection that a thread read or wrote last. Threads share a place if need be: then less is certain. */
#define TLS_IO_THREADS 256U
struct tls_io {
	uint32_t tid, pid;
	int fd;
	uint64_t conn_id;
	uint64_t t0, t1;   /* of its last call */
	uint64_t other_t1; /* when its last call on another connection ended */
};

/* Handshakes seen lately. */
#define TLS_HELLOS 256U
struct tls_hello {
	uint64_t hash, conn_id;
	uint32_t pid;
	int fd;
};

/* Who has a member of struct observer, in order of adding: most events concern few of them. */
#define OBSERVERS_MAX 32U
#define OBSERVER_MEMBER(member) (offsetof(struct observer, member) / sizeof(void (*)(void)))
#define OBSERVER_MEMBERS (sizeof(struct observer) / sizeof(void (*)(void)))
struct listeners {
	uint8_t n;
	uint8_t who[OBSERVERS_MAX];
};

struct model {
	const struct stacks *stacks;
	struct counters *counters;
	struct told {
		struct observer o;
		void *ctx;
	} * observers;
	size_t n_observers;
	struct listeners listeners[OBSERVER_MEMBERS];
	struct listeners everything; /* who has event or rare_event */
	struct proc *procs, *found;  /* all, and the one that was looked up last, or NULL */
	unsigned int n_procs;
	uint64_t next_tree;
	struct connx *conns;
	unsigned int n_conns;
	uint64_t next_conn;
	struct name *names;
	unsigned int n_names;
	struct request *requests; /* open ones */
	struct pool request_blocks, answering_blocks;
	struct answering *answering, *answering_last; /* threads with incoming requests; the one that was looked up last, or NULL */
	uint64_t next_request;
	unsigned int n_blocks;
	struct tls_session *tls;
	unsigned int n_tls;
	struct tls_io tls_io[TLS_IO_THREADS];
	struct tls_hello tls_hellos[TLS_HELLOS];
	unsigned int n_tls_hellos;
	model_policy_fn policy;
	void *policy_ctx;
	void *shared; /* a protocol's */
	void (*shared_done)(void *shared);
	uint64_t now;
	bool finished;
};

/* Tell all observers that have the member. */
#define TELL(m, member, ...) \
	do { \
		const struct listeners *tell_l = &(m)->listeners[OBSERVER_MEMBER(member)]; \
		for (size_t tell_i = 0; tell_i < tell_l->n; tell_i++) { \
			const struct told *tell_o = &(m)->observers[tell_l->who[tell_i]]; \
			tell_o->o.member(tell_o->ctx, __VA_ARGS__); \
		} \
	} while (0)

/* fdtable.c */
struct holder *fdtable_get(const struct fdtable *t, int fd);                  /* in use, or NULL */
struct holder *fdtable_slot(struct fdtable *t, int fd);                       /* made if need be; NULL: memory or limit */
struct holder *fdtable_next(const struct fdtable *t, int from);               /* lowest in use that is ≥ from */
void fdtable_hold(struct holder *h, struct proc *p, int fd, struct connx *c); /* fill a free slot */
void fdtable_release(struct fdtable *t, struct holder *h);                    /* free the slot; the connx forgets it */
void fdtable_done(struct fdtable *t);

/* process.c */
struct proc *process_find(struct model *m, uint32_t pid);
struct proc *process_make(struct model *m, uint32_t pid, const struct event *e); /* find, or first sight of it */
void process_gone(struct model *m, struct proc *p, const struct event *e);
void process_finish_exiting(struct model *m); /* those that called exit and were not seen to go */
void process_free_all(struct model *m);
void process_on_start(struct model *m, struct proc *p, const struct event *e);
void process_on_module(struct model *m, struct proc *p, const struct event *e);
void process_on_exit(struct model *m, struct proc *p, const struct event *e);
void process_on_fork(struct model *m, struct proc *p, const struct event *e);
void process_on_fork_child(struct model *m, struct proc *p, const struct event *e);
void process_on_spawn(struct model *m, struct proc *p, const struct event *e);
void process_on_waitpid(struct model *m, struct proc *p, const struct event *e);
void process_on_gone(struct model *m, struct proc *p, const struct event *e);
void process_on_thread_exit(struct model *m, struct proc *p, const struct event *e);

/* conn.c */
struct connx *conn_find(struct proc *p, int fd); /* no creation; NULL also once its close was told */
/* The description behind a descriptor that event e uses: made as inherited if unknown. NULL: e says there is none, or a limit. */
struct connx *conn_use(struct model *m, struct proc *p, int fd, const struct event *e);
/* A new description as descriptor fd (what fd was before is closed); fill it in, then call conn_tell_open. */
struct connx *conn_new(struct model *m, struct proc *p, int fd, enum conn_kind kind, const struct event *e);
void conn_tell_open(struct model *m, struct connx *c, const struct event *e);
/* Another descriptor for c; what fd was before is closed. */
struct holder *conn_share(struct model *m, struct connx *c, struct proc *p, int fd, const struct event *e);
void conn_drop(struct model *m, struct holder *h, const struct event *e); /* the descriptor is closed */
void conn_rename(struct connx *c, const struct holder *leaving);          /* another strong holder names it from now on */
void conn_tell_close(struct model *m, struct connx *c, const struct event *e);
void conn_free_all(struct model *m);
bool conn_is_socket(const struct connx *c);

/* life.c: events that make and end descriptors */
void life_on_socket(struct model *m, struct proc *p, const struct event *e);
void life_on_socketpair(struct model *m, struct proc *p, const struct event *e);
void life_on_listen(struct model *m, struct proc *p, const struct event *e);
void life_on_accept(struct model *m, struct proc *p, const struct event *e);
void life_on_shutdown(struct model *m, struct proc *p, const struct event *e);
void life_on_close(struct model *m, struct proc *p, const struct event *e);
void life_on_dup(struct model *m, struct proc *p, const struct event *e);
void life_on_open(struct model *m, struct proc *p, const struct event *e);
void life_on_pipe(struct model *m, struct proc *p, const struct event *e);
void life_on_fd_kind(struct model *m, struct proc *p, const struct event *e);

/* connect.c */
void connect_on_connecting(struct model *m, struct proc *p, const struct event *e);
void connect_on_connect(struct model *m, struct proc *p, const struct event *e);
void connect_ready(struct model *m, struct connx *c, const struct event *e, bool proof); /* a poll said that it ended */
void connect_end(struct model *m, struct connx *c, const struct event *e, int err);      /* proof of how it ended */
void connect_abandon(struct model *m, struct connx *c, const struct event *e);           /* closed while under way */
void connect_by_data(struct model *m, struct connx *c, const struct event *e);           /* what a read or write proves */

/* peer.c */
void peer_set(struct model *m, struct connx *c, const struct proc *p, const uint8_t *addr, size_t len);

/* resolve.c */
void resolve_on_resolve(struct model *m, struct proc *p, const struct event *e);
const char *resolve_name(const struct model *m, uint64_t tree, const uint8_t addr[16]); /* NULL if not learnt */
void resolve_done(struct model *m);

/* sockopt.c */
void sockopt_on_set(struct model *m, struct proc *p, const struct event *e);
void sockopt_on_get(struct model *m, struct proc *p, const struct event *e);
void sockopt_on_setfl(struct model *m, struct proc *p, const struct event *e);

/* data.c */
void data_on_read(struct model *m, struct proc *p, const struct event *e);
void data_on_write(struct model *m, struct proc *p, const struct event *e);
void data_on_outstanding(struct model *m, struct proc *p, const struct event *e);
void data_on_move(struct model *m, struct proc *p, const struct event *e);

/* wait.c */
void wait_tell(struct model *m, struct proc *p, const struct event *e, struct wait w); /* fills in what the event says */
void wait_by_call(struct model *m, struct proc *p, struct connx *c, enum wait_op op, const struct event *e);
void wait_on_cond(struct model *m, struct proc *p, const struct event *e);
void wait_on_sleep(struct model *m, struct proc *p, const struct event *e);
int64_t wait_option_limit(const struct connx *c, enum wait_op op);
enum wait_op wait_op_of(const struct connx *c, uint32_t poll_events);

/* poll.c */
void poll_on_poll(struct model *m, struct proc *p, const struct event *e);
void poll_inflight(struct model *m, struct proc *p, const struct event *e);
void poll_forget(struct proc *p, uint32_t tid);
void poll_forget_all(struct proc *p);

/* inflight.c */
void inflight_on_inflight(struct model *m, struct proc *p, const struct event *e);

/* epoll.c */
void epoll_on_create(struct model *m, struct proc *p, const struct event *e);
void epoll_on_ctl(struct model *m, struct proc *p, const struct event *e);
void epoll_on_wait(struct model *m, struct proc *p, const struct event *e);
void epoll_inflight(struct model *m, struct proc *p, const struct event *e);
void epoll_update(struct connx *c); /* c has, or no longer has, something outstanding */
void epoll_forget(struct connx *c); /* c is going away: as a set and as a member of sets */

/* tls.c */
void tls_note(struct model *m, struct connx *c, const struct event *e); /* a read or write of a socket */
void tls_forget(struct connx *c);                                       /* c is going away */
void tls_done(struct model *m);
void tls_on_data(struct model *m, struct proc *p, const struct event *e);
void tls_on_hello(struct model *m, struct proc *p, const struct event *e);
void tls_on_end(struct model *m, struct proc *p, const struct event *e);

/* timer.c */
void timer_on_itimer(struct model *m, struct proc *p, const struct event *e);
void timer_on_sigaction(struct model *m, struct proc *p, const struct event *e);
void timer_on_timerfd_create(struct model *m, struct proc *p, const struct event *e);
void timer_on_timerfd_settime(struct model *m, struct proc *p, const struct event *e);
void timer_on_deadline(struct model *m, struct proc *p, const struct event *e);
void timer_refresh(struct proc *p, uint64_t now_ns);
uint64_t timer_fd_due(struct connx *c, uint64_t now_ns);

/* sink.c */
void sink_on_write(struct model *m, struct proc *p, struct connx *c, const struct event *e);
void sink_on_stdio(struct model *m, struct proc *p, const struct event *e);
void sink_on_syslog(struct model *m, struct proc *p, const struct event *e);
void sink_on_journal(struct model *m, struct proc *p, const struct event *e);
void sink_on_match(struct model *m, struct proc *p, const struct event *e);
void sink_on_slot(struct model *m, struct proc *p, const struct event *e);

/* heap.c */
void heap_on_alloc(struct model *m, struct proc *p, const struct event *e);
void heap_on_free(struct model *m, struct proc *p, const struct event *e);
void heap_on_rest(struct model *m, struct proc *p, const struct event *e);
void heap_on_unmap(struct model *m, struct proc *p, const struct event *e);
void heap_drop(struct model *m, struct proc *p); /* its memory is gone */

/* requests.c */
/* The incoming request that began last on this thread, if it is open still: what the thread allocates is counted for it. */
struct request *requests_latest(const struct model *m, uint32_t pid, uint32_t tid);
void requests_finish(struct model *m, uint64_t now_ns);
void requests_start(struct model *m);
void requests_done(struct model *m); /* what is open is forgotten */
void requests_free(struct model *m);

#endif
