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
	{"TRACE", "TRACE"},         {"DEBUG", "DEBUG"}, {"INFO", "INFO"},   {"NOTICE", "NOTICE"},   {"WARN", "WARN"},
	{"WARNING", "WARN"},        {"ERROR", "ERROR"}, {"ERR", "ERROR"},   {"SEVERE", "ERROR"},    {"CRIT", "CRITICAL"},
	{"CRITICAL", "CRITICAL"},   {"FATAL", "FATAL"}, {"ALERT", "ALERT"}, {"EMERG", "EMERGENCY"}, {"PANIC", "FATAL"},
	{"EMERGENCY", "EMERGENCY"}, {"TRC", "TRACE"},   {"DBG", "DEBUG"},   {"INF", "INFO"},        {"WRN", "WARN"},
	{"FTL", "FATAL"},
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

/* "W1122 15:04:05.1": the letter and the day, as glog and klog begin a line. */
static const char *level_of_day(const uint8_t *line, size_t len)
{
	if (len < 8 || line[5] != ' ')
		return "";
	for (size_t i = 1; i < 8; i++)
		if (i != 5 && !isdigit(line[i]))
			return "";
	return line[0] == 'I' ? "INFO" : line[0] == 'W' ? "WARN" : line[0] == 'E' ? "ERROR" : line[0] == 'F' ? "FATAL" : "";
}

/* "level":40, as pino and bunyan number them: the word "level" ends at `end`. */
static const char *level_of_number(const uint8_t *line, size_t end, size_t len)
{
	static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};

	if (end + 4 > len || line[end] != '"' || line[end + 1] != ':' || line[end + 2] < '1' || line[end + 2] > '6' ||
	    line[end + 3] != '0' || (end + 4 < len && isdigit(line[end + 4])))
		return "";
	return names[line[end + 2] - '1'];
}

/* Behind what sets a colour on a terminal, such as ESC [ 31 m; `at` itself where there is none. */
static size_t behind_colour(const uint8_t *line, size_t at, size_t len)
{
	size_t end = at + 2;

	if (end > len || line[at] != 0x1b || line[at + 1] != '[')
		return at;
	while (end < len && (isdigit(line[end]) || line[end] == ';'))
		end++;
	return end < len && line[end] == 'm' ? end + 1 : at;
}

const char *level_of(const uint8_t *line, size_t len)
{
	const size_t look = len < LOOK_BYTES ? len : LOOK_BYTES;

	if (len > 0 && line[0] == '<' && level_of_pri(line, len)[0] != '\0')
		return level_of_pri(line, len);
	if (level_of_day(line, look)[0] != '\0')
		return level_of_day(line, look);

	for (size_t at = 0; at < look;) {
		/* a word that has a colour of its own stands out, as a level does */
		const size_t word = behind_colour(line, at, look);
		const bool coloured = word > at;
		size_t end = word;

		/* A word with a digit or an underscore in it is a name, not a level. */
		while (end < look && (isalnum(line[end]) || line[end] == '_'))
			end++;
		for (size_t i = 0; end > word && i < sizeof(levels) / sizeof(levels[0]); i++) {
			if (strlen(levels[i].text) == end - word &&
			    strncasecmp(levels[i].text, (const char *)line + word, end - word) == 0 &&
			    (is_upper(line + word, end - word) || coloured || in_place(line, word, end, len)))
				return levels[i].level;
		}
		if (end - word == 5 && memcmp(line + word, "level", 5) == 0 && level_of_number(line, end, len)[0] != '\0')
			return level_of_number(line, end, len);
		/* at a colour's beginning the next look is at it, unless nothing was passed */
		at = end > at && end < look && line[end] == 0x1b ? end : end + 1;
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
