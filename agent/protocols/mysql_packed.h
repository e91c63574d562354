/*
 * The compressed form of MySQL's protocol: from the end of the login on, packets come inside of others, which are compressed by zlib where
 * that makes them smaller. Cuts these, and hands on what is in them as bytes and gaps. One a connection, made when it is agreed on; the
 * session's thread only.
 */
#ifndef GAPSCOPE_PROTOCOLS_MYSQL_PACKED_H
#define GAPSCOPE_PROTOCOLS_MYSQL_PACKED_H

#include "protocols/talk.h"

struct mysql_packed;

struct mysql_packed_ops {
	/* `len` bytes of what was packed, then `gap` that could not be unpacked. */
	void (*bytes)(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap);
	/* The place is lost: what comes next is the beginning of some packet. */
	void (*lost)(struct talk *t, bool client);
};

/* NULL when memory is out. */
struct mysql_packed *mysql_packed_new(struct talk *t, const struct mysql_packed_ops *ops);
void mysql_packed_free(struct mysql_packed *p);
void mysql_packed_feed(struct mysql_packed *p, bool client, const uint8_t *bytes, size_t len, size_t gap);
void mysql_packed_lose(struct mysql_packed *p);

/* Is this a packet that was not packed, and in it a packet that fills it? Then the connection is one of these, whoever agreed on it. */
bool mysql_packed_is(const uint8_t *bytes, size_t len);
/* In front of what is in a packet. */
#define MYSQL_PACKED_HEAD 7U

#endif
