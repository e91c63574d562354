/*
 * The conductor of proof mode (prove.h): LOOKS → (FAULT → PAUSES)… → OVER.
 *
 * The budget is a purse of connections for each peer: a share of its requests so far, less what was affected. A fault takes whole runs of
 * connections until the purse is empty, so that a retry of an affected request is affected as well, and the share holds all the same.
 */
#include "prove/prove.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prove/pool.h"
#include "prove/trial.h"

#define PAUSE_NS 500000000ULL   /* between two faults: the relay sees that the one is over */
#define FINISH_NS 5000000000ULL /* nobody new has come for so long */
#define IDLE_NS 10000000000ULL  /* a peer that nobody connects to for so long is not reached */
#define OLD_NS 1000000000ULL    /* nobody has come for so long: those that are connected already do not need to */
#define QUIET_NS 3000000000ULL  /* nothing more comes of a fault: at least so long, and three times the longest gap */
#define RESOLVE_NS 5000000000ULL
#define LAST_WORD_MS 200 /* a service that has just ended: what the relay saw of it */
#define ENOUGH 3U        /* give-ups that are told alike */
#define ERRORS_MIN 10U   /* answers, before their share of failures counts */

enum state { LOOKS, PAUSES, FAULT, OVER };

struct target {
	struct pool pool;
	uint64_t requests, connects;
	int64_t granted, spent; /* of the purse */
	bool done[FAULTS];
	uint64_t stall_ns; /* when it gives up a peer that is silent; 0 = not known */
};

struct prove {
	struct plan plan;
	struct wire_fault *fault;
	struct relay relay;
	prove_fn say;
	void *ctx;
	enum state state;
	uint64_t born_ns, since_ns, spent_ns;
	uint64_t old_ns; /* when connections from before were ended last */
	struct target targets[WIRE_FAULT_PEERS];
	bool resolved; /* look-ups have had their turn */
	bool finished; /* and everything that is known has: said once */
	struct trial now;
};

/* -- what is learnt -- */

static struct target *target_of(struct prove *p, const struct conn *c, uint32_t *ret_row)
{
	uint8_t address[16];
	uint16_t port;

	if (!pool_address(c, address, &port))
		return NULL;
	*ret_row = wire_fault_row(p->fault, address, port);
	return *ret_row < WIRE_FAULT_PEERS ? &p->targets[*ret_row] : NULL;
}

/* Who felt the fault, if the first to come was meant. */
static uint32_t row_now(const struct prove *p)
{
	const uint32_t target = atomic_load(&p->fault->target);

	return p->now.row < WIRE_FAULT_PEERS ? p->now.row : target ? target - 1 : WIRE_FAULT_PEERS;
}

static void on_connect(void *ctx, struct conn *c, const struct event *e)
{
	struct prove *p = ctx;
	uint32_t row;
	struct target *t = target_of(p, c, &row);

	(void)e;
	if (!t)
		return;
	t->connects++;
}

static void on_request_end(void *ctx, struct request *r)
{
	struct prove *p = ctx;
	uint32_t row;
	struct target *t = r->server ? NULL : target_of(p, r->conn, &row);

	if (t) {
		t->requests++;
		pool_note(&t->pool, r->conn);
	}
	if (r->server && p->state == FAULT && r->end != REQUEST_PENDING) {
		p->now.answers++;
		p->now.failures += r->failed || r->status >= 500 || !r->answered;
	}
}

static void on_close(void *ctx, struct conn *c, const struct event *e)
{
	struct prove *p = ctx;
	uint32_t row;
	struct target *t = target_of(p, c, &row);

	(void)e;
	if (t)
		pool_forget(&t->pool, c->id);
}

const struct observer prove_observer = {.conn_connect = on_connect, .request_end = on_request_end, .conn_close = on_close};

static void listen_to_relay(struct prove *p)
{
	struct relay_said said;

	while (relay_next(&p->relay, &said))
		if (p->state == FAULT)
			trial_hears(&p->now, &said, said.row < WIRE_FAULT_PEERS ? p->targets[said.row].stall_ns : 0);
}

/* -- the purse -- */

static int64_t earned(const struct prove *p, const struct target *t)
{
	const uint64_t seen = t->requests > t->connects ? t->requests : t->connects;

	return p->plan.share >= 1 ? INT32_MAX / 2 : (int64_t)(p->plan.share * (double)seen);
}

static void fill_purse(struct prove *p)
{
	const uint32_t row = row_now(p);
	struct target *t = row < WIRE_FAULT_PEERS ? &p->targets[row] : NULL;
	int64_t more = p->plan.share >= 1 ? INT32_MAX / 2 : 0;

	if (t)
		more = earned(p, t) - t->granted;
	else if (p->now.kind == FAULT_RESOLVE)
		more = 1; /* one at a time: how many there are is not known */
	if (more <= 0 || (!t && atomic_load(&p->fault->credit) > 0))
		return;
	if (t)
		t->granted += more;
	atomic_fetch_add(&p->fault->credit, (int32_t)more);
}

static void empty_purse(struct prove *p)
{
	const int32_t left = atomic_exchange(&p->fault->credit, 0);
	const uint32_t row = row_now(p);

	if (row < WIRE_FAULT_PEERS && p->now.kind != FAULT_RESOLVE)
		p->targets[row].granted -= left;
}

/* -- connections from before -- */

/* Who asks on connections that it has already never meets the relay: those that rest are ended, as a peer ends them that is tired of waiting.
 * Half of the purse stays for those that try again. */
static void end_old_ones(struct prove *p, uint64_t now_ns)
{
	const int32_t credit = atomic_load(&p->fault->credit);
	const uint32_t row = row_now(p);
	struct target *t = row < WIRE_FAULT_PEERS ? &p->targets[row] : NULL;

	if (!t || p->now.kind == FAULT_RESOLVE || p->now.affected || credit < 2 || now_ns - p->now.start_ns < OLD_NS ||
	    now_ns < p->old_ns + OLD_NS)
		return;
	p->old_ns = now_ns;
	atomic_fetch_sub(&p->fault->credit, (int32_t)pool_end(&t->pool, &p->fault->peers[row], (unsigned int)credit / 2));
}

/* -- one fault -- */

static void begin(struct prove *p, enum fault_kind kind, uint32_t row, uint64_t now_ns)
{
	struct wire_fault *f = p->fault;
	const uint64_t hold_ns = (uint64_t)(p->plan.hold * 1e9);

	p->now = (struct trial){.kind = kind, .row = row, .start_ns = now_ns, .affected_before = atomic_load(&f->affected)};
	p->state = FAULT;
	p->since_ns = now_ns;
	f->kind = kind;
	f->delay_ns = hold_ns < RESOLVE_NS ? hold_ns : RESOLVE_NS;
	atomic_store(&f->target, kind == FAULT_RESOLVE || row == WIRE_FAULT_PEERS ? 0 : row + 1);
	fill_purse(p);
	atomic_store(&f->beat_ns, now_ns);
	atomic_store(&f->until_ns, now_ns + 2 * WIRE_FAULT_LEASE_NS); /* until the relay renews it */
	atomic_store_explicit(&f->way, faults[kind].way, memory_order_release);
}

static void tell(struct prove *p, const struct trial *t, uint32_t row, const char *outcome, const char *why, uint64_t now_ns)
{
	struct event_proof e = {
		.affected = t->affected,
		.gave_up = t->gave_up,
		.waited = t->waited,
		.least_ns = t->least_ns,
		.most_ns = t->most_ns,
		.waited_ns = t->waited_ns,
		.whole_ns = t->whole_ns,
		.duration_ns = now_ns - t->start_ns,
	};

	snprintf(e.fault, sizeof(e.fault), "%s", faults[t->kind].name);
	snprintf(e.phase, sizeof(e.phase), "%s", faults[t->kind].phase);
	snprintf(e.outcome, sizeof(e.outcome), "%s", outcome);
	snprintf(e.why, sizeof(e.why), "%s", why);
	if (row < WIRE_FAULT_PEERS) {
		memcpy(e.address, p->fault->peers[row].address, sizeof(e.address));
		e.port = ntohs(p->fault->peers[row].port);
	}
	p->say(p->ctx, &e);
}

static void lift(struct prove *p)
{
	atomic_store_explicit(&p->fault->way, WIRE_FAULT_NONE, memory_order_release);
	atomic_store(&p->fault->until_ns, 0);
}

static void end(struct prove *p, uint64_t now_ns, const char *why)
{
	const uint32_t row = row_now(p);
	const bool resolve = p->now.kind == FAULT_RESOLVE;

	lift(p);
	empty_purse(p);
	p->now.affected = atomic_load(&p->fault->affected) - p->now.affected_before;
	p->resolved = p->resolved || resolve;
	if (row < WIRE_FAULT_PEERS && !resolve) {
		p->targets[row].done[p->now.kind] = true;
		if (p->now.kind == FAULT_STALL)
			p->targets[row].stall_ns = p->now.waited ? 0 : p->now.most_ns;
	}
	p->spent_ns += p->now.affected ? now_ns - p->now.first_ns : 0;
	if (row < WIRE_FAULT_PEERS || resolve)
		tell(p, &p->now, row, trial_outcome(&p->now), why, now_ns);
	p->state = PAUSES;
	p->since_ns = now_ns;
}

/* When a fault has nothing more to show. */
static bool is_over(struct prove *p, uint64_t now_ns)
{
	struct trial *t = &p->now;
	const uint64_t hold_ns = (uint64_t)(p->plan.hold * 1e9);
	const uint32_t affected = atomic_load(&p->fault->affected) - t->affected_before;
	const uint64_t last_ns = atomic_load(&p->fault->affected_ns);
	const uint64_t quiet_ns = 3 * t->gap_ns > QUIET_NS ? 3 * t->gap_ns : QUIET_NS;

	if (affected != t->affected) {
		if (t->affected && last_ns > t->last_ns && last_ns - t->last_ns > t->gap_ns)
			t->gap_ns = last_ns - t->last_ns;
		if (!t->affected)
			t->first_ns = last_ns;
		t->affected = affected;
		t->last_ns = last_ns;
	}
	if (!t->affected)
		return (t->row < WIRE_FAULT_PEERS || t->kind == FAULT_RESOLVE) && now_ns - t->start_ns > IDLE_NS;
	if (t->kind == FAULT_RESOLVE) { /* nobody can give up a look-up of libc's: it is over when it is */
		if (now_ns - t->first_ns < p->fault->delay_ns + PAUSE_NS / 2)
			return false;
		t->waited = 1;
		t->waited_ns = p->fault->delay_ns;
		return true;
	}
	if (t->waited || t->gave_up >= ENOUGH)
		return true;
	if (*faults[t->kind].phase && t->over < t->asked)
		return false; /* somebody waits, for no longer than the relay holds it */
	const uint64_t latest_ns = t->last_ns > t->first_ns ? t->last_ns : t->first_ns;

	return now_ns > latest_ns &&
	       (now_ns - latest_ns > quiet_ns + t->most_ns || (!*faults[t->kind].phase && now_ns - t->first_ns > hold_ns));
}

/* Why all faults must end. NULL: they need not. */
static const char *must_stop(const struct prove *p, uint64_t now_ns)
{
	const struct trial *t = &p->now;

	if (p->relay.control < 0)
		return "the relay ended";
	if (t->answers >= ERRORS_MIN && (double)t->failures > p->plan.errors * (double)t->answers)
		return "too many answers of the service failed";
	if (t->affected && (double)(p->spent_ns + now_ns - t->first_ns) > p->plan.seconds * 1e9)
		return "the time for faults is used up";
	return NULL;
}

/* -- which comes next -- */

static void finish(struct prove *p, const char *why)
{
	struct event_proof e = {.outcome = "finished"};

	if (p->finished)
		return;
	p->finished = true;
	snprintf(e.why, sizeof(e.why), "%s", why);
	p->say(p->ctx, &e);
}

/* The silent port lets in who waits there for a while after a fault. */
static bool is_ready(const struct prove *p, enum fault_kind k)
{
	return k != FAULT_CONNECT || atomic_load(&p->fault->silent) != 0;
}

static void choose(struct prove *p, uint64_t now_ns)
{
	bool known = false;

	for (unsigned int k = 0; k < FAULTS; k++) {
		if (!p->plan.kinds[k])
			continue;
		for (uint32_t row = 0; row < WIRE_FAULT_PEERS && k != FAULT_RESOLVE; row++) {
			if (atomic_load(&p->fault->peers[row].state) != WIRE_FAULT_PEER_READY)
				continue;
			known = true;
			if (!p->targets[row].done[k] && is_ready(p, (enum fault_kind)k)) {
				begin(p, (enum fault_kind)k, row, now_ns);
				return;
			}
		}
		if (k == FAULT_RESOLVE && !p->resolved) {
			begin(p, FAULT_RESOLVE, WIRE_FAULT_PEERS, now_ns);
			return;
		}
		/* Nobody is known yet: the first to come, if that is within the share. */
		if (!known && k != FAULT_RESOLVE && p->plan.share >= 1 && is_ready(p, (enum fault_kind)k)) {
			begin(p, (enum fault_kind)k, WIRE_FAULT_PEERS, now_ns);
			return;
		}
	}
	if ((known || p->resolved) && now_ns - p->since_ns >= FINISH_NS)
		finish(p, "");
}

void prove_tick(struct prove *p, uint64_t now_ns)
{
	const char *why;

	if (!p->born_ns)
		p->born_ns = now_ns;
	if (p->plan.dry || p->state == OVER)
		return;
	listen_to_relay(p);
	switch (p->state) {
	case LOOKS:
		if ((double)(now_ns - p->born_ns) >= p->plan.learn * 1e9)
			choose(p, now_ns);
		break;
	case PAUSES:
		if (now_ns - p->since_ns >= PAUSE_NS)
			choose(p, now_ns);
		break;
	case FAULT:
		fill_purse(p);
		if (is_over(p, now_ns)) {
			end(p, now_ns, "");
		} else if ((why = must_stop(p, now_ns)) != NULL) {
			end(p, now_ns, why);
			p->state = OVER;
			finish(p, why);
		} else {
			end_old_ones(p, now_ns);
			atomic_store(&p->fault->beat_ns, now_ns);
			/* We were away for long, loading probes, say: whoever starts right now must not slip by before the relay looks. */
			if (atomic_load(&p->fault->until_ns) <= now_ns)
				atomic_store(&p->fault->until_ns, now_ns + WIRE_FAULT_LEASE_NS);
		}
		break;
	case OVER:
		break;
	}
}

/* -- begin and end -- */

int prove_new(const struct plan *plan, struct wire_fault *f, pid_t pid, prove_fn say, void *ctx, struct prove **ret, char *err,
	      size_t err_size)
{
	struct prove *p = calloc(1, sizeof(*p));
	int e;

	if (!p) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	*p = (struct prove){.plan = *plan, .fault = f, .say = say, .ctx = ctx, .relay.control = -1};
	if (!plan->dry && (e = relay_start(&p->relay, f, pid, (uint64_t)(plan->hold * 1e9), err, err_size)) < 0) {
		free(p);
		return e;
	}
	*ret = p;
	return 0;
}

static void tell_plan(struct prove *p, uint64_t now_ns)
{
	for (unsigned int k = 0; k < FAULTS; k++) {
		const struct trial t = {.kind = (enum fault_kind)k, .start_ns = now_ns};

		if (p->plan.kinds[k] && k == FAULT_RESOLVE)
			tell(p, &t, WIRE_FAULT_PEERS, "planned", "", now_ns);
		for (uint32_t row = 0; p->plan.kinds[k] && k != FAULT_RESOLVE && row < WIRE_FAULT_PEERS; row++)
			if (atomic_load(&p->fault->peers[row].state) == WIRE_FAULT_PEER_READY)
				tell(p, &t, row, "planned", "", now_ns);
	}
}

void prove_end(struct prove *p, uint64_t now_ns, bool stopping)
{
	struct pollfd relay = {.fd = p->relay.control, .events = POLLIN};

	if (p->state == FAULT) {
		/* The service is gone, and with it the connections: that they ended is what the relay still has to say. */
		if (!stopping)
			for (listen_to_relay(p); p->now.over < p->now.asked && poll(&relay, 1, LAST_WORD_MS) > 0;)
				listen_to_relay(p);
		if (p->now.affected == 0)
			p->now.first_ns = now_ns;
		end(p, now_ns, p->now.gave_up || p->now.cut ? "" : "the session ended");
	}
	lift(p);
	if (p->plan.dry && p->state != OVER)
		tell_plan(p, now_ns);
	p->state = OVER;
	relay_leave(&p->relay);
}

void prove_free(struct prove *p)
{
	if (!p)
		return;
	lift(p);
	relay_leave(&p->relay);
	free(p);
}
