/*
 * Lines for the daemon's log (notes.h).
 */
#include "serve/notes.h"

#include <stdio.h>
#include <string.h>

/* A line feed would begin a line of the client's own, an escape paint the terminal of who reads the log. */
static void make_plain(char *text)
{
	size_t len = strlen(text);

	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		text[--len] = '\0';
	for (unsigned char *c = (unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c >= 0x7f)
			*c = '?';
}

void notes_tick(struct notes *n, uint64_t now_ns)
{
	if (n->lines && now_ns < n->since_ns + NOTES_SPELL_NS)
		return;
	if (n->withheld)
		n->log("http: %zu more lines withheld", n->withheld);
	n->lines = n->withheld = 0;
}

void notes_say(struct notes *n, uint64_t now_ns, const char *format, va_list args)
{
	char line[NOTES_SIZE];

	notes_tick(n, now_ns);
	if (n->lines == 0)
		n->since_ns = now_ns;
	if (n->lines == NOTES_LINES) {
		n->withheld++;
		return;
	}
	n->lines++;
	vsnprintf(line, sizeof(line), format, args);
	make_plain(line);
	n->log("http: %s", line);
}
