/* Logging protocols: see carried.h. */
#include "ingest/carried.h"

#include <stdbool.h>
#include <string.h>

#define LENGTH_DIGITS 6U /* of a message's length in front of it (RFC 6587, 3.4.1) */
#define SEEN 1024U       /* of a message by which it is known */
#define PRIORITY_MAX 191 /* 23 * 8 + 7 (RFC 5424, 6.2.1) */
#define FIELD_MAX 64U    /* of the name of a journal's field */

static size_t digits_at(const uint8_t *bytes, size_t len, size_t most)
{
	size_t n = 0;

	while (n < len && n < most && bytes[n] >= '0' && bytes[n] <= '9')
		n++;
	return n;
}

/* What an application says without a time, "<14>paid", as Python's SysLogHandler does; below 8 is the kernel's. */
static bool is_bare(const uint8_t *b, size_t len, size_t priority, size_t text)
{
	int value = 0;

	for (size_t i = text - 1 - priority; i < text - 1; i++)
		value = value * 10 + b[i] - '0';
	return priority > 1 && b[text - 1 - priority] != '0' && value <= PRIORITY_MAX && text < len && b[text] > ' ' &&
	       b[text] < 0x7f && b[text] != '<';
}

/* "<165>1 2026-…" (RFC 5424, 6.2), "<13>Mar  1 …" (RFC 3164, 4.1), a length before either; or no time at all. */
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
	return is_bare(b, len, priority, n);
}

static bool has(const uint8_t *b, size_t len, const char *name)
{
	return memmem(b, len < SEEN ? len : SEEN, name, strlen(name)) != NULL;
}

/* An object with both fields that each GELF message has: docs.graylog.org, GELF payload specification. */
static bool is_gelf(const uint8_t *b, size_t len)
{
	return len > 0 && b[0] == '{' && has(b, len, "\"short_message\"") && has(b, len, "\"version\"");
}

/* A line of JSON for Logstash, Fluent Bit or Vector: Logstash's own field, or a time, a level and a message. */
static bool is_json_line(const uint8_t *b, size_t len)
{
	if (len < 2 || b[0] != '{' || b[1] != '"')
		return false;
	if (has(b, len, "\"@timestamp\""))
		return true;
	return (has(b, len, "\"message\"") || has(b, len, "\"msg\"")) &&
	       (has(b, len, "\"level\"") || has(b, len, "\"levelname\"") || has(b, len, "\"severity\"")) &&
	       (has(b, len, "\"time\"") || has(b, len, "\"timestamp\"") || has(b, len, "\"ts\"") || has(b, len, "\"asctime\""));
}

/* Fields in capitals, one of which is the message: systemd.io/JOURNAL_NATIVE_PROTOCOL. */
static bool is_journal(const uint8_t *b, size_t len)
{
	size_t n = 0;

	while (n < len && n < FIELD_MAX && ((b[n] >= 'A' && b[n] <= 'Z') || b[n] == '_' || (n > 0 && b[n] >= '0' && b[n] <= '9')))
		n++;
	if (n == 0 || n >= len || (b[n] != '=' && b[n] != '\n'))
		return false;
	return (n == 7 && memcmp(b, "MESSAGE", 7) == 0 && has(b, len, "\nPRIORITY=")) || has(b, len, "\nMESSAGE=") ||
	       has(b, len, "\nMESSAGE\n");
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
	if (is_json_line(bytes, len))
		return "json";
	if (is_journal(bytes, len))
		return "journal";
	return is_fluent(bytes, len) ? "fluent" : NULL;
}
