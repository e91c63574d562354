/*
 * Who may ask (admission.h).
 */
#include "serve/admission.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define BEARER "Bearer "
#define BASIC "Basic "
#define BASIC_MAX 512U /* bytes of "user:token" */

/* In a time that depends on the length of what was given only. */
static bool same_secret(const char *given, const char *token)
{
	const size_t n = strlen(given), m = strlen(token);
	unsigned int differs = n != m;

	for (size_t i = 0; i < n; i++)
		differs |= (unsigned int)(given[i] ^ token[m ? i % m : 0]);
	return differs == 0;
}

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* RFC 7617: base64 of "user:password". The password; NULL if it is none. */
static const char *password_of(const char *credentials, char text[BASIC_MAX])
{
	uint32_t bits = 0;
	size_t n = 0, held = 0;

	for (const char *c = credentials; *c && *c != '='; c++) {
		const int value = base64_value(*c);

		if (value < 0 || n == BASIC_MAX - 1)
			return NULL;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			text[n++] = (char)(bits >> held & 0xff);
		}
	}
	text[n] = '\0';
	const char *colon = strchr(text, ':');

	return colon ? colon + 1 : NULL;
}

/* As a bearer, or, for clients that can be given nothing but a URL (Flagger's webhooks), as the password in it, whatever the user's name. */
static bool has_token(const struct admission *a)
{
	char text[BASIC_MAX];

	if (!a->authorization)
		return false;
	if (strncmp(a->authorization, BEARER, sizeof(BEARER) - 1) == 0)
		return same_secret(a->authorization + sizeof(BEARER) - 1, a->token);
	if (strncmp(a->authorization, BASIC, sizeof(BASIC) - 1) != 0)
		return false;
	const char *password = password_of(a->authorization + sizeof(BASIC) - 1, text);

	return password && same_secret(password, a->token);
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
