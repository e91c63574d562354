/*
 * Sessions of TLS libraries in the watched processes, and which connection each one's plaintext belongs to. The session's thread only.
 *
 * A session is tied to a connection only when that is certain: the library read or wrote the connection, and no other, inside of the call
 * that moved the plaintext; both began with the same handshake (wire/tls.h); or the source says so, which looked at the session itself. Plaintext of other sessions is nobody's.
 * A session is owned by the model; its connection points back to it, and forgets it when either ends.
 */
#include "wire/tls.h"

#include <stdlib.h>

#include "model/private.h"

struct tls_session {
	struct tls_key {
		uint64_t session;
		uint64_t pid;
	} key;
	struct connx *conn; /* NULL: not known */
	uint64_t hello;     /* of its handshake, 0 = none seen */
	UT_hash_handle hh;
};

static struct tls_session *find(struct model *m, const struct event *e)
{
	const struct tls_key key = {.session = e->a1, .pid = e->pid};
	struct tls_session *s = NULL;

	HASH_FIND(hh, m->tls, &key, sizeof(key), s);
	return s;
}

static void untie(struct tls_session *s)
{
	if (s->conn)
		s->conn->tls = NULL;
	s->conn = NULL;
}

static void drop(struct model *m, struct tls_session *s)
{
	untie(s);
	HASH_DEL(m->tls, s);
	m->n_tls--;
	free(s);
}

static struct tls_session *make(struct model *m, const struct event *e)
{
	struct tls_session *s = find(m, e);

	if (s)
		return s;
	/* The oldest gives way: sessions whose end was lost must not fill the table for ever. */
	if (m->n_tls >= LIMIT_TLS_SESSIONS)
		drop(m, m->tls);
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->key = (struct tls_key){.session = e->a1, .pid = e->pid};
	HASH_ADD(hh, m->tls, key, sizeof(s->key), s);
	m->n_tls++;
	return s;
}

static void tie(struct tls_session *s, struct connx *c)
{
	if (s->conn == c)
		return;
	untie(s);
	if (c->tls)
		c->tls->conn = NULL;
	s->conn = c;
	c->tls = s;
}

void tls_note(struct model *m, struct connx *c, const struct event *e)
{
	struct tls_io *io = &m->tls_io[e->tid % TLS_IO_THREADS];
	const bool head = e->data_len >= 2 && e->ret > 0;

	if (!conn_is_socket(c))
		return;
	if (head && e->data[0] >= 0x14 && e->data[0] <= 0x17 && e->data[1] == 3)
		c->tls_seen = true;
	if (io->tid != e->tid || io->conn_id != c->pub.id)
		*io = (struct tls_io){.tid = e->tid,
				      .pid = e->pid,
				      .fd = e->fd,
				      .conn_id = c->pub.id,
				      .other_t1 = io->tid == e->tid ? io->t1 : 0};
	io->t0 = e->t0;
	io->t1 = e->t1;
	/* The first bytes of a connection may be the handshake of a session that works in memory. */
	if (head && c->tls_seen && !c->tls_hello && (c->tls_hello = wire_tls_hello(e->data, e->data_len)) != 0) {
		for (struct tls_session *s = m->tls; s; s = s->hh.next) {
			if (s->hello == c->tls_hello && s->key.pid == e->pid && !s->conn) {
				tie(s, c);
				break;
			}
		}
		m->tls_hellos[m->n_tls_hellos++ % TLS_HELLOS] =
			(struct tls_hello){.hash = c->tls_hello, .conn_id = c->pub.id, .pid = e->pid, .fd = e->fd};
	}
}

/* The connection that the library used inside of this call, if it is the only one. */
static struct connx *used_inside(struct model *m, struct proc *p, const struct event *e)
{
	const struct tls_io *io = &m->tls_io[e->tid % TLS_IO_THREADS];
	struct connx *c;

	if (io->tid != e->tid || io->pid != e->pid || io->t0 < e->t0 || io->t1 > e->t1 || io->other_t1 >= e->t0)
		return NULL;
	c = conn_find(p, io->fd);
	/* Its bytes look like TLS, or none were captured that could say otherwise. */
	return c && c->pub.id == io->conn_id && (c->tls_seen || c->pub.protocol == NULL) ? c : NULL;
}

void tls_on_hello(struct model *m, struct proc *p, const struct event *e)
{
	struct tls_session *s = make(m, e);

	if (!s || s->hello == e->a0)
		return;
	/* The answer to a hello is one, too: it changes nothing for a session that is tied. */
	s->hello = e->a0;
	for (unsigned int i = 0; i < TLS_HELLOS; i++) {
		const struct tls_hello *h = &m->tls_hellos[i];
		struct connx *c = h->hash == e->a0 && h->pid == e->pid ? conn_find(p, h->fd) : NULL;

		if (c && c->pub.id == h->conn_id) {
			tie(s, c);
			return;
		}
	}
}

void tls_on_data(struct model *m, struct proc *p, const struct event *e)
{
	struct tls_session *s = make(m, e);
	struct connx *c = e->fd >= 0 ? conn_find(p, e->fd) : used_inside(m, p, e);
	const bool out = e->id == WIRE_TLS_WRITE;
	struct event plain = *e;

	if (!s)
		return;
	if (c)
		tie(s, c);
	else if (e->fd >= 0)
		return; /* it went through a connection that nobody knows: not through the one before */
	c = s->conn;
	if (!c)
		return;
	plain.id = out ? WIRE_WRITE : WIRE_READ;
	plain.fd = c->pub.fd;
	c->pub.tls = true;
	TELL(m, conn_plain, &c->pub, out ? DIR_OUT : DIR_IN, &plain);
}

void tls_on_end(struct model *m, struct proc *p, const struct event *e)
{
	struct tls_session *s = find(m, e);

	(void)p;
	if (s)
		drop(m, s);
}

void tls_forget(struct connx *c)
{
	if (c->tls)
		untie(c->tls);
}

void tls_done(struct model *m)
{
	while (m->tls)
		drop(m, m->tls);
}
