/*
 * Who takes too long over a request (callers.h).
 */
#include "serve/callers.h"

#include <sys/socket.h>

static void set_asks(struct callers *c, struct caller *who, bool asks)
{
	c->asking += (size_t)asks - (size_t)who->asks;
	who->asks = asks;
}

struct caller *callers_enter(struct callers *c, int fd, uint64_t now_ns)
{
	for (size_t i = 0; i < CALLERS_MAX; i++) {
		struct caller *who = &c->place[i];

		if (who->fd)
			continue;
		*who = (struct caller){.fd = fd, .since_ns = now_ns};
		set_asks(c, who, true);
		return who;
	}
	return NULL;
}

void callers_asked(struct callers *c, struct caller *who)
{
	if (who)
		set_asks(c, who, false);
}

void callers_answered(struct callers *c, struct caller *who, uint64_t now_ns)
{
	if (!who)
		return;
	set_asks(c, who, true);
	who->since_ns = now_ns;
}

void callers_leave(struct callers *c, struct caller *who)
{
	if (!who)
		return;
	set_asks(c, who, false);
	who->fd = 0;
}

size_t callers_hurry(struct callers *c, uint64_t now_ns)
{
	const uint64_t patience_ns = (c->asking > CALLERS_CROWD ? CALLERS_CROWDED_MS : CALLERS_PATIENCE_MS) * 1000000ULL;
	size_t n = 0;

	for (size_t i = 0; i < CALLERS_MAX; i++) {
		struct caller *who = &c->place[i];

		if (!who->fd || !who->asks || now_ns < who->since_ns + patience_ns)
			continue;
		/* The descriptor is libmicrohttpd's, which sees the end and closes it. */
		shutdown(who->fd, SHUT_RDWR);
		who->since_ns = now_ns;
		n++;
	}
	return n;
}
