/*
 * The daemon's HTTP endpoints, over libmicrohttpd: on loopback, on a Unix socket, or elsewhere with a token. Everything a client can do is
 * bounded: connections, header bytes, body bytes, and the time that it may take over a request.
 *
 * Runs on the caller's loop: http_fd says when to call http_run, http_wait_ms how long it may take until then. One thread.
 */
#ifndef GAPSCOPE_SERVE_HTTP_H
#define GAPSCOPE_SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/board.h"
#include "serve/callers.h"

#define HTTP_CONNECTIONS_MAX CALLERS_MAX
#define HTTP_HEADERS_MAX 32768U /* bytes of memory for one connection's headers */
#define HTTP_BODY_MAX 65536U
#define HTTP_IDLE_S 10U /* a client that is silent is closed; one that does not get on with its request, too (callers.h) */

struct http_options {
	const char *listen; /* "127.0.0.1:9465", "[::1]:9465", "unix:/run/gapscope/gapscope.sock" */
	const char *token;  /* or NULL; must be set where `listen` is not loopback and no Unix socket */
	struct board *board;
	struct history *history;                                                    /* or NULL */
	void (*log)(const char *format, ...) __attribute__((format(printf, 1, 2))); /* what was refused */
};

struct http;

/* Listen. 0, or -errno with one line in err. */
int http_open(const struct http_options *o, struct http **ret, char *err, size_t err_size);
void http_close(struct http *h);
int http_fd(const struct http *h);
/* The port listened on, 0 for a Unix socket. */
unsigned int http_port(const struct http *h);
/* Milliseconds until http_run must be called even if the descriptor is silent; -1 = none. */
int http_wait_ms(const struct http *h);
/* Do what there is to do; tells streams of what changed on the board. */
void http_run(struct http *h);

#endif
