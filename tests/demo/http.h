/*
 * As much HTTP/1.1 as the demo needs: whole messages with a Content-Length, one a connection. Reading is the caller's function, so that
 * the careless shop and its careful twin differ in how they wait and in nothing else.
 */
#ifndef DEMO_HTTP_H
#define DEMO_HTTP_H

#include <stddef.h>
#include <sys/types.h>

#define MESSAGE_MAX 1024

struct message {
	char text[MESSAGE_MAX]; /* head and body, NUL-terminated */
	size_t len;
	const char *body; /* in text */
};

/* Like read(): ≥ 1 bytes, 0 at the end, -1 on error or when the caller's patience is over. */
typedef ssize_t (*read_fn)(void *ctx, int fd, void *buf, size_t len);

/* Read one message. 0, or -1 where it is cut off, too long, or read failed. */
int http_read(int fd, read_fn fn, void *ctx, struct message *ret);
/* Status of a response, 0 if it is none. */
int http_status(const struct message *m);
/* Value of `name=` in a body like "item=tea&count=2" into buf; "" if it is not there. */
void http_field(const char *body, const char *name, char *buf, size_t size);
/* A response with a text into buf. Its length. */
size_t http_response(char *buf, size_t size, int status, const char *text);
/* read() as it is. */
ssize_t http_plain_read(void *ctx, int fd, void *buf, size_t len);
/* Write all. 0 or -1. */
int http_write(int fd, const char *text, size_t len);
/* A listener on a free port of the loopback, *ret_port. -1 on failure. */
int http_listen(unsigned short *ret_port);

#endif
