/*
 * Fuzzes one protocol through the whole path: socket events of both directions, split, gapped, lost and ended as the input says. A
 * protocol's own file defines FUZZ_OPENING, by which it is known, and includes this.
 *
 * Input: operations of one byte and their bytes. Low 3 bits of the operation: write, read, gap, loss, end of input, error, close and
 * connect again, other connection; the last with bytes is a call of which first and last ones were captured, on this connection. High 5
 * bits: how many bytes follow (31: one more byte says how many).
 */
#ifndef GAPSCOPE_TESTS_FUZZ_CONNECTION_H
#define GAPSCOPE_TESTS_FUZZ_CONNECTION_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/protocol.h"

struct check {
	uint64_t started, ended;
};

static void on_start(void *ctx, struct request *r)
{
	struct check *c = ctx;

	c->started++;
	if (r->id != c->started || (r->area == AREA_HTTP && r->method[0] == '\0') || r->t_start > r->t_sent)
		abort();
}

static void on_end(void *ctx, struct request *r)
{
	struct check *c = ctx;

	c->ended++;
	if (c->ended > c->started || r->t_end < r->t_start ||
	    (r->area == AREA_HTTP && r->status && (r->status < 100 || r->status > 999)))
		abort();
}

static void feed(struct model *m, uint64_t *now, struct event e)
{
	e.t0 = ++*now;
	e.t1 = ++*now;
	e.pid = e.tid = 100;
	model_event(m, &e);
}

/* A connection, and on it what a client of the protocol says first. */
static void connection(struct model *m, uint64_t *now, int fd, unsigned int how)
{
	const uint8_t peer[16] = {AF_INET, 0, 0, 80, 127, 0, 0, 1};

	if (how % 3 == 0) {
		feed(m, now, (struct event){.id = WIRE_SOCKET, .fd = fd, .ret = fd, .a0 = (uint64_t)AF_INET << 32 | SOCK_STREAM});
		feed(m, now, (struct event){.id = WIRE_CONNECT, .fd = fd, .data = peer, .data_len = sizeof(peer)});
	} else if (how % 3 == 1) {
		feed(m, now, (struct event){.id = WIRE_ACCEPT, .fd = 3, .ret = fd, .data = peer, .data_len = sizeof(peer)});
	}
	if (sizeof(FUZZ_OPENING) > 1)
		feed(m, now,
		     (struct event){.id = how % 3 == 1 ? WIRE_READ : WIRE_WRITE,
				    .fd = fd,
				    .flags = WIRE_F_SOCKET_CALL,
				    .ret = sizeof(FUZZ_OPENING) - 1,
				    .a0 = 4096,
				    .data = (const uint8_t *)FUZZ_OPENING,
				    .data_len = sizeof(FUZZ_OPENING) - 1});
}

/* A call larger than its record: `n` bytes, a gap, and WIRE_TAIL_BYTES that end in the same. */
static void first_and_last(struct model *m, uint64_t *now, int fd, const uint8_t *from, size_t n)
{
	const size_t len = n + WIRE_TAIL_BYTES;
	uint8_t *const copy = calloc(1, len);

	if (!copy)
		abort();
	memcpy(copy, from, n);
	memcpy(copy + len - n, from, n);
	feed(m, now,
	     (struct event){.id = n % 2 ? WIRE_READ : WIRE_WRITE,
			    .fd = fd,
			    .flags = WIRE_F_SOCKET_CALL | WIRE_F_TAIL,
			    .ret = (int64_t)(len + n * 3 - 3), /* n 1: nothing lies between */
			    .a0 = 16384,
			    .data = copy,
			    .data_len = (uint32_t)len});
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct counters counters = {0};
	struct check check = {0};
	struct model *m = model_new(NULL, &counters);
	struct protocols *p = m ? protocols_new(m, &counters) : NULL;
	uint64_t now = 1000000000;
	int fd = 5;

	if (!p || model_observe(m, &protocols_observer, p) < 0 ||
	    model_observe(m, &(struct observer){.request_start = on_start, .request_end = on_end}, &check) < 0)
		abort();
	connection(m, &now, 5, size ? data[0] : 0);
	connection(m, &now, 6, size ? data[0] / 3U : 0);
	for (size_t at = 1; at < size;) {
		unsigned int op = data[at] & 7;
		size_t n = data[at++] >> 3;
		if (n == 31 && at < size)
			n = 31U + data[at++];
		if (n > size - at)
			n = size - at;
		struct event e = {.id = op == 1 ? WIRE_READ : WIRE_WRITE, .fd = fd, .flags = WIRE_F_SOCKET_CALL, .a0 = 4096};
		switch (op) {
		case 0:
		case 1:
		case 2:
			/* A buffer of its own, so that a byte read past its end is noticed. */
			e.data_len = (uint32_t)n;
			e.ret = (int64_t)n + (op == 2 ? (int64_t)n * 3 + 1 : 0);
			e.id = op == 2 && n % 2 ? WIRE_READ : e.id;
			uint8_t *copy = malloc(n ? n : 1);
			if (!copy)
				abort();
			memcpy(copy, data + at, n);
			e.data = n ? copy : NULL;
			if (e.ret)
				feed(m, &now, e);
			free(copy);
			at += n;
			break;
		case 3:
			feed(m, &now, (struct event){.id = WIRE_LOSS, .fd = -1, .a1 = 1});
			break;
		case 4:
			e.id = WIRE_READ;
			feed(m, &now, e);
			break;
		case 5:
			e.ret = -1;
			e.err = n % 2 ? ECONNRESET : EPIPE;
			feed(m, &now, e);
			break;
		case 6:
			feed(m, &now, (struct event){.id = WIRE_CLOSE, .fd = fd});
			connection(m, &now, fd, (unsigned int)n);
			break;
		default:
			if (n)
				first_and_last(m, &now, fd, data + at, n);
			else
				fd = fd == 5 ? 6 : 5;
			at += n;
			break;
		}
	}
	model_finish(m, now);
	if (check.started != check.ended)
		abort();
	model_free(m);
	protocols_free(p);
	return 0;
}

#endif
