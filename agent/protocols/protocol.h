/*
 * A protocol: recognises itself in the first bytes of a connection, and turns bytes into requests. One file, one entry, one row in
 * protocols.c. Incremental: bytes arrive split anywhere, capture is bounded (a gap says how many bytes were not captured).
 */
#ifndef GAPSCOPE_PROTOCOLS_PROTOCOL_H
#define GAPSCOPE_PROTOCOLS_PROTOCOL_H

#include "model/model.h"

enum probe_answer { PROBE_NO, PROBE_MORE, PROBE_YES };

struct protocol {
	const char *name; /* "http" as in `deadlines[].protocol` */
	const char *doc;  /* one line for `list` and the manual */
	/* Are these the first bytes of a client (from_client) or of a server of this protocol? */
	enum probe_answer (*probe)(const uint8_t *bytes, size_t len, bool from_client);
	/* The same for bytes from the middle of a connection that began before we watched; NULL = as `probe`. */
	enum probe_answer (*probe_midway)(const uint8_t *bytes, size_t len, bool from_client);
	bool datagrams; /* it is spoken over UDP, too */
	bool outer;     /* it makes no requests of its own: the connection's protocol is what is inside */
	/* State for a connection; NULL when memory is out. */
	void *(*open)(struct model *m, struct conn *c);
	/* `len` captured bytes, then `gap` bytes that were not captured, moved in direction d by event e. Neither: the end of input
	 * (e->ret is 0) or an error that ended the connection (e->err). */
	void (*data)(void *state, enum direction d, const struct event *e, const uint8_t *bytes, size_t len, size_t gap);
	/* Another protocol of the table goes on behind what `data` was given last: its name ("": its first bytes will say), and where in those
	 * bytes it begins. May be NULL. */
	const char *(*turned)(void *state, const uint8_t *bytes, size_t len, size_t *ret_at);
	/* The connection ended (e may be NULL at the session's end). Open requests are ended. Frees the state. */
	void (*close)(void *state, const struct event *e, enum conn_end how);
	/* The opening bytes were lost or capture began midway: find the next message. */
	void (*resync)(void *state);
};

/* All protocols, in the order in which they are asked; ends with NULL. */
extern const struct protocol *const protocol_table[];

struct protocols;
/* The observer that runs the table over every connection of a model. Register it before the detectors. */
struct protocols *protocols_new(struct model *m, struct counters *counters);
/* After model_free, which ends what is still open. */
void protocols_free(struct protocols *p);
extern const struct observer protocols_observer; /* its ctx is the struct protocols */

#endif
