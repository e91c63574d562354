/*
 * Proof mode's word to the shim: which fault, on whose connections, until when. Part of the shared header (shared.h); all zero unless a
 * session proves.
 *
 * May be included by preload/, bpf/ (which has atomic operations of its own), agent/prove, agent/probes, agent/ingest and their tests.
 *
 * A fault on a connection is never made in the watched process: connect() is led to a relay on loopback instead (agent/prove/relay.h),
 * which does to the bytes what the fault says. The relay knows the true peer by the address that was connected to,
 *
 *   127.83.0.(row + 1) : relay_port | refuse_port | silent_port        row: of peers[]
 *
 * so nothing has to be remembered of a connection, in whatever process it ends up. A fault is a lease: behind until_ns there is none,
 * whatever else stands here. The relay renews it for as long as the agent lives and beats, so that it ends by itself when either does.
 */
#ifndef GAPSCOPE_WIRE_FAULT_H
#define GAPSCOPE_WIRE_FAULT_H

#ifndef __bpf__
#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#endif

#define WIRE_FAULT_PEERS 64U       /* rows; one more peer is never led anywhere */
#define WIRE_FAULT_NET 0x7f530000U /* 127.83.0.0, host order */
#define WIRE_FAULT_LEASE_NS 400000000ULL
#define WIRE_FAULT_SPELL_NS 50000000L /* so long a delayed look-up sleeps before it asks again whether it still has to */

enum wire_fault_way {
	WIRE_FAULT_NONE = 0,
	WIRE_FAULT_RELAY = 1,   /* to relay_port: accepted */
	WIRE_FAULT_REFUSE = 2,  /* to refuse_port: nobody listens there */
	WIRE_FAULT_SILENT = 3,  /* to silent_port: nobody answers there */
	WIRE_FAULT_RESOLVE = 4, /* no connection: look-ups of names take delay_ns longer */
};

enum wire_fault_peer_state { WIRE_FAULT_PEER_FREE = 0, WIRE_FAULT_PEER_TAKEN = 1, WIRE_FAULT_PEER_READY = 2 };

/* A peer that was connected to while a fault was on, or that the agent names. Rows are only ever added, by whoever needs one. */
struct wire_fault_peer {
	_Atomic uint32_t state; /* enum wire_fault_peer_state; release-stored last */
	uint16_t port;          /* network order */
	uint16_t pad;
	uint8_t address[16]; /* IPv6, or IPv4 mapped into it */
};
_Static_assert(sizeof(struct wire_fault_peer) == 24, "");

struct wire_fault {
	_Atomic uint32_t way;         /* enum wire_fault_way; written last, and first to be cleared */
	uint32_t kind;                /* for the relay: what to do to the bytes */
	_Atomic uint64_t until_ns;    /* CLOCK_MONOTONIC */
	_Atomic uint32_t target;      /* row + 1 of the one peer that is affected; 0: the first to come takes its place */
	_Atomic int32_t credit;       /* connections, or look-ups, that may still be affected */
	_Atomic uint32_t affected;    /* those that were, ever */
	_Atomic uint32_t silent;      /* 1: nobody answers at silent_port */
	_Atomic uint64_t affected_ns; /* when the latest was */
	_Atomic uint64_t beat_ns;     /* when the agent last said that the fault goes on */
	uint64_t delay_ns;
	uint64_t network; /* inode of the network namespace that the relay is in: in another one nothing is led to it */
	uint16_t relay_port, refuse_port, silent_port; /* host order; 0 = no relay, and so no proof */
	uint16_t pad2;
	struct wire_fault_peer peers[WIRE_FAULT_PEERS];
};
_Static_assert(sizeof(struct wire_fault) == 72 + 24 * WIRE_FAULT_PEERS, "");

#ifndef __bpf__
static inline bool wire_fault_is(const struct wire_fault_peer *p, const uint8_t address[16], uint16_t port)
{
	bool same = p->port == port;

	for (unsigned int i = 0; i < 16; i++)
		same = same && p->address[i] == address[i];
	return same;
}

/* The row of a peer, which gets one if there is room; WIRE_FAULT_PEERS if there is none. Lock-free: a row that somebody else is filling
 * right now is passed by, so that two may end up with the same peer, of which the first counts. */
static inline uint32_t wire_fault_row(struct wire_fault *f, const uint8_t address[16], uint16_t port)
{
	for (uint32_t i = 0; i < WIRE_FAULT_PEERS; i++) {
		struct wire_fault_peer *p = &f->peers[i];
		uint32_t state = atomic_load_explicit(&p->state, memory_order_acquire);

		if (state == WIRE_FAULT_PEER_READY && wire_fault_is(p, address, port))
			return i;
		if (state != WIRE_FAULT_PEER_FREE ||
		    !atomic_compare_exchange_strong_explicit(&p->state, &state, WIRE_FAULT_PEER_TAKEN, memory_order_acq_rel,
							     memory_order_relaxed))
			continue;
		for (unsigned int k = 0; k < 16; k++)
			p->address[k] = address[k];
		p->port = port;
		atomic_store_explicit(&p->state, WIRE_FAULT_PEER_READY, memory_order_release);
		return i;
	}
	return WIRE_FAULT_PEERS;
}

/* One of what may be affected; false if there is none left. */
static inline bool wire_fault_take(struct wire_fault *f, uint64_t now_ns)
{
	int32_t credit = atomic_load_explicit(&f->credit, memory_order_relaxed);

	while (credit > 0)
		if (atomic_compare_exchange_weak_explicit(&f->credit, &credit, credit - 1, memory_order_relaxed,
							  memory_order_relaxed)) {
			atomic_store_explicit(&f->affected_ns, now_ns, memory_order_relaxed);
			atomic_fetch_add_explicit(&f->affected, 1, memory_order_relaxed);
			return true;
		}
	return false;
}
#endif

#endif
