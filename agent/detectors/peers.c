/*
 * What counts as a dependency, and which requests are answered late by design. Pure functions.
 */
#include "detectors/peers.h"

#include <string.h>
#include <strings.h>

/* Daemons of the system: reached by libc, systemd or a logger, not by the service's own logic. */
static const char *const system_sockets[] = {
	"/run/systemd/", "/run/dbus/", "/run/user/",       "/run/nscd/",    "/run/avahi",     "/run/uuidd/",
	"/dev/log",      "/run/udev",  "/run/log/journal", "/var/lib/sss/", "/tmp/.X11-unix",
};

static bool is_system_socket(const char *peer)
{
	const char *path = strncmp(peer, "unix:", 5) ? peer : peer + 5;

	if (!strncmp(path, "/var/run/", 9))
		path += 4;
	for (size_t i = 0; i < sizeof system_sockets / sizeof *system_sockets; i++) {
		if (!strncmp(path, system_sockets[i], strlen(system_sockets[i])))
			return true;
	}
	return false;
}

bool peer_is_dependency(const struct conn *c)
{
	if (c->role != CONN_CLIENT || !c->peer[0])
		return false;
	if (c->kind == CONN_TCP)
		return true;
	return c->kind == CONN_UNIX && strlen(c->peer) > strlen("unix:") && !is_system_socket(c->peer);
}

/* Commands as Redis's protocol writes them: "$9\r\nSUBSCRIBE\r\n". */
static const char *const waiting_commands[] = {
	"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH",
	"BZPOPMIN",  "BZPOPMAX",   "BLMPOP",     "BZMPOP",  "BLOCK", "PSYNC", "WAIT",
};

static bool is_waiting_command(const uint8_t *word, size_t len)
{
	for (size_t i = 0; i < sizeof waiting_commands / sizeof *waiting_commands; i++) {
		if (len == strlen(waiting_commands[i]) && !strncasecmp((const char *)word, waiting_commands[i], len))
			return true;
	}
	return false;
}

static bool redis_waits(const uint8_t *bytes, size_t len)
{
	size_t word = 0;

	if (len < 4 || bytes[0] != '*')
		return false;
	for (size_t i = 0; i + 1 < len; i++) {
		if (bytes[i] != '\r' || bytes[i + 1] != '\n')
			continue;
		if (is_waiting_command(bytes + word, i - word))
			return true;
		word = i + 2;
	}
	return false;
}

/* PostgreSQL's LISTEN, as a simple query ('Q', a length, the text) or prepared ('P', a length, a name, the text). */
static bool postgres_listens(const uint8_t *bytes, size_t len)
{
	size_t at = 5;

	if (len < 12 || (bytes[0] != 'Q' && bytes[0] != 'P') || bytes[1])
		return false;
	while (bytes[0] == 'P' && at < len && bytes[at])
		at++;
	at += bytes[0] == 'P';
	return at + 7 <= len && !strncasecmp((const char *)bytes + at, "LISTEN ", 7);
}

/* PostgreSQL's CancelRequest, all of a connection of its own: nothing is answered. */
static bool postgres_cancels(const uint8_t *bytes, size_t len)
{
	static const uint8_t head[] = {0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e};

	return len >= sizeof head && !memcmp(bytes, head, sizeof head);
}

bool peer_waits_by_design(const uint8_t *bytes, size_t len)
{
	return bytes && (redis_waits(bytes, len) || postgres_listens(bytes, len) || postgres_cancels(bytes, len));
}
