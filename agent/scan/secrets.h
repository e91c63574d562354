/*
 * Values of keys that name a secret: what counts as one and where it ends. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_SECRETS_H
#define GAPSCOPE_SCAN_SECRETS_H

#include "scan/text.h"

/* The value at `at` of a key whose separator is at `sep`: a password, if it is not a mask, a template or the start of a sentence. */
bool password_at(const struct text *t, size_t sep, size_t at, struct span *ret);
/* One that stands in a row of words, of which the next may be no value but a name: letters, and digits or signs among them. */
bool chosen_password_at(const struct text *t, size_t at, struct span *ret);
/* A token or key: random enough. */
bool secret_at(const struct text *t, size_t at, struct span *ret);
/* One of 12 to 15 characters, which has to look more so. */
bool short_secret_at(const struct text *t, size_t at, struct span *ret);
/* One of letters alone, which no word has. */
bool letters_secret_at(const struct text *t, size_t at, struct span *ret);
/* One that a dash joins to its name: a UUID, or random without a break, to the end of the word. */
bool joined_secret_at(const struct text *t, size_t at, struct span *ret);
/* One in quotes that has signs of all classes in it. */
bool quoted_secret_at(const struct text *t, size_t at, struct span *ret);
/* Is the secret in `span`, which stands after its name and a blank, sure to be none of the words of a sentence? Hexadecimal digits alone
 * count with `hex`. */
bool token_in_prose(const struct text *t, const struct span *span, bool hex);
/* A token of decimal digits alone, longer than any id or time. */
bool long_number_at(const struct text *t, size_t at, struct span *ret);
bool session_at(const struct text *t, size_t at, struct span *ret);
bool aws_secret_at(const struct text *t, size_t at, struct span *ret);
bool azure_storage_at(const struct text *t, size_t at, struct span *ret);

/* accounts.c: "login USER password VALUE" of a netrc, with the blank at `sep` and the value at `at`. */
bool netrc_at(const struct text *t, size_t sep, size_t at, struct span *ret);
/* The last field of a line of a .pgpass, whose port stands from `port` to `colon`. */
bool pgpass_at(const struct text *t, size_t port, size_t colon, struct span *ret);
/* accounts.c: a password's hash, as crypt(3) writes it, in which a word begins at `at`. */
bool crypt_hash_at(const struct text *t, size_t at, struct span *ret);

#endif
