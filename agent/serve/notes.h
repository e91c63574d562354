/*
 * What the endpoints write into the daemon's log. The text is partly the clients': it stays one line of printable characters, and
 * so many lines at a time; the rest is counted.
 *
 * Owner: http.c; one thread.
 */
#ifndef GAPSCOPE_SERVE_NOTES_H
#define GAPSCOPE_SERVE_NOTES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define NOTES_LINES 20U /* in … */
#define NOTES_SPELL_NS 10000000000ULL
#define NOTES_SIZE 256U

struct notes {
	void (*log)(const char *format, ...) __attribute__((format(printf, 1, 2)));
	uint64_t since_ns;
	size_t lines, withheld;
};

void notes_say(struct notes *n, uint64_t now_ns, const char *format, va_list args);
/* Says how many were withheld, once their time is over. */
void notes_tick(struct notes *n, uint64_t now_ns);

#endif
