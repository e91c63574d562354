/*
 * Finds the shim and builds the environment of the watched program. Main thread; keeps nothing.
 */
#include "commands/shim.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/shared.h"

#define PRELOAD "LD_PRELOAD="
#define SESSION WIRE_ENV_SESSION "="

static int check(const char *path, char *err, size_t err_size)
{
	if (access(path, R_OK) < 0) {
		snprintf(err, err_size, "%s: cannot read the shim: %s; check " SHIM_ENV, path, strerror(errno));
		return -ENOENT;
	}
	/* LD_PRELOAD has no way to quote these. */
	if (strpbrk(path, " :\t\n")) {
		snprintf(err, err_size, "%s: the shim's path holds a space or a colon, which LD_PRELOAD cannot express; move it",
			 path);
		return -EINVAL;
	}
	return 0;
}

int shim_find(char *path, size_t size, char *err, size_t err_size)
{
	/* Beside us, in the build tree, installed. */
	static const char *const places[] = {"", "preload/", "../lib/gapscope/"};
	const char *named = getenv(SHIM_ENV);
	char self[PATH_MAX], tried[PATH_MAX], real[PATH_MAX];

	if (named && *named) {
		if (!realpath(named, real)) {
			snprintf(err, err_size, "%s: cannot read the shim: %s; check " SHIM_ENV, named, strerror(errno));
			return -ENOENT;
		}
		snprintf(path, size, "%s", real);
		return check(path, err, err_size);
	}
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0) {
		snprintf(err, err_size, "cannot read /proc/self/exe (is /proc mounted?); set " SHIM_ENV);
		return -ENOENT;
	}
	self[n] = 0;
	int dir = (int)(strrchr(self, '/') - self);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int len = snprintf(tried, sizeof(tried), "%.*s/%s" SHIM_NAME, dir, self, places[i]);
		if (len > 0 && (size_t)len < sizeof(tried) && realpath(tried, real)) {
			snprintf(path, size, "%s", real);
			return check(path, err, err_size);
		}
	}
	snprintf(err, err_size, SHIM_NAME " is neither beside gapscope nor in ../lib/gapscope; install it, or set " SHIM_ENV);
	return -ENOENT;
}

/* "LD_PRELOAD=…" with the shim joined at the end, unless it stands there already. */
static char *join_preload(const char *old, const char *shim)
{
	char *joined = NULL;
	size_t len = strlen(shim);

	for (const char *p = old; *p;) {
		size_t n = strcspn(p, " :");
		if (n == len && memcmp(p, shim, n) == 0)
			return asprintf(&joined, PRELOAD "%s", old) < 0 ? NULL : joined;
		p += n + (p[n] != 0);
	}
	return asprintf(&joined, PRELOAD "%s%s%s", old, *old ? ":" : "", shim) < 0 ? NULL : joined;
}

char **shim_env(char *const *env, const char *shim, const char *session)
{
	const char *old = "";
	size_t n = 0, out = 0;

	while (env[n])
		n++;
	char **copy = calloc(n + 3, sizeof(*copy));
	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(env[i], PRELOAD, strlen(PRELOAD)) == 0) {
			old = env[i] + strlen(PRELOAD);
			continue;
		}
		if (strncmp(env[i], SESSION, strlen(SESSION)) == 0)
			continue;
		copy[out] = strdup(env[i]);
		if (!copy[out++])
			goto nomem;
	}
	copy[out] = join_preload(old, shim);
	if (!copy[out++])
		goto nomem;
	if (asprintf(&copy[out], SESSION "%s", session) < 0) {
		copy[out] = NULL;
		goto nomem;
	}
	return copy;
nomem:
	shim_env_free(copy);
	return NULL;
}

void shim_env_free(char **env)
{
	if (!env)
		return;
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
	free(env);
}
