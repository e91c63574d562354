/*
 * Flags from tables: one row a flag gives its parsing, its help line, its place in the manual and (for `run`) its key in the
 * configuration file.
 */
#ifndef GAPSCOPE_COMMANDS_FLAGS_H
#define GAPSCOPE_COMMANDS_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAG_TIME_MAX (30U * 86400U * 1000U) /* ms that a FLAG_TIME can have: a month */
#define FLAG_LIST_MAX 16U                    /* times that a repeatable flag may be given */

enum flag_kind {
	FLAG_SWITCH, /* bool */
	FLAG_TEXT,   /* const char * */
	FLAG_COUNT,  /* uint32_t, min … max */
	FLAG_TIME,   /* uint32_t, milliseconds: a number with ms, s (or nothing), m or h */
	FLAG_LIST,   /* struct flag_list: repeatable text */
};

struct flag_list {
	const char *items[FLAG_LIST_MAX];
	size_t n;
};

struct flag {
	const char *name; /* without dashes */
	enum flag_kind kind;
	size_t offset;   /* of its member in the struct that the table fills */
	const char *arg; /* name of its value in help, "FILE"; NULL for switches */
	const char *doc;
	uint32_t min, max;          /* of a FLAG_COUNT or, in milliseconds, a FLAG_TIME */
	const char *const *choices; /* of a FLAG_TEXT: allowed words, ends with NULL; or NULL */
};

/*
 * Parse argv[1…] into `out`. Stops at `--` or at the first word that is no flag. Texts point into argv. Returns the index of the first
 * operand (behind `--`), or -EINVAL with one line in err that says what to do.
 */
int flags_parse(const struct flag *table, int argc, char **argv, void *out, char *err, size_t err_size);
/* Puts flags (up to a `--`) before operands, each in their order: for commands whose operands are files, not another command's words. */
void flags_first(const struct flag *table, int argc, char **argv);
/* Set one flag from text, as the command line and the configuration file do. 0 or -EINVAL with a line in err. */
int flag_set(const struct flag *f, const char *value, void *out, char *err, size_t err_size);
const struct flag *flag_find(const struct flag *table, const char *name, size_t len);

#endif
