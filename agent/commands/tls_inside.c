/* See tls_inside.h. */
#include "commands/tls_inside.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "attach/maps.h"
#include "commands/target.h"
#include "commands/tls_sites.h"

static const char *const texts[] = {
	[TLS_WAY_NONE] = "no shared OpenSSL or GnuTLS is loaded: if it speaks TLS by a library inside of itself, its waits and "
			 "deadlines are "
			 "seen, and no requests",
	[TLS_WAY_SHARED] = "calls OpenSSL or GnuTLS as a shared library: requests inside of TLS are seen",
	[TLS_WAY_GO] = "a Go program: requests inside of Go's own TLS are seen by probes in the kernel (eBPF), with CAP_BPF and "
		       "CAP_PERFMON",
	[TLS_WAY_PART] = "OpenSSL is a part of the program: requests inside of TLS are seen by probes in the kernel (eBPF), with "
			 "CAP_BPF and "
			 "CAP_PERFMON, on connections that begin under watch",
	[TLS_WAY_UNSEEN] =
		"requests inside of Java's own TLS (JSSE) are not seen: the machine compiles and moves its code while it runs, so "
		"that no place is safe for a probe; its waits and deadlines are seen",
};

struct found {
	bool shared, jvm;
};

static bool note(void *ctx, const struct mapping *m)
{
	struct found *found = ctx;
	const char *name = maps_base(m->path);

	found->shared |= strncmp(name, "libssl", 6) == 0 || strncmp(name, "libgnutls.", 10) == 0;
	found->jvm |= strncmp(name, "libjvm.", 7) == 0;
	return found->shared;
}

int tls_inside(pid_t pid, enum tls_way *ret, const char **ret_text)
{
	struct tls_site sites[TLS_SITES_MAX];
	struct target t = {.kind = TARGET_OTHER};
	struct found found = {0};
	const char *why = NULL;
	char exe[64], err[256];
	int e = maps_walk(pid, note, &found);

	if (e < 0)
		return e;
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	*ret = TLS_WAY_NONE;
	if (found.shared)
		*ret = TLS_WAY_SHARED;
	else if (target_find(exe, &t, err, sizeof(err)) == 0 && t.kind == TARGET_GO)
		*ret = TLS_WAY_GO;
	else if (found.jvm)
		*ret = TLS_WAY_UNSEEN;
	else if ((e = tls_sites_find(exe, sites, &why)) != 0)
		*ret = e > 0 ? TLS_WAY_PART : TLS_WAY_UNSEEN;
	*ret_text = e < 0 ? why : texts[*ret];
	return 0;
}
