/* Logging protocols: see carried.h. */
#include "ingest/carried.h"

#include <stdbool.h>
#include <string.h>

#define LENGTH_DIGITS 6U /* of a message's length in front of it (RFC 6587, 3.4.1) */
#define GELF_SEEN 512U

static size_t digits_at(const uint8_t *bytes, size_t len, size_t most)
{
	size_t n = 0;

	while (n < len && n < most && bytes[n] >= '0' && bytes[n] <= '9')
		n++;
	return n;
}

/* "<165>1 2026-…" (RFC 5424, 6.2), "<13>Mar  1 …" (RFC 3164, 4.1), a length before either. */
static bool is_syslog(const uint8_t *b, size_t len)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	size_t n = digits_at(b, len, LENGTH_DIGITS), priority;

	if (n > 0 && (n + 1 >= len || b[n] != ' '))
		return false;
	n += n > 0 ? 1 : 0;
	if (n >= len || b[n++] != '<')
		return false;
	priority = digits_at(b + n, len - n, 3);
	n += priority;
	if (priority == 0 || n + 5 > len || b[n] != '>')
		return false;
	n++;
	if (b[n] == '1' && b[n + 1] == ' ')
		return b[n + 2] == '-' || (b[n + 2] >= '0' && b[n + 2] <= '9');
	for (size_t i = 0; i + 3 < sizeof(months); i += 3) {
		if (memcmp(b + n, months + i, 3) == 0)
			return b[n + 3] == ' ';
	}
	return false;
}

/* An object with both fields that each GELF message has: docs.graylog.org, GELF payload specification. */
static bool is_gelf(const uint8_t *b, size_t len)
{
	const size_t seen = len < GELF_SEEN ? len : GELF_SEEN;

	return len > 0 && b[0] == '{' && memmem(b, seen, "\"short_message\"", 15) != NULL &&
	       memmem(b, seen, "\"version\"", 9) != NULL;
}

/* MessagePack: an array of two to four, a tag in letters and dots, then a time or the entries (Fluentd's forward protocol, version 1). */
static bool is_fluent(const uint8_t *b, size_t len)
{
	size_t at = 2, n;

	if (len < 8 || b[0] < 0x92 || b[0] > 0x94)
		return false;
	if (b[1] >= 0xa1 && b[1] <= 0xbf)
		n = b[1] & 0x1fU;
	else if (b[1] == 0xd9)
		n = b[at++];
	else
		return false;
	if (n == 0 || at + n >= len)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (b[i] <= ' ' || b[i] >= 0x7f)
			return false;
	}
	/* an EventTime, a number, an array of entries, or these packed */
	const uint8_t next = b[at + n];
	return next == 0xd7 || next == 0xce || next == 0xcf || next == 0xc7 || (next >= 0x90 && next <= 0x9f) || next == 0xdc ||
	       next == 0xdd || (next >= 0xc4 && next <= 0xc6) || (next >= 0xd9 && next <= 0xdb);
}

const char *carried_by(const uint8_t *bytes, size_t len)
{
	if (is_syslog(bytes, len))
		return "syslog";
	if (is_gelf(bytes, len))
		return "gelf";
	return is_fluent(bytes, len) ? "fluent" : NULL;
}
