/*
 * The demo's HTTP (http.h). No state.
 */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t http_plain_read(void *ctx, int fd, void *buf, size_t len)
{
	(void)ctx;
	return recv(fd, buf, len, 0);
}

/* Length of the whole message, 0 while its head is not complete. */
static size_t whole_length(const struct message *m)
{
	const char *end = strstr(m->text, "\r\n\r\n");

	if (!end)
		return 0;
	const char *length = strstr(m->text, "Content-Length: ");
	size_t body = length && length < end ? strtoul(length + strlen("Content-Length: "), NULL, 10) : 0;
	return (size_t)(end + 4 - m->text) + body;
}

int http_read(int fd, read_fn fn, void *ctx, struct message *ret)
{
	size_t want = 0;

	ret->len = 0;
	ret->text[0] = 0;
	while (want == 0 || ret->len < want) {
		if (ret->len + 1 >= sizeof(ret->text) || want >= sizeof(ret->text))
			return -1;
		ssize_t n = fn(ctx, fd, ret->text + ret->len, sizeof(ret->text) - 1 - ret->len);
		if (n <= 0)
			return -1;
		ret->len += (size_t)n;
		ret->text[ret->len] = 0;
		want = whole_length(ret);
	}
	ret->body = strstr(ret->text, "\r\n\r\n") + 4;
	return 0;
}

int http_status(const struct message *m)
{
	return strncmp(m->text, "HTTP/1.1 ", 9) == 0 ? (int)strtol(m->text + 9, NULL, 10) : 0;
}

void http_field(const char *body, const char *name, char *buf, size_t size)
{
	size_t len = strlen(name);

	buf[0] = 0;
	for (const char *p = body; p && *p; p = strchr(p, '&'), p = p ? p + 1 : NULL) {
		if (strncmp(p, name, len) == 0 && p[len] == '=') {
			snprintf(buf, size, "%.*s", (int)strcspn(p + len + 1, "&"), p + len + 1);
			return;
		}
	}
}

size_t http_response(char *buf, size_t size, int status, const char *text)
{
	const char *reason = status == 200 ? "OK" : status == 503 ? "Service Unavailable" : "Bad Gateway";
	int n = snprintf(buf, size,
			 "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
			 reason, strlen(text), text);

	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

int http_write(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int http_listen(unsigned short *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return -1;
	*ret_port = ntohs(a.sin_port);
	return fd;
}
