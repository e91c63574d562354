/* See tcp_watch.h. */
#include "commands/tcp_watch.h"

#include <stdlib.h>

#include "core/monotonic.h"
#include "probes/privileges.h"
#include "probes/tcp.h"

#define SECOND_NS 1000000000ULL
#define LISTENERS_MAX 256U
#define ROUNDS_OF_SOCKETS 2U /* with sockets from before: what comes later, the kernel's side sees itself */

struct tcp_watch {
	struct ingest *ingest;
	struct tcp_probes *probes; /* NULL: not loaded (yet) */
	uint64_t load_ns;          /* CLOCK_MONOTONIC; 0: it was tried */
	bool drop;
	unsigned int rounds; /* that were seen since it was loaded */
	struct {
		uint32_t net;
		uint16_t port;
	} listeners[LISTENERS_MAX]; /* to tell servers' connections from clients' */
	size_t listeners_n;
};

static void load(struct tcp_watch *t)
{
	char why[256]; /* doctor says it */

	t->load_ns = 0;
	if (tcp_probes_open(&t->probes, why, sizeof(why)) < 0)
		t->probes = NULL;
	if (t->drop)
		(void)privileges_drop();
}

static bool listens(const struct tcp_watch *t, uint32_t net, uint16_t port)
{
	for (size_t i = 0; i < t->listeners_n; i++)
		if (t->listeners[i].net == net && t->listeners[i].port == port)
			return true;
	return false;
}

static void push(struct tcp_watch *t, struct wire_record r, const void *data, size_t len)
{
	r.units = 1;
	r.fd = -1;
	r.t0 = r.t1 = monotonic_ns();
	r.data_len = (uint32_t)len;
	ingest_push(t->ingest, 0, 0, &r, data);
}

static void on_peer(void *ctx, enum wire_role role, const struct sample_tcp *so_far)
{
	push(ctx, (struct wire_record){.event = WIRE_SAMPLE_TCP, .a0 = role}, so_far, sizeof(*so_far));
}

static void on_life(void *ctx, const struct sample_life *so_far)
{
	push(ctx, (struct wire_record){.event = WIRE_SAMPLE_LIFE}, so_far, sizeof(*so_far));
}

void tcp_watch_flush(struct tcp_watch *t)
{
	const struct tcp_sink to = {.peer = on_peer, .life = on_life, .ctx = t};

	if (t != NULL && t->probes != NULL)
		tcp_probes_read(t->probes, &to);
}

static void round_is_over(struct tcp_watch *t)
{
	uint32_t pid;

	if (t->load_ns != 0 && monotonic_ns() >= t->load_ns)
		load(t);
	if (t->probes == NULL)
		return;
	for (uint32_t i = 0; i < ingest_shared(t->ingest)->process_max; i++)
		if ((pid = ingest_process(t->ingest, i)) != 0)
			tcp_probes_watch(t->probes, pid);
	for (size_t i = 0; i < t->listeners_n; i++)
		tcp_probes_listener(t->probes, t->listeners[i].net, t->listeners[i].port);
	t->rounds++;
	tcp_watch_flush(t);
}

static void on_found(void *ctx, const struct sample_found *f)
{
	struct tcp_watch *t = ctx;

	if (f == NULL) {
		round_is_over(t);
		return;
	}
	if (f->state == SAMPLE_LISTEN && t->listeners_n < LISTENERS_MAX && !listens(t, f->net, f->port)) {
		t->listeners[t->listeners_n].net = f->net;
		t->listeners[t->listeners_n++].port = f->port;
	}
	/* After the first round, in which listeners may come behind their connections. */
	if (t->probes != NULL && t->rounds > 0 && t->rounds <= ROUNDS_OF_SOCKETS && f->state != SAMPLE_LISTEN)
		tcp_probes_socket(t->probes, f->cookie,
				  f->state != SAMPLE_SYN_SENT && listens(t, f->net, f->port) ? WIRE_ROLE_SERVER : WIRE_ROLE_CLIENT);
}

struct tcp_watch *tcp_watch_new(struct ingest *in, const struct tcp_watch_options *o)
{
	struct tcp_watch *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		if (o->drop)
			(void)privileges_drop();
		return NULL;
	}
	t->ingest = in;
	t->drop = o->drop;
	t->load_ns = monotonic_ns() + SECOND_NS;
	if (o->now)
		load(t);
	ingest_on_found(in, on_found, t);
	return t;
}

void tcp_watch_free(struct tcp_watch *t)
{
	if (t == NULL)
		return;
	ingest_on_found(t->ingest, NULL, NULL);
	tcp_probes_free(t->probes);
	free(t);
}
