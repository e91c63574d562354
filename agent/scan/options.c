/*
 * Passwords among the options of a command that was logged: curl -u user:password, sshpass -p …, mysql -p…, anything --password ….
 */
#include <string.h>

#include "scan/encoding.h"
#include "scan/validators.h"

#define LINE_MAX 400U /* bytes between a program's name and its option */
#define VALUE_MAX 128U

enum form {
	VALUE, /* the password, a blank before it */
	GLUED, /* the password, nothing before it */
	PAIR,  /* user:password */
};

static const struct option {
	const char *program; /* NULL: any */
	const char *option;
	enum form form;
} options[] = {
	{NULL, "-password ", VALUE},
	{NULL, "--password ", VALUE},
	{NULL, "--passwd ", VALUE},
	{NULL, "--http-password ", VALUE},
	{"curl", "-u ", PAIR},
	{"curl", "-U ", PAIR},
	{"curl", "-u", PAIR},
	{"curl", "--user ", PAIR},
	{"curl", "--proxy-user ", PAIR},
	{"sshpass", "-p ", VALUE},
	{"sshpass", "-p", GLUED},
	{"mysql", "-p", GLUED},
	{"mysqldump", "-p", GLUED},
	{"mysqladmin", "-p", GLUED},
	{"mariadb", "-p", GLUED},
	{"psexec", "-p ", VALUE},
	{"psexec.exe", "-p ", VALUE},
	{"redis-cli", "-a ", VALUE},
	{"docker", "-p ", VALUE},
	{"ldapsearch", "-w ", VALUE},
	{"smbclient", "-U ", PAIR},
};

/* Does the program's name stand before `at` on this line? */
static bool run_by(const struct text *t, size_t at, const char *program)
{
	size_t n = strlen(program), low = at > LINE_MAX ? at - LINE_MAX : 0;
	for (size_t i = at; i > low && t->bytes[i - 1] != '\n'; i--) {
		if (lower(text_at(t, i - 1)) == (uint8_t)program[0] && text_is(t, i - 1, program) && !is_alnum(text_at(t, i - 2)) &&
		    text_at(t, i - 1 + n) == ' ')
			return true;
	}
	return false;
}

static size_t value_end(const struct text *t, size_t at, uint8_t quote)
{
	size_t i = at;
	while (i < t->len && i - at < VALUE_MAX) {
		uint8_t c = t->bytes[i];
		if (quote != 0 ? c == quote || c == '\n'
			       : is_blank(c) || is_quote(c) || c == ',' || c == ';' || c == '|' || c == '>')
			break;
		i++;
	}
	return i;
}

static bool holds(const struct text *t, size_t at, size_t end)
{
	const uint8_t *v = t->bytes + at;
	return end >= at + 4 && v[0] != '$' && v[0] != '%' && v[0] != '-' && v[0] != '<' && v[0] != '{' &&
	       !is_placeholder(v, end - at);
}

static bool pair_holds(const struct text *t, size_t at, size_t end, bool quoted, struct span *ret)
{
	const uint8_t *colon = memchr(t->bytes + at, ':', end - at);
	if (colon == NULL)
		return false;
	size_t divider = (size_t)(colon - t->bytes), from = divider + 1;
	/* kevin:'…' */
	if (from == end && !quoted && is_quote(text_at(t, from))) {
		from++;
		end = value_end(t, from, t->bytes[from - 1]);
	}
	/* a key in the user's place, with no password */
	if (from == end) {
		from = at;
		end = divider;
	}
	size_t user = divider - at;
	if (!holds(t, from, end) || (user == end - from && from > at && memcmp(t->bytes + at, t->bytes + from, user) == 0))
		return false;
	*ret = (struct span){from, end};
	return true;
}

/* Most dashes begin something else: the first letters of the table's options, and of the ones of two dashes or of a word. */
static bool may_be_option(const struct text *t, size_t dash)
{
	uint8_t first = text_at(t, dash + 1);
	switch (first == '-' ? lower(text_at(t, dash + 2)) : lower(first)) {
	case 'p':
	case 'u':
	case 'h':
		return true;
	case 'a':
	case 'w':
		return text_at(t, dash + 2) == ' ';
	default:
		return false;
	}
}

bool option_at(const struct text *t, size_t dash, struct span *ret)
{
	if (!may_be_option(t, dash))
		return false;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		const struct option *o = &options[i];
		size_t n = strlen(o->option), at = dash + n;
		bool named = o->program == NULL ? text_is(t, dash, o->option)
						: t->len - dash >= n && memcmp(t->bytes + dash, o->option, n) == 0;
		if (!named || (o->program != NULL && !run_by(t, dash, o->program)))
			continue;
		if (o->form == GLUED && is_blank(text_at(t, at)))
			continue;
		while (text_at(t, at) == ' ')
			at++;
		uint8_t quote = is_quote(text_at(t, at)) ? t->bytes[at++] : 0;
		size_t end = value_end(t, at, quote);
		if (o->form == PAIR)
			return pair_holds(t, at, end, quote != 0, ret);
		*ret = (struct span){at, end};
		return holds(t, at, end);
	}
	return false;
}
