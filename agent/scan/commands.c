/*
 * Passwords among the commands of protocols, as clients log and send them: AUTH of SMTP and Redis, PASS of FTP and POP3, LOGIN of IMAP. What
 * follows such a word in a sentence ("AUTH failed") is none, so the form of a command has to be there: base64 with its NULs, RESP's
 * length, quotes around each word, or a line that a dialog's sign or CR LF tells from prose.
 */
#include <string.h>

#include "scan/encoding.h"
#include "scan/validators.h"

#define VALUE_MAX 128U
#define CREDENTIALS_MAX 512U
#define CREDENTIALS_MIN 8U

/* One word of a command's line, without its quotes. */
static size_t word_at(const struct text *t, size_t at, struct span *ret)
{
	uint8_t quote = is_quote(text_at(t, at)) ? t->bytes[at] : 0;
	size_t from = at + (quote != 0), i = from;
	while (i < t->len && i - from < VALUE_MAX &&
	       (quote != 0 ? t->bytes[i] != quote && t->bytes[i] != '\n' : !is_blank(t->bytes[i])))
		i++;
	*ret = (struct span){from, i};
	return i + (quote != 0 && text_at(t, i) == quote);
}

/* The last of the `min` to `max` words that are all that is left of the line. *ret_crlf: does it end as lines of protocols do? */
static bool last_word(const struct text *t, size_t at, size_t min, size_t max, struct span *ret, bool *ret_crlf)
{
	size_t n = 0, i = at;
	while (n <= max) {
		while (text_at(t, i) == ' ')
			i++;
		if (i >= t->len || t->bytes[i] == '\n' || t->bytes[i] == '\r')
			break;
		i = word_at(t, i, ret);
		n++;
	}
	*ret_crlf = text_at(t, i) == '\r' && text_at(t, i + 1) == '\n';
	return n >= min && n <= max;
}

/* Where the line of the word at `word` begins, and whether it is said by one side of a dialog: "C: PASS …", "> PASS …". */
static bool in_dialog(const struct text *t, size_t word, bool *ret_first)
{
	size_t i = word;
	*ret_first = i == 0 || t->bytes[i - 1] == '\n';
	while (i > 0 && t->bytes[i - 1] == ' ')
		i--;
	return i < word && i > 0 &&
	       (t->bytes[i - 1] == '>' || t->bytes[i - 1] == '<' || (t->bytes[i - 1] == ':' && text_at(t, i - 2) == 'C'));
}

/* A word with letters and something else in it, which no word of a sentence is. */
static bool looks_chosen(const struct text *t, const struct span *s)
{
	size_t letters = 0, digits = 0, n = s->end - s->start;
	for (size_t i = s->start; i < s->end; i++) {
		letters += is_alpha(t->bytes[i]);
		digits += is_digit(t->bytes[i]);
		if (t->bytes[i] == '/' || t->bytes[i] == '(' || t->bytes[i] == '=')
			return false;
	}
	return n >= 6 && letters > 0 && letters < n && digits > 0 && !is_placeholder(t->bytes + s->start, n);
}

/* SMTP's and IMAP's AUTH PLAIN: base64 of "identity NUL user NUL password". */
static bool plain_at(const struct text *t, size_t at, struct span *ret)
{
	uint8_t text[CREDENTIALS_MAX];
	size_t end = word_at(t, at, ret);
	size_t n =
		end - at >= CREDENTIALS_MIN ? base64_decode(t->bytes + ret->start, ret->end - ret->start, text, sizeof(text)) : 0;
	const uint8_t *user = n > 0 ? memchr(text, 0, n) : NULL;
	const uint8_t *password = user != NULL ? memchr(user + 1, 0, n - (size_t)(user + 1 - text)) : NULL;
	bool found =
		password != NULL && password + 1 < text + n && !is_placeholder(password + 1, (size_t)(text + n - password - 1));
	explicit_bzero(text, sizeof(text));
	return found;
}

/* "AUTH\r\n$9\r\npassword\r\n", and with a user before: what Redis is sent. */
static bool resp_at(const struct text *t, size_t at, struct span *ret)
{
	bool found = false;
	for (unsigned int arguments = 0; arguments < 2 && text_is(t, at, "\r\n$"); arguments++) {
		size_t n = 0, i = at + 3;
		while (is_digit(text_at(t, i)) && n < VALUE_MAX)
			n = n * 10 + (size_t)(t->bytes[i++] - '0');
		if (n == 0 || n > VALUE_MAX || !text_is(t, i, "\r\n") || t->len - i < n + 2)
			break;
		*ret = (struct span){i + 2, i + 2 + n};
		at = ret->end;
		found = true;
	}
	return found;
}

static bool auth_at(const struct text *t, size_t word, size_t sep, struct span *ret)
{
	size_t at = sep;
	bool crlf, first, dialog = in_dialog(t, word, &first);
	if (text_at(t, sep) == '\r')
		return resp_at(t, sep, ret);
	while (text_at(t, at) == ' ')
		at++;
	if (text_is(t, at, "plain "))
		return plain_at(t, at + 6, ret);
	if (text_is(t, at, "login ") || text_is(t, at, "cram-") || text_is(t, at, "xoauth"))
		return false;
	return (first || dialog) && last_word(t, at, 1, 2, ret, &crlf) && (crlf || looks_chosen(t, ret)) &&
	       ret->end >= ret->start + 4 && !is_placeholder(t->bytes + ret->start, ret->end - ret->start);
}

static bool pass_at(const struct text *t, size_t word, size_t sep, struct span *ret)
{
	bool crlf, first, dialog = in_dialog(t, word, &first);
	return (first || dialog) && last_word(t, sep, 1, 1, ret, &crlf) && ret->end >= ret->start + 4 &&
	       ((first && crlf) || (dialog && looks_chosen(t, ret)));
}

/* "a1 LOGIN user password" of IMAP: a tag before it, nothing behind. */
static bool login_at(const struct text *t, size_t word, size_t sep, struct span *ret)
{
	size_t tag = word - (word > 0);
	bool crlf;
	while (tag > 0 && word - tag < 8 && (is_alnum(t->bytes[tag - 1]) || t->bytes[tag - 1] == '.'))
		tag--;
	bool tagged = tag + 1 < word && text_at(t, word - 1) == ' ' &&
		      (is_digit(t->bytes[word - 2]) || t->bytes[word - 2] == '.') && (tag == 0 || is_blank(t->bytes[tag - 1]));
	return tagged && last_word(t, sep, 2, 2, ret, &crlf) && (crlf || looks_chosen(t, ret)) && ret->end >= ret->start + 4;
}

/* "AUTH" "user" "password", as MONITOR of Redis writes it. */
static bool quoted_words_at(const struct text *t, size_t quote, struct span *ret)
{
	bool crlf;
	return last_word(t, quote + 1, 1, 2, ret, &crlf) && is_quote(text_at(t, ret->end)) && ret->end >= ret->start + 4 &&
	       !is_placeholder(t->bytes + ret->start, ret->end - ret->start);
}

bool command_at(const struct text *t, size_t sep, struct matches *m)
{
	struct span span;
	bool found = false, quoted = is_quote(text_at(t, sep));
	size_t word = sep;
	while (word > 0 && is_alpha(t->bytes[word - 1]) && sep - word < 12)
		word--;
	size_t n = sep - word;
	bool capital = is_upper(text_at(t, word)) && is_upper(text_at(t, sep - 1));
	if (quoted)
		found = text_at(t, word - 1) == t->bytes[sep] &&
			(text_is(t, word, "auth\"") || text_is(t, word, "requirepass\"") || text_is(t, word, "masterauth\"")) &&
			quoted_words_at(t, sep, &span);
	else if (capital && n == 4 && text_is(t, word, "auth"))
		found = auth_at(t, word, sep, &span);
	else if (capital && n == 4 && text_is(t, word, "pass"))
		found = pass_at(t, word, sep, &span);
	else if (n == 5 && text_is(t, word, "login"))
		found = login_at(t, word, sep, &span);
	return found && matches_add(m, span.start, span.end, ENTITY_PASSWORD);
}
