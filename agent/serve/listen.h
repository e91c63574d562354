/*
 * Where the daemon listens: "ADDRESS:PORT", "[V6]:PORT" or "unix:PATH".
 */
#ifndef GAPSCOPE_SERVE_LISTEN_H
#define GAPSCOPE_SERVE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

struct listener {
	int fd;
	bool local; /* a Unix socket: who connects is known */
	bool loopback;
	unsigned int port;
	char path[108]; /* of the Unix socket, to be removed; "" otherwise */
};

/* Bind and listen. A Unix socket that nobody listens on any more is replaced. 0, or -errno with one line in err. */
int listener_open(const char *where, struct listener *ret, char *err, size_t err_size);
/* Remove the Unix socket's file. The descriptor is closed by who took it over. */
void listener_done(struct listener *l);

#endif
