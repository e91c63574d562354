/*
 * What the protocols of requests and answers share: the open requests of one connection, who of the two sides asks, and how requests end
 * when the connection does. A protocol's own struct begins with a struct talk and hands bytes on to its readers.
 *
 * Owned by the runner (protocols.c); the session's thread only.
 */
#ifndef GAPSCOPE_PROTOCOLS_TALK_H
#define GAPSCOPE_PROTOCOLS_TALK_H

#include "protocols/protocol.h"

/* Where a message began. */
struct talk_mark {
	uint64_t ns;
	uint32_t stack, pid, tid;
};

struct talk_call {
	struct request r; /* first: what the model sees */
	uint64_t key;     /* the protocol's: a correlation id, a group */
	uint32_t left;    /* the protocol's: answers or bytes to come */
	uint8_t kind;     /* the protocol's */
	bool unseen;      /* its answer began, and how it ends will not be seen: that is no failure */
	bool standing;    /* it asks for what comes some time: who consumes messages has always asked for more when it leaves */
	bool doubted;     /* it went on since, with a place found again that may be a wrong one */
	struct talk_call *prev, *next;
};

struct talk;

struct talk_ops {
	const struct protocol *protocol;
	enum request_area area;
	const char *system;
	/* Are these bytes a client's? Asked once, where the socket call was not seen. */
	bool (*is_client)(const uint8_t *bytes, size_t len);
	/* Bytes and a gap of one side. */
	void (*feed)(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap);
	/* The place is lost on both sides. */
	void (*lose)(struct talk *t);
	/* Free what the protocol keeps beside the talk itself. */
	void (*done)(struct talk *t);
};

struct talk {
	const struct talk_ops *ops;
	struct model *m;
	struct conn *c;
	struct counters *counters;
	struct event e; /* the one under way, without its data */
	enum direction client_dir;
	bool sides_known;
	bool opaque; /* nothing more to be read here */
	bool wide;   /* captured further than other connections */
	bool behind; /* the bytes under way are the end of a call, behind some that were not captured */
	char space[64];
	struct talk_call *first, *last;
	unsigned int n;
	/* the method announced last, of those that are known, and how often in a row */
	char last_method[sizeof(((struct request *)NULL)->method)];
	unsigned int alike;
	/* a call of the client's of which not all was captured: where it began, and what else is in it */
	bool cut;
	struct talk_mark cut_from;
	char cut_method[sizeof(((struct request *)NULL)->method)];
};

/* A zeroed struct of `size` bytes that begins with a talk; NULL when memory is out. */
void *talk_new(size_t size, const struct talk_ops *ops, struct model *m, struct conn *c);
/* Members of a protocol's entry. */
void talk_data(void *state, enum direction d, const struct event *e, const uint8_t *bytes, size_t len, size_t gap);
void talk_close(void *state, const struct event *e, enum conn_end how);
void talk_resync(void *state);

/* Now, as where a message of this side begins. */
struct talk_mark talk_now(const struct talk *t, bool client);
/* A new request, not announced yet: fill it in, then talk_announce. NULL at the limit (all that is open ends then) or without memory. */
struct talk_call *talk_call_new(struct talk *t, const struct talk_mark *from, uint64_t bytes);
void talk_announce(struct talk *t, struct talk_call *q);
/* A part of its answer came: `bytes` of it. */
void talk_answer(struct talk *t, struct talk_call *q, uint64_t bytes);
/* It ended with the event under way. */
void talk_end(struct talk *t, struct talk_call *q, enum request_end how);
/* It ended without our seeing how, at the last byte that was seen. */
void talk_end_unseen(struct talk *t, struct talk_call *q);
/* Bytes of the server's were not seen: whether the open requests were answered in them is not known. The next request of a client that waits
 * shows that they are over: talk_end_doubted. */
void talk_doubt(struct talk *t);
void talk_end_doubted(struct talk *t);
/* A request of a database whose method is all that is told of it: so that is its summary and its text. */
void talk_only_method(struct talk_call *q);
/* The client sent more in a call than is captured, and what is behind is not known: its answers will tell how many requests there were. */
void talk_cut(struct talk *t);
/* An answer came where none is open: of a request in what talk_cut() told of, announced now. Its method is the one before where several in a
 * row were alike, else "_OTHER". NULL where there was no such call. */
struct talk_call *talk_call_unseen(struct talk *t);
struct talk_call *talk_find(const struct talk *t, uint64_t key);
/* The open requests end unseen; both readers look for their place again. */
void talk_lose(struct talk *t);
/* No more bytes are wanted. Open requests end with the connection. */
void talk_opaque(struct talk *t);

/* Messages of this connection come many in a call: capture as much of each call as can be. */
void talk_wide(struct talk *t);

/* The request's answer is an error of this name. */
void talk_fail(struct talk_call *q, const char *name, size_t len, bool transient);
/* The same for a number, which becomes its status. */
void talk_fail_number(struct talk_call *q, int code, bool transient);
/* Copy as printable ASCII, cut to size; what is no name becomes '?'. */
void talk_text(char *out, size_t size, const uint8_t *bytes, size_t len);
/* For operation keys. */
#define TALK_HASH_START 0xcbf29ce484222325ULL
uint64_t talk_hash(uint64_t hash, const void *bytes, size_t len);

/* Numbers as they stand in messages. The caller has checked the length. */
static inline uint16_t talk_be16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t talk_be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint32_t talk_le24(const uint8_t *b)
{
	return (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static inline uint32_t talk_le32(const uint8_t *b)
{
	return (uint32_t)b[3] << 24 | talk_le24(b);
}

#endif
