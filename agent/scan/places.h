/*
 * Where a look is worth it: bit arithmetic on the classes of four words (256 bytes) at once finds the places where something may begin,
 * by what has to look at them. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_PLACES_H
#define GAPSCOPE_SCAN_PLACES_H

#include "scan/classify.h"

#define PLACES_LANES 4U

/* Bit i of lane l: byte 64 · l + i. */
struct places {
	_Alignas(32) uint64_t tokens[PLACES_LANES]; /* a word of at least 15 characters that tokens are made of, */
	uint64_t made[PLACES_LANES];                /* or one that looks made by a machine: each in one of the two */
	uint64_t keys[PLACES_LANES];                /* what ends a key, */
	uint64_t hopped[PLACES_LANES];              /* of these, the ones with one sign between: "key": */
	uint64_t odd[PLACES_LANES]; /* or one with more between, or after a word with a number at its end: each in one of the two */
	unsigned int rest;          /* which lanes have a place that nobody sifts, of made, odd, pem and rare: one bit each */
	uint64_t pem[PLACES_LANES]; /* five dashes and a capital */
	uint64_t rare[PLACES_LANES];     /* any of the following, which are only filled where there is one in any lane */
	uint64_t groups[PLACES_LANES];   /* a group of digits that a card or a social security number may begin with */
	uint64_t at[PLACES_LANES];       /* '@' */
	uint64_t plus[PLACES_LANES];     /* '+' before a digit */
	uint64_t iban[PLACES_LANES];     /* two capitals and two digits */
	uint64_t codice[PLACES_LANES];   /* six capitals and two digits */
	uint64_t commas[PLACES_LANES];   /* between two arguments in quotes */
	uint64_t options[PLACES_LANES];  /* a dash that begins an option of a command */
	uint64_t telegram[PLACES_LANES]; /* a colon between a digit and a long token */
	uint64_t shapes[PLACES_LANES];   /* a token with a vendor's sign at its place */
	uint64_t written[PLACES_LANES];  /* a character that is written in another way may begin here */
};

/* Places of the four words at [first]; reads one word before and one after them. */
typedef void (*places_fn)(const struct classes *c, size_t first, struct places *ret);
/* The fastest one that this processor has. */
places_fn places_finder(void);
/* Each of them, from 0 on, for the test that compares them: false behind the last one; NULL where this processor cannot. */
bool places_way(unsigned int i, places_fn *ret);

#endif
