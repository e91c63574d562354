/*
 * Stack traces: see stack_text.h. Every kind of frame or title has a colon at a certain place, so only colons are looked at.
 */
#include "detectors/stack_text.h"

#include <ctype.h>
#include <string.h>

#define FRAMES_MAX 200U /* counted */
#define LINE_BACK 160U  /* bytes of a line in front of a frame's file that are looked at */
#define AFTER_TITLE 600U

struct piece {
	const uint8_t *bytes;
	size_t len;
};

/* Inlined, so that a constant's length is one, and no function is called to compare a few bytes at each colon. */
__attribute__((always_inline)) static inline bool ends(const struct piece *p, size_t at, const char *with)
{
	const size_t n = strlen(with);

	return at >= n && memcmp(p->bytes + at - n, with, n) == 0;
}

__attribute__((always_inline)) static inline bool begins(const struct piece *p, size_t at, const char *with)
{
	const size_t n = strlen(with);

	return at + n <= p->len && memcmp(p->bytes + at, with, n) == 0;
}

static size_t skip_digits(const struct piece *p, size_t at)
{
	while (at < p->len && isdigit(p->bytes[at]))
		at++;
	return at;
}

static void frame(struct stack_text *s, enum stack_language l)
{
	s->framed = true;
	if (s->frames[l] < FRAMES_MAX)
		s->frames[l]++;
}

/* Does "at " come before this place, on its line? */
static bool after_at(const struct piece *p, size_t at)
{
	const size_t stop = at > LINE_BACK ? at - LINE_BACK : 0;

	for (; at > stop && p->bytes[at - 1] != '\n'; at--) {
		if (ends(p, at, "at ") &&
		    (at == 3 || !isalpha(p->bytes[at - 4]) || ends(p, at - 3, "\\n") || ends(p, at - 3, "\\t")))
			return true;
	}
	return false;
}

/* "Shop.java:12)", "app.js:10:5", "main.go:12", "app.rb:3:in `pay'", "x.php:7": a colon behind a file's name. */
static void at_file(struct stack_text *s, const struct piece *p, size_t colon)
{
	static const struct {
		const char *extension;
		enum stack_language language;
	} kinds[] = {
		{".java", STACK_JAVA}, {".kt", STACK_JAVA},  {".scala", STACK_JAVA}, {".groovy", STACK_JAVA}, {".js", STACK_NODE},
		{".mjs", STACK_NODE},  {".cjs", STACK_NODE}, {".ts", STACK_NODE},    {".go", STACK_GO},       {".rb", STACK_RUBY},
		{".erb", STACK_RUBY},  {".ru", STACK_RUBY},  {".php", STACK_PHP},
	};
	const size_t end = skip_digits(p, colon + 1);
	enum stack_language l = STACK_LANGUAGES;

	for (size_t i = 0; l == STACK_LANGUAGES && i < sizeof kinds / sizeof *kinds; i++) {
		if (ends(p, colon, kinds[i].extension))
			l = kinds[i].language;
	}
	if (l == STACK_LANGUAGES)
		return;
	const bool in_column = begins(p, end, ":") && end + 1 < p->len && isdigit(p->bytes[end + 1]);

	if (l == STACK_GO || l == STACK_PHP || (l == STACK_JAVA && begins(p, end, ")")) ||
	    (l == STACK_NODE && in_column && after_at(p, colon)) || (l == STACK_RUBY && begins(p, end, ":in ")))
		frame(s, l);
}

/* Frames of Python, behind its title: .py", line 12 with the quote as text, JSON or HTML have it. */
static void python_frames(struct stack_text *s, const struct piece *p, size_t at)
{
	const uint8_t *file;

	while (at < p->len && (file = memmem(p->bytes + at, p->len - at, ", line ", 7)) != NULL) {
		const size_t comma = (size_t)(file - p->bytes);

		if (begins(p, comma + 7, "<") || (comma + 7 < p->len && isdigit(p->bytes[comma + 7])))
			frame(s, STACK_PYTHON);
		at = comma + 7;
	}
}

/* "at Shop.Orders.Pay(Int32 id)" behind an exception's name: .NET without files, Java without lines. */
static bool is_call(const struct piece *p, size_t at)
{
	size_t dots = 0;

	while (at < p->len && (isalnum(p->bytes[at]) || strchr("._$<>`[]+/", p->bytes[at]) != NULL)) {
		if (p->bytes[at] == '\0')
			return false;
		dots += p->bytes[at++] == '.';
	}
	return dots > 0 && begins(p, at, "(");
}

static void calls_after(struct stack_text *s, const struct piece *p, size_t from)
{
	const size_t end = p->len - from < AFTER_TITLE ? p->len : from + AFTER_TITLE;
	const uint8_t *found;

	for (size_t at = from; at < end && (found = memmem(p->bytes + at, end - at, "at ", 3)) != NULL;) {
		at = (size_t)(found - p->bytes) + 3;
		/* a line of its own: blanks before it, or what stands for them */
		if (at > 4 && strchr(" \tnt;>", p->bytes[at - 4]) != NULL && is_call(p, at))
			frame(s, STACK_DOTNET);
	}
}

/* "goroutine 17 [running]:", the colon behind the bracket. */
static bool is_goroutine(const struct piece *p, size_t colon)
{
	size_t at = colon - 1;

	while (at > 0 && colon - at < 60 && p->bytes[at] != '[')
		at--;
	if (at < 2 || p->bytes[at - 1] != ' ' || !isdigit(p->bytes[at - 2]))
		return false;
	for (at--; at > 0 && isdigit(p->bytes[at - 1]); at--)
		;
	return ends(p, at, "goroutine ");
}

/* "#0 /srv/shop.php(12): pay()" */
static bool is_php_call(const struct piece *p, size_t colon)
{
	size_t at = colon - 1;

	while (at > 0 && isdigit(p->bytes[at - 1]))
		at--;
	return at + 1 < colon && at > 0 && ends(p, at - 1, ".php") && p->bytes[at - 1] == '(';
}

/* As isdigit and isalpha, without a call for each colon. */
static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void at_colon(struct stack_text *s, const struct piece *p, size_t colon)
{
	const uint8_t before = p->bytes[colon - 1];
	const uint8_t after = colon + 1 < p->len ? p->bytes[colon + 1] : '\n';

	if (is_digit(after) && is_letter(before)) {
		at_file(s, p, colon);
	} else if (before == ')') {
		if (ends(p, colon, "Traceback (most recent call last)")) {
			s->titles[STACK_PYTHON] = true;
			python_frames(s, p, colon);
		} else if (is_php_call(p, colon)) {
			frame(s, STACK_PHP);
			s->titles[STACK_PHP] = true;
		}
	} else if (before == ']' && is_goroutine(p, colon)) {
		s->titles[STACK_GO] = true;
	} else if (before == 's' && after == 'l' && ends(p, colon, ".cs") && begins(p, colon, ":line ")) {
		frame(s, STACK_DOTNET);
		s->titles[STACK_DOTNET] = true;
	} else if (before == 'e' && ends(p, colon, "Stack trace")) {
		s->titles[STACK_PHP] = true;
	} else if (before == '"' && (ends(p, colon, ".php\",\"line\"") || ends(p, colon, ".php\", \"line\""))) {
		frame(s, STACK_PHP);
		s->titles[STACK_PHP] = s->frames[STACK_PHP] > 1;
	} else if ((before == 'n' && ends(p, colon, "Exception")) || (before == 'r' && ends(p, colon, "Error"))) {
		s->exception = true;
		if (!s->frames[STACK_DOTNET])
			calls_after(s, p, colon);
	}
}

void stack_text_add(struct stack_text *s, const uint8_t *bytes, size_t len)
{
	const struct piece p = {.bytes = bytes, .len = len};
	const uint8_t *at = bytes, *end = bytes + len;

	while (at < end && (at = memchr(at, ':', (size_t)(end - at))) != NULL) {
		if (at > bytes)
			at_colon(s, &p, (size_t)(at - bytes));
		at++;
	}
}

const char *stack_text_language(const struct stack_text *s)
{
	static const char *const names[] = {
		[STACK_JAVA] = "Java", [STACK_PYTHON] = "Python", [STACK_GO] = "Go",       [STACK_NODE] = "JavaScript",
		[STACK_PHP] = "PHP",   [STACK_RUBY] = "Ruby",     [STACK_DOTNET] = ".NET",
	};
	/* Frames that are needed with a title of their own or an exception's name, and without; 0: never without. */
	static const struct {
		uint8_t with, without;
		bool exception;
	} needs[] = {
		[STACK_JAVA] = {1, 2, true},   [STACK_PYTHON] = {1, 0, false}, [STACK_GO] = {1, 0, false},
		[STACK_NODE] = {1, 2, true},   [STACK_PHP] = {1, 0, false},    [STACK_RUBY] = {1, 1, false},
		[STACK_DOTNET] = {2, 0, true},
	};

	for (size_t l = 0; s->framed && l < STACK_LANGUAGES; l++) {
		const bool titled = s->titles[l] || (needs[l].exception && s->exception);

		if ((titled && s->frames[l] >= (s->titles[l] ? 1 : needs[l].with)) ||
		    (needs[l].without && s->frames[l] >= needs[l].without))
			return names[l];
	}
	return NULL;
}
