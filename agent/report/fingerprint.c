/*
 * Fingerprints: what makes a finding "the same" in another build, on another host, at another time. So no address, no port, no line
 * number and no process id goes in; rule, function, module, a peer that has a name, and the kind of sink do.
 *
 * Pure functions over the stacks table; the session's thread.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/findings.h"
#include "report/stable_hash.h"

/* Version suffixes of a library ("libpq.so.5.15") differ between hosts, its name does not. */
static void module_stem(const char *module, char *buf, size_t size)
{
	snprintf(buf, size, "%s", module != NULL ? module : "");
	char *so = strstr(buf, ".so");
	if (so != NULL && (so[3] == '.' || so[3] == '\0'))
		so[3] = '\0';
}

/* The host of "payments:443" if it is a name; "" for addresses, which differ from one deployment to the next. */
static void peer_name(const char *peer, char *buf, size_t size)
{
	buf[0] = '\0';
	if (peer == NULL)
		return;
	if (strncmp(peer, "unix:", 5) == 0) {
		snprintf(buf, size, "%s", peer);
		return;
	}
	char host[LIMIT_PEER_TEXT];
	snprintf(host, sizeof host, "%s", peer[0] == '[' ? peer + 1 : peer);
	char *end = peer[0] == '[' ? strchr(host, ']') : strrchr(host, ':');
	struct in6_addr any;
	if (inet_pton(AF_INET6, host, &any) == 1)
		return;
	if (end != NULL)
		*end = '\0';
	if (inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1)
		return;
	snprintf(buf, size, "%s", host);
}

/* Log files are renamed and rotated: only the kind of a sink is stable. */
static const char *sink_kind(const char *sink)
{
	static const char *const kinds[] = {"stdout", "stderr", "syslog", "journal"};
	if (sink == NULL || sink[0] == '\0')
		return "";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(sink, kinds[i]) == 0)
			return kinds[i];
	return "file";
}

void finding_fingerprint(const struct stacks *s, const struct finding *f, char *buf)
{
	const struct frame *site = stacks_site(s, f->stack);
	char module[LIMIT_PEER_TEXT], peer[LIMIT_PEER_TEXT];
	module_stem(site != NULL ? site->module : NULL, module, sizeof module);
	peer_name(f->peer, peer, sizeof peer);

	uint64_t h = hash_text(HASH_START, f->rule->id);
	h = hash_text(h, site != NULL ? site->function : NULL);
	h = hash_text(h, module);
	h = hash_text(h, peer);
	h = hash_text(h, sink_kind(f->sink));
	if (f->path != NULL)
		h = hash_text(h, f->path);
	snprintf(buf, 17, "%016" PRIx64, hash_end(h));
}
