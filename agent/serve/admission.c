/*
 * Who may ask (admission.h).
 */
#include "serve/admission.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define BEARER "Bearer "

/* In a time that depends on the length of what was given only. */
static bool same_secret(const char *given, const char *token)
{
	const size_t n = strlen(given), m = strlen(token);
	unsigned int differs = n != m;

	for (size_t i = 0; i < n; i++)
		differs |= (unsigned int)(given[i] ^ token[m ? i % m : 0]);
	return differs == 0;
}

static bool has_token(const struct admission *a)
{
	return a->authorization && strncmp(a->authorization, BEARER, sizeof(BEARER) - 1) == 0 &&
	       same_secret(a->authorization + sizeof(BEARER) - 1, a->token);
}

/* A web page elsewhere can make a browser ask us under its own name (DNS rebinding): the name that was asked for must be this machine's. */
static bool names_this_machine(const char *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; host && i < sizeof(names) / sizeof(*names); i++) {
		const size_t len = strlen(names[i]);

		if (strncmp(host, names[i], len) == 0 && (host[len] == '\0' || host[len] == ':'))
			return true;
	}
	return false;
}

/* Browsers say which page asks; only our own may. */
static bool is_our_page(const struct admission *a)
{
	static const char http[] = "http://";

	return !a->origin ||
	       (a->host && strncmp(a->origin, http, sizeof(http) - 1) == 0 && strcmp(a->origin + sizeof(http) - 1, a->host) == 0);
}

const char *admission_refuses(const struct admission *a, bool open, unsigned int *ret_status)
{
	*ret_status = 403;
	if (!is_our_page(a))
		return "asked by another site's page";
	if (a->local)
		return a->uid == 0 || a->uid == geteuid() ? NULL : "another user's request";
	if (!a->token)
		return names_this_machine(a->host) ? NULL : "asked for under a name that is not this machine's";
	if (open || has_token(a))
		return NULL;
	*ret_status = 401;
	return a->authorization ? "a wrong token" : "no token";
}
