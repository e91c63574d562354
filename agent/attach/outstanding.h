/*
 * Does a TCP connection wait for an answer? The kernel knows when it last sent and when it last received. Any thread; keeps nothing.
 */
#ifndef GAPSCOPE_ATTACH_OUTSTANDING_H
#define GAPSCOPE_ATTACH_OUTSTANDING_H

#include <stdint.h>

enum outstanding {
	OUTSTANDING_NOT,
	OUTSTANDING_FIRST, /* bytes were sent, and none ever came back; the last was sent *ret_ago_ns ago */
	OUTSTANDING_ASKED, /* some came back, and none since the last was sent, *ret_ago_ns ago */
	OUTSTANDING_EITHER, /* the last was sent *ret_ago_ns ago, the last came in the same tick of the kernel's, and nothing tells which was later */
	OUTSTANDING_FRESH, /* not a byte went through it since it was made, *ret_ago_ns ago: the peer may be to speak first */
};

struct tcp_info;
/* What the kernel's account of an established connection says (linux/tcp.h). */
enum outstanding outstanding_state(const struct tcp_info *i);
enum outstanding outstanding(int fd, uint64_t *ret_ago_ns);

#endif
