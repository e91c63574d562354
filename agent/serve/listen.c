/*
 * The daemon's listening socket (listen.h).
 */
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64
#define UNIX_PREFIX "unix:"

/* A socket file that refuses connections was left behind by a daemon that is gone. */
static bool is_left_behind(const struct sockaddr_un *a)
{
	struct stat st;
	const int fd = lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	const bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 && errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return refused;
}

static int bind_unix(const char *path, struct listener *l, char *err, size_t err_size)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (!*path || strlen(path) >= sizeof(a.sun_path)) {
		snprintf(err, err_size, "listen: 'unix:%s' is no path of 1 to %zu bytes", path, sizeof(a.sun_path) - 1);
		return -EINVAL;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	if (is_left_behind(&a))
		unlink(path);
	const mode_t old = umask(0117);
	const int r = bind(l->fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(old);
	if (r == 0)
		snprintf(l->path, sizeof(l->path), "%s", path);
	l->local = true;
	return r;
}

static int bind_inet(const char *where, struct listener *l, char *err, size_t err_size)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	const char *colon = strrchr(where, ':');
	char host[64] = "", *end = NULL;
	const size_t len = colon ? (size_t)(colon - where) : 0;
	const unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	const bool six = where[0] == '[' && len > 2 && colon[-1] == ']';

	if (len && len < sizeof(host))
		memcpy(host, where + six, len - 2U * six);
	if (!colon || !colon[1] || *end || port > UINT16_MAX ||
	    (six ? inet_pton(AF_INET6, host, &in6.sin6_addr) : inet_pton(AF_INET, host, &in.sin_addr)) != 1) {
		snprintf(err, err_size, "listen: '%s' is no ADDRESS:PORT, [V6]:PORT or unix:PATH", where);
		return -EINVAL;
	}
	in.sin_port = in6.sin6_port = htons((uint16_t)port);
	l->loopback = six ? IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) : (ntohl(in.sin_addr.s_addr) >> 24) == 127;
	l->fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	return bind(l->fd, six ? (struct sockaddr *)&in6 : (struct sockaddr *)&in, six ? sizeof(in6) : sizeof(in)) < 0 ? -errno : 0;
}

static unsigned int bound_port(int fd)
{
	struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return 0;
	return a.ss_family == AF_INET    ? ntohs(((struct sockaddr_in *)&a)->sin_port)
	       : a.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&a)->sin6_port)
					 : 0;
}

int listener_open(const char *where, struct listener *ret, char *err, size_t err_size)
{
	*ret = (struct listener){.fd = -1};
	err[0] = '\0';

	int e = strncmp(where, UNIX_PREFIX, sizeof(UNIX_PREFIX) - 1) == 0
			? bind_unix(where + sizeof(UNIX_PREFIX) - 1, ret, err, err_size)
			: bind_inet(where, ret, err, err_size);

	if (e == 0 && listen(ret->fd, BACKLOG) < 0)
		e = -errno;
	if (e == 0) {
		ret->port = bound_port(ret->fd);
		return 0;
	}
	if (!*err)
		snprintf(err, err_size, "cannot listen on %s: %s", where, strerror(-e));
	if (ret->fd >= 0)
		close(ret->fd);
	listener_done(ret);
	ret->fd = -1;
	return e;
}

void listener_done(struct listener *l)
{
	if (*l->path)
		unlink(l->path);
	*l->path = '\0';
}
