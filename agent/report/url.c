/*
 * What of a URL may leave the agent. Pure functions, any thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/url.h"

#define REDACTED "REDACTED"

static size_t append(char *buf, size_t size, size_t used, const char *text, size_t len)
{
	size_t room = size - used - 1;
	size_t n = len < room ? len : room;
	memcpy(buf + used, text, n);
	buf[used + n] = '\0';
	return used + n;
}

const char *url_query(const char *raw, char *buf, size_t size)
{
	size_t used = 0;
	buf[0] = '\0';
	for (const char *part = raw; *part != '\0';) {
		size_t len = strcspn(part, "&;");
		size_t name = strcspn(part, "=&;");
		if (name < len)
			used = append(buf, size, used, part, name + 1);
		if (len > 0)
			used = append(buf, size, used, REDACTED, sizeof REDACTED - 1);
		if (part[len] != '\0')
			used = append(buf, size, used, part + len++, 1);
		part += len;
	}
	return buf;
}

const char *url_path(const char *path)
{
	const char *scheme = strstr(path, "://");
	if (path[0] == '/' || scheme == NULL)
		return path;
	const char *rest = strchr(scheme + 3, '/');
	return rest != NULL ? rest : "/";
}

const char *url_scheme(bool tls)
{
	return tls ? "https" : "http";
}

const char *url_full(const char *scheme, const char *authority, const char *path, const char *query, char *buf, size_t size)
{
	const char *absolute = strstr(path, "://");
	size_t used = 0;
	buf[0] = '\0';
	if (path[0] != '/' && absolute != NULL) {
		const char *host = absolute + 3;
		size_t host_len = strcspn(host, "/");
		const char *at = memrchr(host, '@', host_len);
		used = append(buf, size, used, path, (size_t)(host - path));
		if (at != NULL) {
			host_len -= (size_t)(at + 1 - host);
			host = at + 1;
		}
		used = append(buf, size, used, host, host_len);
	} else {
		used = append(buf, size, used, scheme, strlen(scheme));
		used = append(buf, size, used, "://", 3);
		used = append(buf, size, used, authority, strlen(authority));
	}
	const char *rest = url_path(path);
	used = append(buf, size, used, rest, strlen(rest));
	if (query[0] != '\0') {
		used = append(buf, size, used, "?", 1);
		url_query(query, buf + used, size - used);
	}
	return buf;
}

const char *url_host(const char *authority, char *buf, size_t size, unsigned int *ret_port)
{
	*ret_port = 0;
	const char *at = strrchr(authority, '@');
	const char *host = at != NULL ? at + 1 : authority;
	const char *end = host + strlen(host);
	const char *colon = strrchr(host, ':');
	if (host[0] == '[') {
		const char *close = strchr(host, ']');
		host++;
		end = close != NULL ? close : end;
		colon = close != NULL && close[1] == ':' ? close + 1 : NULL;
	} else if (colon != NULL && strchr(host, ':') != colon) {
		colon = NULL; /* an IPv6 address without brackets */
	}
	if (colon != NULL) {
		unsigned long port = strtoul(colon + 1, NULL, 10);
		*ret_port = port <= 65535 ? (unsigned int)port : 0;
		end = end > colon ? colon : end;
	}
	snprintf(buf, size, "%.*s", (int)(end - host), host);
	return buf;
}
