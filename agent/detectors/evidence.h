/*
 * Small helpers that all detectors use to say what they saw: times as JSON numbers, call sites as text, option values, hashes.
 */
#ifndef GAPSCOPE_DETECTORS_EVIDENCE_H
#define GAPSCOPE_DETECTORS_EVIDENCE_H

#include "detectors/detector.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define SITE_TEXT_SIZE 256U

/* A number rounded to three decimals, so that the same events give the same text on every machine. New reference. */
json_t *evidence_number(double value);
/* ns as seconds, rounded likewise. New reference. */
json_t *evidence_seconds(uint64_t ns);
/* Seconds of an option as ns. */
uint64_t evidence_option_ns(double seconds);
/* The call site of a stack as text, "unknown" if there is none. Returns buf. */
const char *evidence_site(const struct stacks *s, uint32_t stack, char *buf, size_t size);
/* Hash of a call site: of its function and module (its address where no function is known), as findings tell sites apart. 0 for an
 * unknown one. */
uint64_t evidence_site_hash(const struct stacks *s, uint32_t stack);
/* FNV-1a over bytes, to be chained; start with EVIDENCE_HASH_SEED. */
#define EVIDENCE_HASH_SEED 14695981039346656037ULL
uint64_t evidence_hash(uint64_t seed, const void *bytes, size_t len);
/* A duration for people: "12.4 s", "41 ms". Returns buf. */
const char *evidence_duration(uint64_t ns, char *buf, size_t size);

#endif
