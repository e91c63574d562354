/*
 * Processes by pid with their latest sample, whose processor time stays counted when they end; connections' bytes and segments by peer, added
 * up in a small table and put into series when a snapshot is taken: attributes are not built for each read and write.
 */
#include "report/resource_metrics.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/samples.h"
#include "report/areas.h"
#include "report/attrs.h"

#define NS_PER_S 1e9

struct sampled {
	uint32_t pid;
	struct sample_process latest;
	UT_hash_handle hh;
};

/* Behind DIR_IN and DIR_OUT. */
enum { SENT_AGAIN = 2, SYN_AGAIN, ESTABLISHED, CONNECT_FAILED, RESET, TIMED_OUT, CLOSED, COUNTS };
struct peer {
	struct peer_key {
		uint32_t role;
		char name[LIMIT_PEER_TEXT]; /* of what a client is connected to; "" of servers */
	} key;
	uint64_t count[COUNTS], told[COUNTS];
	uint64_t kernel[COUNTS - SENT_AGAIN]; /* as the kernel counted when it was asked last */
	struct sockaddr_storage addr;         /* of the first connection to it */
	UT_hash_handle hh;
};

/* Segments that a connection had sent again when it was sampled last. */
struct again {
	uint64_t conn_id, total;
	UT_hash_handle hh;
};

struct resource_metrics {
	struct sampled *sampled;
	uint64_t ended_user_ns, ended_system_ns;
	bool any;
	struct peer *peers, *latest;
	struct again *again;
	struct series *io, *retransmits, *tcp;
	bool by_kernel; /* SAMPLE_TCP or SAMPLE_LIFE came */
	struct sample_life life;
};

struct resource_metrics *resource_metrics_new(struct counters *counters)
{
	struct resource_metrics *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->io = series_new(NULL, 0, counters);
	r->retransmits = series_new(NULL, 0, counters);
	r->tcp = series_new(NULL, 0, counters);
	if (r->io == NULL || r->retransmits == NULL || r->tcp == NULL) {
		resource_metrics_free(r);
		return NULL;
	}
	return r;
}

void resource_metrics_free(struct resource_metrics *r)
{
	struct sampled *p, *p_next;
	struct peer *q, *q_next;
	struct again *a, *a_next;

	if (r == NULL)
		return;
	HASH_ITER (hh, r->sampled, p, p_next) {
		HASH_DEL(r->sampled, p);
		free(p);
	}
	HASH_ITER (hh, r->peers, q, q_next) {
		HASH_DEL(r->peers, q);
		free(q);
	}
	HASH_ITER (hh, r->again, a, a_next) {
		HASH_DEL(r->again, a);
		free(a);
	}
	series_free(r->io);
	series_free(r->retransmits);
	series_free(r->tcp);
	free(r);
}

static void ended(struct resource_metrics *r, struct sampled *p)
{
	r->ended_user_ns += p->latest.user_ns;
	r->ended_system_ns += p->latest.system_ns;
	HASH_DEL(r->sampled, p);
	free(p);
}

void resource_metrics_event(struct resource_metrics *r, const struct event *e)
{
	struct sampled *p;

	if (!resource_metrics_wants(e->id))
		return;
	HASH_FIND(hh, r->sampled, &e->pid, sizeof e->pid, p);
	if (e->id == WIRE_PROCESS_GONE) {
		if (p != NULL)
			ended(r, p);
		return;
	}
	if (e->data_len < sizeof p->latest)
		return;
	if (p == NULL) {
		if (HASH_COUNT(r->sampled) >= LIMIT_PROCESSES || (p = calloc(1, sizeof *p)) == NULL)
			return;
		p->pid = e->pid;
		HASH_ADD(hh, r->sampled, pid, sizeof p->pid, p);
		if (p->hh.tbl == NULL) {
			free(p);
			return;
		}
	}
	memcpy(&p->latest, e->data, sizeof p->latest);
	r->any = true;
}

static struct peer *peer_of(struct resource_metrics *r, const struct conn *c)
{
	struct peer_key key;
	struct peer *p = r->latest;

	if ((c->kind != CONN_TCP && c->kind != CONN_UNIX) || (c->role != CONN_CLIENT && c->role != CONN_SERVER))
		return NULL;
	if (p != NULL && p->key.role == c->role && strcmp(p->key.name, c->role == CONN_CLIENT ? c->peer : "") == 0)
		return p;
	key = (struct peer_key){.role = c->role};
	if (c->role == CONN_CLIENT)
		memcpy(key.name, c->peer, strnlen(c->peer, sizeof key.name - 1));
	HASH_FIND(hh, r->peers, &key, sizeof key, p);
	if (p == NULL && HASH_COUNT(r->peers) >= LIMIT_SERIES) {
		memset(key.name, 0, sizeof key.name); /* no peer has this name: the rest of them */
		HASH_FIND(hh, r->peers, &key, sizeof key, p);
	}
	if (p == NULL) {
		p = calloc(1, sizeof *p);
		if (p == NULL)
			return NULL;
		p->key = key;
		p->addr = c->peer_addr;
		HASH_ADD(hh, r->peers, key, sizeof p->key, p);
		if (p->hh.tbl == NULL) {
			free(p);
			return NULL;
		}
	}
	r->latest = p;
	return p;
}

void resource_metrics_bytes(struct resource_metrics *r, const struct conn *c, enum direction d, uint64_t bytes)
{
	struct peer *p = peer_of(r, c);

	if (p != NULL)
		p->count[d] += bytes;
}

void resource_metrics_retransmits(struct resource_metrics *r, const struct conn *c, uint64_t total)
{
	struct peer *p = peer_of(r, c);
	struct again *a;

	if (p == NULL || r->by_kernel)
		return;
	HASH_FIND(hh, r->again, &c->id, sizeof c->id, a);
	if (a == NULL) {
		if (HASH_COUNT(r->again) >= LIMIT_CONNECTIONS || (a = calloc(1, sizeof *a)) == NULL)
			return;
		a->conn_id = c->id;
		a->total = c->inherited ? total : 0; /* what was before the session is not of it */
		HASH_ADD(hh, r->again, conn_id, sizeof a->conn_id, a);
		if (a->hh.tbl == NULL) {
			free(a);
			return;
		}
	}
	p->count[SENT_AGAIN] += total > a->total ? total - a->total : 0;
	a->total = total;
}

/* The peer that connections to this address belong to, by its name where one is known. */
static struct peer *peer_at(struct resource_metrics *r, enum conn_role role, const struct sample_tcp *s)
{
	struct conn c = {.kind = CONN_TCP, .role = role};
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	char text[INET6_ADDRSTRLEN];

	memcpy(&in, s->address, sizeof in);
	memcpy(&in6, s->address, sizeof in6);
	memcpy(&c.peer_addr, s->address, sizeof in6);
	if (role != CONN_CLIENT)
		return peer_of(r, &c);
	for (struct peer *p = r->peers; p != NULL; p = p->hh.next)
		if (p->key.role == role && in.sin_port == ((const struct sockaddr_in *)&p->addr)->sin_port &&
		    (in.sin_family == AF_INET
			     ? memcmp(&p->addr, &in, offsetof(struct sockaddr_in, sin_zero)) == 0
			     : memcmp(&((const struct sockaddr_in6 *)&p->addr)->sin6_addr, &in6.sin6_addr, 16) == 0))
			return p;
	if (in.sin_family == AF_INET && inet_ntop(AF_INET, &in.sin_addr, text, sizeof text))
		snprintf(c.peer, sizeof c.peer, "%s:%u", text, ntohs(in.sin_port));
	else if (inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text))
		snprintf(c.peer, sizeof c.peer, "[%s]:%u", text, ntohs(in6.sin6_port));
	return peer_of(r, &c);
}

void resource_metrics_kernel(struct resource_metrics *r, const struct event *e)
{
	struct sample_tcp s;
	struct peer *p;

	if (e->id == WIRE_SAMPLE_LIFE && e->data_len >= sizeof r->life) {
		memcpy(&r->life, e->data, sizeof r->life);
		r->by_kernel = true;
	}
	if (e->id != WIRE_SAMPLE_TCP || e->data_len < sizeof s)
		return;
	memcpy(&s, e->data, sizeof s);
	p = peer_at(r, e->a0 == WIRE_ROLE_SERVER ? CONN_SERVER : CONN_CLIENT, &s);
	r->by_kernel = true;
	if (p == NULL)
		return;

	const uint64_t so_far[] = {s.retransmits, s.syn_again, s.established, s.connect_failed, s.reset, s.timed_out, s.closed};

	for (size_t i = 0; i < sizeof so_far / sizeof so_far[0]; i++) {
		uint64_t *last = &p->kernel[i];

		p->count[SENT_AGAIN + i] += so_far[i] > *last ? so_far[i] - *last : 0;
		*last = so_far[i];
	}
}

static void tell_peer(struct resource_metrics *r, struct peer *p)
{
	static const struct {
		const char *key, *value;
	} what[COUNTS] = {
		[DIR_IN] = {"network.io.direction", "receive"},
		[DIR_OUT] = {"network.io.direction", "transmit"},
		[SYN_AGAIN] = {"gapscope.tcp.change", "connect_again"},
		[ESTABLISHED] = {"gapscope.tcp.change", "established"},
		[CONNECT_FAILED] = {"gapscope.tcp.change", "connect_failed"},
		[RESET] = {"gapscope.tcp.change", "reset"},
		[TIMED_OUT] = {"gapscope.tcp.change", "timed_out"},
		[CLOSED] = {"gapscope.tcp.change", "closed"},
	};
	struct attr list[POINT_ATTRS_MAX];
	char text[1024];
	struct conn c = {.kind = CONN_TCP, .role = CONN_CLIENT};
	const struct request to = {.conn = &c};

	memcpy(c.peer, p->key.name, sizeof c.peer);
	for (size_t i = 0; i < COUNTS; i++) {
		struct attrs a = {.list = list, .max = POINT_ATTRS_MAX, .text = text, .size = sizeof text};

		if (p->count[i] == p->told[i])
			continue;
		attrs_text(&a, "gapscope.role", p->key.role == CONN_SERVER ? "server" : "client");
		if (p->key.name[0] != '\0')
			area_server(&a, &to);
		if (what[i].key != NULL)
			attrs_text(&a, what[i].key, what[i].value);
		series_record(i < SENT_AGAIN    ? r->io
			      : i == SENT_AGAIN ? r->retransmits
						: r->tcp,
			      a.list, a.n, (double)(p->count[i] - p->told[i]));
		p->told[i] = p->count[i];
	}
}

static void tell_processes(const struct resource_metrics *r, struct snapshot *s)
{
	double user = (double)r->ended_user_ns, system = (double)r->ended_system_ns;
	double resident = 0, virtual = 0, threads = 0, fds = 0;
	bool fds_known = false;

	for (const struct sampled *p = r->sampled; p != NULL; p = p->hh.next) {
		user += (double)p->latest.user_ns;
		system += (double)p->latest.system_ns;
		resident += (double)p->latest.resident_bytes;
		virtual += (double)p->latest.virtual_bytes;
		threads += (double)p->latest.threads;
		if (p->latest.fds == SAMPLE_UNKNOWN)
			continue;
		fds += (double)p->latest.fds;
		fds_known = true;
	}
	snapshot_own(s,
		     (struct metric){.name = "process.cpu.time", .unit = "s", .doc = "Processor time of the service's processes."});
	snapshot_point(s, user / NS_PER_S, "cpu.mode", "user");
	snapshot_point(s, system / NS_PER_S, "cpu.mode", "system");
	snapshot_own(s, (struct metric){.name = "process.memory.usage",
					.unit = "By",
					.doc = "Memory of theirs that is resident.",
					.kind = METRIC_UPDOWN});
	snapshot_point(s, resident, NULL, NULL);
	snapshot_own(s, (struct metric){.name = "process.memory.virtual",
					.unit = "By",
					.doc = "Memory of theirs that is mapped.",
					.kind = METRIC_UPDOWN});
	snapshot_point(s, virtual, NULL, NULL);
	snapshot_own(s,
		     (struct metric){
			     .name = "process.thread.count", .unit = "{thread}", .doc = "Their threads.", .kind = METRIC_UPDOWN});
	snapshot_point(s, threads, NULL, NULL);
	if (!fds_known)
		return;
	snapshot_own(s, (struct metric){.name = "process.unix.file_descriptor.count",
					.unit = "{file_descriptor}",
					.doc = "Their open descriptors.",
					.kind = METRIC_UPDOWN});
	snapshot_point(s, fds, NULL, NULL);
}

static void tell_life(const struct resource_metrics *r, struct snapshot *s)
{
	static const char key[] = "gapscope.process.change", limit[] = "gapscope.limit";

	snapshot_own(s,
		     (struct metric){
			     .name = "gapscope.process.changes",
			     .unit = "{process}",
			     .doc = "Processes of the service that were made, started a program, or ended, as the kernel says."});
	snapshot_point(s, (double)r->life.forks, key, "fork");
	snapshot_point(s, (double)r->life.execs, key, "exec");
	snapshot_point(s, (double)r->life.exits, key, "exit");
	snapshot_point(s, (double)r->life.killed, key, "killed");
	snapshot_own(s,
		     (struct metric){.name = "gapscope.tcp.uncounted",
				     .unit = "{time}",
				     .doc = "What the kernel's counts have no room for: changes of TCP connections, processes."});
	snapshot_point(s, (double)r->life.lost_peers, limit, "peers");
	snapshot_point(s, (double)r->life.lost_processes, limit, "processes");
}

void resource_metrics_snapshot(struct resource_metrics *r, struct snapshot *s)
{
	for (struct peer *p = r->peers; p != NULL; p = p->hh.next)
		tell_peer(r, p);
	if (r->any)
		tell_processes(r, s);
	snapshot_series(s,
			(struct metric){.name = "gapscope.connection.io",
					.unit = "By",
					.doc = "Bytes that went over connections, by peer."},
			r->io);
	snapshot_series(s,
			(struct metric){.name = "gapscope.tcp.retransmits",
					.unit = "{segment}",
					.doc = "Segments sent again, by peer; as the kernel counts them; else of connections that "
					       "lived when they were sampled."},
			r->retransmits);
	snapshot_series(s,
			(struct metric){.name = "gapscope.tcp.changes",
					.unit = "{change}",
					.doc = "What happened to TCP connections, by peer, as the kernel says."},
			r->tcp);
	if (r->by_kernel)
		tell_life(r, s);
}
