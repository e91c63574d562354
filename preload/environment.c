/*
 * See environment.h. LD_PRELOAD is joined, never replaced. On the thread that calls exec, also in a vfork child.
 */
#include "preload/environment.h"

#include "preload/shim.h"

#define PRELOAD "LD_PRELOAD="
#define SESSION WIRE_ENV_SESSION "="

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Is the library one of the words of an LD_PRELOAD value? Words end at a colon or a space. */
static bool lists(const char *value, const char *library)
{
	const size_t len = strlen(library);

	for (const char *p = strstr(value, library); p; p = strstr(p + 1, library)) {
		const bool begins = p == value || p[-1] == ':' || p[-1] == ' ';

		if (begins && (p[len] == '\0' || p[len] == ':' || p[len] == ' '))
			return true;
	}
	return false;
}

struct environment_need environment_check(char *const env[])
{
	struct environment_need need = {0};
	const char *const library = session_library();
	bool has_preload = false;
	bool has_session = false;

	if (!shim.mapped || !library[0] || !session_path()[0] || !env)
		return need;
	while (env[need.count] && need.count <= ENVIRONMENT_MAX)
		need.count++;
	if (need.count > ENVIRONMENT_MAX)
		return need;
	need.preload_index = need.count;
	need.session_index = need.count;
	/* The loader heeds the last LD_PRELOAD, getenv the first GAPSCOPE_SESSION. */
	for (size_t i = 0; i < need.count; i++) {
		if (starts(env[i], PRELOAD)) {
			need.preload_index = i;
			has_preload = lists(env[i] + strlen(PRELOAD), library);
		} else if (starts(env[i], SESSION) && !has_session) {
			need.session_index = i;
			has_session = env[i][strlen(SESSION)] != '\0';
		}
	}
	if (has_preload && has_session)
		return need;
	need.bytes = (need.count + 3) * sizeof(char *) + strlen(PRELOAD) + strlen(library) + strlen(SESSION) +
		     strlen(session_path()) + 3;
	if (need.preload_index < need.count)
		need.bytes += strlen(env[need.preload_index]);
	return need;
}

static char *join(char *to, const char *text)
{
	const size_t len = strlen(text);

	memcpy(to, text, len + 1);
	return to + len;
}

char **environment_extend(char *const env[], const struct environment_need *need, void *memory)
{
	char **const list = memory;
	char *text = (char *)memory + (need->count + 3) * sizeof(char *);
	size_t count = need->count;
	const bool old = need->preload_index < need->count && env[need->preload_index][strlen(PRELOAD)];

	memcpy(list, env, need->count * sizeof(char *));
	if (!old || !lists(env[need->preload_index] + strlen(PRELOAD), session_library())) {
		char *end = join(text, old ? env[need->preload_index] : PRELOAD);

		if (old)
			end = join(end, ":");
		end = join(end, session_library());
		list[need->preload_index] = text;
		if (need->preload_index == count)
			count++;
		text = end + 1;
	}
	if (need->session_index == need->count || !env[need->session_index][strlen(SESSION)]) {
		(void)join(join(text, SESSION), session_path());
		list[need->session_index < need->count ? need->session_index : count] = text;
		if (need->session_index == need->count)
			count++;
	}
	list[count] = NULL;
	return list;
}
