/*
 * The scanner: finds personal data and secrets in text. Used by ingest (log sinks, socket payloads), by the recorder's redaction and by
 * `gapscope scan`. It keeps no value: what leaves it is a span, an entity, a masked sample and a keyed fingerprint.
 */
#ifndef GAPSCOPE_SCAN_SCAN_H
#define GAPSCOPE_SCAN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An entity: ENTITY rows of scan/entities.def. */
struct entity {
	const char *name;  /* "CREDIT_CARD" */
	const char *rule;  /* "data.log.credit_card" */
	int severity;      /* 0 info … 3 critical: enum severity of detectors/detector.h */
	const char *title; /* "card number" */
	const char *doc;
	const char *remedy;
};

/* All entities; ends with name NULL. */
extern const struct entity entity_table[];
/* By name; NULL if unknown. */
const struct entity *entity_find(const char *name);

struct scan_match {
	size_t start, end; /* bytes in the text given; end is exclusive */
	const struct entity *entity;
};

struct scanner;

/* A scanner; `key` (16 bytes) makes fingerprints, NULL = random. NULL when memory is out. One per thread. */
struct scanner *scanner_new(const uint8_t *key);
void scanner_free(struct scanner *s);
typedef void (*scan_fn)(void *ctx, const struct scan_match *m);
/* Scan `len` bytes of text (any bytes, one line or many). fn is called for each match in order of start; matches do not overlap.
 * Time and memory are bounded by len. Returns the number of matches. */
size_t scan_text(struct scanner *s, const uint8_t *text, size_t len, scan_fn fn, void *ctx);
/* The same, whatever a user's rules switch off or allow: for what must not be kept, rather than for what is worth a finding. */
size_t scan_all(struct scanner *s, const uint8_t *text, size_t len, scan_fn fn, void *ctx);
/* Masked sample of a matched value into buf (UTF-8, NUL-terminated): keeps at most what PCI DSS allows of a card (first six, last four),
 * less of everything else. */
void scan_mask(const struct entity *e, const uint8_t *value, size_t len, char *buf, size_t size);
/* Keyed fingerprint of a value: HMAC-SHA-256, first 8 bytes. */
uint64_t scan_fingerprint(const struct scanner *s, const uint8_t *value, size_t len);
/* Overwrite every match in text with '*', in place, keeping its length. Returns the number of matches. */
size_t scan_redact(struct scanner *s, uint8_t *text, size_t len);

/* Do the user's rules let this match of scan_all be told? */
bool scan_told(const struct entity *e, const uint8_t *value, size_t len);

/* Where a value may begin that goes on behind the end of the text, of which not all is known yet; `len` if there is no such place. */
size_t scan_open_end(struct scanner *s, const uint8_t *text, size_t len);

/* Users' rules, for all scanners; before the first one scans. At most SCAN_RULES_MAX of a kind: -ENOSPC.
 * off: an entity is not looked for; -ENOENT if there is none of the name. allow: values that fit a pattern ('*' is any run) are no matches;
 * -EINVAL for one that fits all. own: a word that begins so, with eight characters more and at least fifteen in all, is a CUSTOM_SECRET;
 * -EINVAL for fewer than three characters or others than letters, digits, '_', '-' and '.'. -ENAMETOOLONG for 128 bytes or more. */
#define SCAN_RULES_MAX 64U
int scan_rules_off(const char *entity);
int scan_rules_allow(const char *pattern);
int scan_rules_own(const char *prefix);
void scan_rules_clear(void);

#endif
