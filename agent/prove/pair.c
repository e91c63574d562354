/*
 * See pair.h.
 */
#include "prove/pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#define BURST_NS 250000000ULL /* bytes that follow so soon still belong to what was asked */
#define HALF_NS 50000000ULL   /* an end so soon after the request is a half-close, not a giving up */
#define DRIP_NS 1000000000ULL
#define SHY_NS 500000000ULL /* who says nothing for so long waits for the peer to begin */

void pair_say(const struct pair_env *env, const struct relay_said *said)
{
	(void)send(env->control, said, sizeof(*said), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void say(const struct pair_env *env, const struct pair *p, enum relay_what what, uint64_t waited_ns)
{
	const struct relay_said said = {
		.what = what, .kind = p->kind, .row = p->row, .waited_ns = waited_ns, .whole_ns = env->now_ns - p->began_ns};

	pair_say(env, &said);
}

static void say_asked(const struct pair_env *env, struct pair *p)
{
	if (!p->said)
		say(env, p, RELAY_ASKED, 0);
	p->said = true;
}

/* -- its ends -- */

static void end_close(struct pair_end *e, bool reset)
{
	const struct linger now = {.l_onoff = 1};

	if (e->fd < 0)
		return;
	if (reset)
		(void)setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(e->fd);
	e->fd = -1;
}

static void pair_die(struct pair *p, bool reset)
{
	end_close(&p->client, reset);
	end_close(&p->server, reset);
	p->stage = PAIR_DEAD;
}

static void watch(const struct pair_env *env, struct pair_end *e, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = e};

	if (e->fd < 0 || e->watched == events)
		return;
	(void)epoll_ctl(env->epoll, e->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, e->fd, &ev);
	e->watched = events;
}

/* A connection that hangs up while nobody reads it would wake us for ever. */
static void unwatch(const struct pair_env *env, struct pair_end *e)
{
	if (e->fd >= 0 && e->watched)
		(void)epoll_ctl(env->epoll, EPOLL_CTL_DEL, e->fd, NULL);
	e->watched = 0;
}

static void dial(const struct pair_env *env, struct pair *p)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const struct wire_fault_peer *peer = &env->fault->peers[p->row];
	const bool v4 = memcmp(peer->address, mapped, sizeof(mapped)) == 0;
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = peer->port};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = peer->port};
	const int one = 1;

	memcpy(&a4.sin_addr, peer->address + 12, 4);
	memcpy(&a6.sin6_addr, peer->address, 16);
	p->server.fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->server.fd < 0) {
		pair_die(p, true);
		return;
	}
	(void)setsockopt(p->server.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	p->connecting = true;
	if (connect(p->server.fd, v4 ? (struct sockaddr *)(void *)&a4 : (struct sockaddr *)(void *)&a6,
		    v4 ? sizeof(a4) : sizeof(a6)) != 0 &&
	    errno != EINPROGRESS)
		pair_die(p, true);
}

/* -- faults -- */

/* Let everything pass from now on. */
static void set_free(const struct pair_env *env, struct pair *p, enum relay_what why)
{
	if (p->stage == PAIR_HOLDS && !p->half && p->said)
		say(env, p, why, env->now_ns - p->asked_ns);
	p->stage = PAIR_PLAIN;
}

static void hold(const struct pair_env *env, struct pair *p)
{
	p->stage = PAIR_HOLDS;
	p->granted = 0;
	p->grant_ns = env->now_ns;
	/* What a body fault withholds has not come yet: the service is heard of when it has. */
	if (p->kind == FAULT_STALL)
		say_asked(env, p);
}

/* How many bytes of the answer may pass. */
static size_t allowance(const struct pair_env *env, struct pair *p)
{
	if (p->stage == PAIR_PLAIN || p->stage == PAIR_WAITS)
		return p->down.len;
	if (p->stage != PAIR_HOLDS || p->kind == FAULT_STALL)
		return 0;
	if (!p->headed && p->down.len) { /* the head passes */
		const bool http = p->down.len >= 5 && memcmp(p->down.bytes, "HTTP/", 5) == 0;
		const size_t head = http ? sniff_http_head(p->down.bytes, p->down.len) : 0;

		if (!http && !p->tls) {
			say(env, p, RELAY_UNFIT, 0);
			p->stage = PAIR_PLAIN;
			return p->down.len;
		}
		if (http && head == 0 && p->down.len < PAIR_BUFFER_BYTES)
			return 0;
		p->headed = true;
		p->granted = head;
		p->grant_ns = env->now_ns + DRIP_NS;
	}
	if (p->headed && p->down.len > p->granted && !p->said) {
		/* This silence begins when the last byte has passed. */
		if (p->kind == FAULT_BODY)
			p->asked_ns = env->now_ns;
		say_asked(env, p);
	}
	return p->granted < p->down.len ? p->granted : p->down.len;
}

/* May what has come still become a whole HTTP request? */
static bool is_partial(const struct pair *p)
{
	if (p->up.len == PAIR_BUFFER_BYTES)
		return false;
	if (sniff_is_http_request(p->up.bytes, p->up.len))
		return !sniff_http_whole(p->up.bytes, p->up.len);
	return p->up.bytes[0] >= 'A' && p->up.bytes[0] <= 'Z' && memchr(p->up.bytes, '\n', p->up.len) == NULL;
}

static void answer_503(const struct pair_env *env, struct pair *p)
{
	static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
				     "Connection: close\r\n\r\nunavailable\n";

	if (!sniff_is_http_request(p->up.bytes, p->up.len)) {
		say(env, p, RELAY_UNFIT, 0);
		p->stage = PAIR_PLAIN;
		dial(env, p);
		return;
	}
	say(env, p, RELAY_CUT, 0);
	(void)send(p->client.fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(p->client.fd, SHUT_WR);
	p->stage = PAIR_ANSWERED;
	p->up.len = 0;
}

/* A fault for a connection that is there already: its next request feels it. */
static void take_up(const struct pair_env *env, struct pair *p)
{
	struct wire_fault *f = env->fault;

	if (p->stage != PAIR_PLAIN || p->connecting || !env->on || f->way != WIRE_FAULT_RELAY || f->kind == FAULT_503 ||
	    f->target != p->row + 1 || !wire_fault_take(f, env->now_ns))
		return;
	p->kind = f->kind;
	p->stage = PAIR_WAITS;
	p->headed = p->said = false;
}

static void asked(struct pair_env *env, struct pair *p, const uint8_t *data, size_t len)
{
	const bool first = p->seen_ns == 0;

	take_up(env, p);
	if (first)
		p->tls = sniff_is_tls(data, len);
	if (p->tls)
		sniff_tls(&p->records, data, len);
	if ((p->stage != PAIR_HOLDS || env->now_ns - p->seen_ns < BURST_NS) && !(p->kind == FAULT_BODY && p->said))
		p->asked_ns = p->began_ns = env->now_ns;
	p->seen_ns = env->now_ns;
	if (p->stage != PAIR_WAITS)
		return;
	if ((p->kind == FAULT_RESET || p->kind == FAULT_503) && p->server.fd < 0 && is_partial(p))
		return;
	if (p->kind == FAULT_RESET) {
		say(env, p, RELAY_CUT, 0);
		pair_die(p, true);
	} else if (p->kind == FAULT_503) {
		answer_503(env, p);
	} else if (p->kind == FAULT_BODY && p->tls) {
		say(env, p, RELAY_UNFIT, 0);
		p->stage = PAIR_PLAIN;
	} else if (!p->tls || (p->records.data && p->answered)) {
		hold(env, p);
	}
}

/* A service that has closed what it was withheld nothing of has had its answer. */
static void gave_up(const struct pair_env *env, const struct pair *p)
{
	if (p->stage == PAIR_HOLDS && p->said && !p->half)
		say(env, p, p->kind == FAULT_STALL || p->down.len ? RELAY_GAVE_UP : RELAY_FREED, env->now_ns - p->asked_ns);
}

/* The service has closed its end. */
static void client_ended(const struct pair_env *env, struct pair *p)
{
	p->up.ended = true;
	if (p->stage != PAIR_HOLDS)
		return;
	if (p->seen_ns && env->now_ns - p->seen_ns < HALF_NS) {
		p->half = true;
		return;
	}
	gave_up(env, p);
	pair_die(p, false);
}

/* -- bytes -- */

/* Up to `most` bytes on; false if the receiver is gone. */
static bool pass(struct pair_end *to, struct pair_flow *f, size_t most, size_t *ret_n)
{
	const ssize_t n = most ? send(to->fd, f->bytes, most, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

	*ret_n = n > 0 ? (size_t)n : 0;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	f->len -= *ret_n;
	memmove(f->bytes, f->bytes + *ret_n, f->len);
	return true;
}

static void move_on(struct pair_env *env, struct pair *p)
{
	size_t n;

	if (p->stage == PAIR_DEAD)
		return;
	if (p->server.fd >= 0 && !p->connecting) {
		if (!pass(&p->server, &p->up, p->up.len, &n)) {
			p->up.len = 0;
			p->up.told = true;
		}
		if (p->up.ended && !p->up.len && !p->up.told) {
			p->up.told = true;
			(void)shutdown(p->server.fd, SHUT_WR);
		}
	}
	if (!pass(&p->client, &p->down, allowance(env, p), &n)) {
		pair_die(p, true);
		return;
	}
	p->granted -= n < p->granted ? n : p->granted;
	if (p->down.ended && !p->down.len && !p->down.told && !(p->stage == PAIR_HOLDS && p->kind == FAULT_STALL)) {
		p->down.told = true;
		(void)shutdown(p->client.fd, SHUT_WR);
	}
	if (p->up.ended && (p->stage == PAIR_ANSWERED || (p->up.told && p->down.told)))
		pair_die(p, false);
}

static void rewatch(const struct pair_env *env, struct pair *p)
{
	const bool held = p->stage == PAIR_HOLDS && p->kind == FAULT_STALL;

	if (p->stage == PAIR_DEAD)
		return;
	const bool room = p->up.len < PAIR_BUFFER_BYTES;

	watch(env, &p->client,
	      (p->up.ended ? 0 : (uint32_t)EPOLLRDHUP | (room ? (uint32_t)EPOLLIN : 0)) |
		      (!held && p->down.len && p->stage != PAIR_HOLDS ? (uint32_t)EPOLLOUT : 0) | (uint32_t)EPOLLPRI);
	if (p->server.fd < 0)
		return;
	const uint32_t server = p->connecting
					? (uint32_t)EPOLLOUT
					: (!held && !p->down.ended && p->down.len < PAIR_BUFFER_BYTES ? (uint32_t)EPOLLIN : 0) |
						  (p->up.len ? (uint32_t)EPOLLOUT : 0);
	if (server)
		watch(env, &p->server, server);
	else
		unwatch(env, &p->server);
}

static void client_ready(struct pair_env *env, struct pair *p, uint32_t events)
{
	if ((events & EPOLLIN) && p->up.len < PAIR_BUFFER_BYTES) {
		const ssize_t n = recv(p->client.fd, p->up.bytes + p->up.len, PAIR_BUFFER_BYTES - p->up.len, MSG_DONTWAIT);

		if (n > 0) {
			const uint8_t *new = p->up.bytes + p->up.len;

			p->up.len += (size_t)n;
			if (p->stage == PAIR_ANSWERED)
				p->up.len = 0;
			else
				asked(env, p, new, (size_t)n);
			return;
		}
		if (n == 0 || errno != EAGAIN)
			events |= n == 0 ? (uint32_t)EPOLLRDHUP : (uint32_t)EPOLLERR;
	}
	if (p->stage == PAIR_DEAD)
		return;
	if (events & (EPOLLERR | EPOLLHUP)) { /* reset, or both ends closed: nobody is there to take an answer */
		gave_up(env, p);
		pair_die(p, true);
	} else if ((events & EPOLLRDHUP) && !p->up.ended) {
		client_ended(env, p);
	}
}

static void server_ready(struct pair_env *env, struct pair *p, uint32_t events)
{
	int e = 0;
	socklen_t len = sizeof(e);

	if (p->connecting) {
		if (getsockopt(p->server.fd, SOL_SOCKET, SO_ERROR, &e, &len) != 0 || e != 0) {
			pair_die(p, true);
			return;
		}
		p->connecting = !(events & EPOLLOUT);
		return;
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || p->down.len == PAIR_BUFFER_BYTES || p->down.ended)
		return;
	const ssize_t n = recv(p->server.fd, p->down.bytes + p->down.len, PAIR_BUFFER_BYTES - p->down.len, MSG_DONTWAIT);

	if (n > 0) {
		p->down.len += (size_t)n;
		p->answered = true;
		if (p->stage == PAIR_WAITS &&
		    p->seen_ns == 0) /* the peer speaks first: its greeting is what the service waits for */
			hold(env, p);
	} else if (n == 0) {
		p->down.ended = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		pair_die(p, true);
	}
}

void pair_ready(struct pair_env *env, struct pair_end *end, uint32_t events)
{
	struct pair *p = end->pair;

	if (p->stage == PAIR_DEAD)
		return;
	if (end == &p->client)
		client_ready(env, p, events);
	else
		server_ready(env, p, events);
	move_on(env, p);
	rewatch(env, p);
}

/* It has connected and says nothing, or not all: it waits for the peer, perhaps. */
static void shy(const struct pair_env *env, struct pair *p)
{
	if (p->kind != FAULT_RESET) {
		answer_503(env, p);
		return;
	}
	say(env, p, RELAY_CUT, 0);
	pair_die(p, true);
}

/* One byte more, but never the last one: with it the service would have its answer, and a silence of ours would be no drip. */
static void drip(const struct pair_env *env, struct pair *p)
{
	if (p->down.len <= 1) {
		set_free(env, p, RELAY_FREED);
		return;
	}
	p->granted = 1;
	p->grant_ns += DRIP_NS;
}

void pair_tick(struct pair_env *env, struct pair *p)
{
	if (p->stage == PAIR_PLAIN || p->stage == PAIR_DEAD || p->stage == PAIR_ANSWERED)
		return;
	if (!env->on)
		set_free(env, p, RELAY_FREED);
	else if (p->stage == PAIR_HOLDS && env->now_ns - p->asked_ns >= env->hold_ns)
		set_free(env, p, RELAY_WAITED);
	else if (p->stage == PAIR_WAITS && p->server.fd < 0 && env->now_ns - p->asked_ns >= SHY_NS)
		shy(env, p);
	else if (p->stage == PAIR_HOLDS && p->kind == FAULT_DRIP && p->headed && env->now_ns >= p->grant_ns)
		drip(env, p);
	if (p->stage == PAIR_PLAIN && p->server.fd < 0)
		dial(env, p);
	move_on(env, p);
	rewatch(env, p);
}

void pair_new(struct pair_env *env, int client, uint32_t row)
{
	struct pair *p = env->pairs_n < RELAY_PAIRS_MAX ? calloc(1, sizeof(*p) + 2 * (size_t)PAIR_BUFFER_BYTES) : NULL;
	const int one = 1;

	if (!p) {
		struct pair_end refused = {.fd = client};

		end_close(&refused, true);
		return;
	}
	p->client = (struct pair_end){.pair = p, .fd = client};
	p->server = (struct pair_end){.pair = p, .fd = -1};
	p->up.bytes = (uint8_t *)(p + 1);
	p->down.bytes = p->up.bytes + PAIR_BUFFER_BYTES;
	p->row = row;
	p->asked_ns = p->began_ns = env->now_ns;
	p->kind = env->fault->kind;
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	DL_APPEND(env->pairs, p);
	env->pairs_n++;
	if (env->on && env->fault->way == WIRE_FAULT_RELAY && p->kind < FAULTS)
		p->stage = PAIR_WAITS;
	if (p->stage == PAIR_PLAIN || (p->kind != FAULT_503 && p->kind != FAULT_RESET))
		dial(env, p);
	rewatch(env, p);
}

void pairs_sweep(struct pair_env *env)
{
	struct pair *p, *next;

	DL_FOREACH_SAFE (env->pairs, p, next) {
		if (p->stage != PAIR_DEAD)
			continue;
		DL_DELETE(env->pairs, p);
		env->pairs_n--;
		free(p);
	}
}
