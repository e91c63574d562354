/* The log level of a line: see level.h. */
#include "ingest/level.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define LOOK_BYTES 256U
#define SEVERITY_BITS 7U /* of a syslog priority; the rest is its facility */

static const struct {
	const char *text, *level;
} levels[] = {
	{"TRACE", "TRACE"},  {"DEBUG", "DEBUG"},     {"INFO", "INFO"},         {"NOTICE", "NOTICE"},
	{"WARN", "WARN"},    {"WARNING", "WARN"},    {"ERROR", "ERROR"},       {"ERR", "ERROR"},
	{"SEVERE", "ERROR"}, {"CRIT", "CRITICAL"},   {"CRITICAL", "CRITICAL"}, {"FATAL", "FATAL"},
	{"ALERT", "ALERT"},  {"EMERG", "EMERGENCY"}, {"PANIC", "FATAL"},       {"EMERGENCY", "EMERGENCY"},
};

const char *level_of_priority(uint64_t priority)
{
	static const char *const names[] = {"EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARN", "NOTICE", "INFO", "DEBUG"};

	return priority < sizeof(names) / sizeof(names[0]) ? names[priority] : "";
}

/* In lower case a level is an everyday word: take it only where a log line puts its level. */
static bool in_place(const uint8_t *line, size_t at, size_t end, size_t len)
{
	const bool opened = at > 0 && strchr("[\"'=<(", line[at - 1]) != NULL;
	const bool leads = at == 0 && end < len && line[end] == ':';

	return opened || leads;
}

static bool is_upper(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isupper(text[i]))
			return false;
	return true;
}

/* "<11>" in front of a line: facility and severity, as syslog daemons are told them (RFC 5424, 6.2.1). */
static const char *level_of_pri(const uint8_t *line, size_t len)
{
	uint64_t priority = 0;
	size_t at = 1;

	while (at < len && at < 4 && isdigit(line[at]))
		priority = priority * 10 + (uint64_t)(line[at++] - '0');
	return at > 1 && at < len && line[at] == '>' ? level_of_priority(priority & SEVERITY_BITS) : "";
}

const char *level_of(const uint8_t *line, size_t len)
{
	const size_t look = len < LOOK_BYTES ? len : LOOK_BYTES;

	if (len > 0 && line[0] == '<' && level_of_pri(line, len)[0] != '\0')
		return level_of_pri(line, len);

	for (size_t at = 0; at < look;) {
		size_t end = at;

		/* A word with a digit or an underscore in it is a name, not a level. */
		while (end < look && (isalnum(line[end]) || line[end] == '_'))
			end++;
		for (size_t i = 0; end > at && i < sizeof(levels) / sizeof(levels[0]); i++) {
			if (strlen(levels[i].text) == end - at &&
			    strncasecmp(levels[i].text, (const char *)line + at, end - at) == 0 &&
			    (is_upper(line + at, end - at) || in_place(line, at, end, len)))
				return levels[i].level;
		}
		at = end + 1;
	}
	return "";
}

const char *level_of_fields(const uint8_t *fields, size_t len)
{
	static const char name[] = "PRIORITY=";
	const uint8_t *at = fields, *end = fields + len;

	while (at < end && (at = memmem(at, (size_t)(end - at), name, sizeof(name) - 1)) != NULL) {
		const uint8_t *digit = at + sizeof(name) - 1;

		if ((at == fields || at[-1] == '\n') && digit < end && isdigit(*digit))
			return level_of_priority((uint64_t)(*digit - '0'));
		at = digit;
	}
	return "";
}
