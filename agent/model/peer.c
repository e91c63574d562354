/*
 * The text of a peer: "name:port" where this process tree learnt the address from the resolver, else "addr:port"; "unix:/path".
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "model/private.h"

static void inet_peer(struct model *m, struct connx *c, const struct proc *p, const uint8_t addr[16], uint16_t port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];
	/* The caller of a server is told apart by address: its name in some lookup means nothing. */
	const char *name = c->pub.role == CONN_SERVER ? NULL : resolve_name(m, p->tree, addr);

	if (name)
		snprintf(c->pub.peer, sizeof(c->pub.peer), "%.*s:%u", (int)sizeof(c->pub.peer) - 8, name, port);
	else if (memcmp(addr, mapped, sizeof(mapped)) == 0 && inet_ntop(AF_INET, addr + 12, text, sizeof(text)))
		snprintf(c->pub.peer, sizeof(c->pub.peer), "%s:%u", text, port);
	else if (inet_ntop(AF_INET6, addr, text, sizeof(text)))
		snprintf(c->pub.peer, sizeof(c->pub.peer), "[%s]:%u", text, port);
}

static void unix_peer(struct connx *c, const struct sockaddr_un *sun, size_t len)
{
	size_t n = len > offsetof(struct sockaddr_un, sun_path) ? len - offsetof(struct sockaddr_un, sun_path) : 0;

	if (n == 0)
		return;
	if (sun->sun_path[0] != '\0') {
		snprintf(c->pub.peer, sizeof(c->pub.peer), "unix:%.*s", (int)n, sun->sun_path);
		return;
	}
	int at = snprintf(c->pub.peer, sizeof(c->pub.peer), "unix:@");
	for (size_t i = 1; i < n; i++)
		c->pub.peer[at++] = sun->sun_path[i] > 32 && sun->sun_path[i] < 127 ? sun->sun_path[i] : '?';
	c->pub.peer[at] = '\0';
}

void peer_set(struct model *m, struct connx *c, const struct proc *p, const uint8_t *addr, size_t len)
{
	struct sockaddr_storage ss = {0};
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};

	if (!addr || len < sizeof(sa_family_t))
		return;
	if (len > sizeof(ss))
		len = sizeof(ss);
	memcpy(&ss, addr, len);
	c->pub.peer_addr = ss;
	c->pub.peer[0] = '\0';
	if (ss.ss_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;
		memcpy(&in, &ss, sizeof(in));
		memcpy(bytes + 12, &in.sin_addr, 4);
		inet_peer(m, c, p, bytes, ntohs(in.sin_port));
	} else if (ss.ss_family == AF_INET6 && len >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		struct sockaddr_in6 in6;
		memcpy(&in6, &ss, sizeof(in6));
		memcpy(bytes, &in6.sin6_addr, 16);
		inet_peer(m, c, p, bytes, ntohs(in6.sin6_port));
	} else if (ss.ss_family == AF_UNIX) {
		struct sockaddr_un sun;
		memcpy(&sun, &ss, sizeof(sun));
		unix_peer(c, &sun, len < sizeof(sun) ? len : sizeof(sun));
	}
}
