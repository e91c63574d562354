/*
 * Where a value stands that a key names: languages, serialisers and frameworks write more between the two than a sign. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_CARRIER_H
#define GAPSCOPE_SCAN_CARRIER_H

#include "scan/text.h"

/* Where the value after `sep` begins: blanks, quotes, brackets, arrows and what wraps a value are skipped. SIZE_MAX for two quotes with nothing
 * between. */
size_t value_start(const struct text *t, size_t sep);
/* Does the key that begins at `name` end an element, as in </password>? Then *ret_open is the '>' before its text if the tag that opens it has
 * attributes: <Password Type="…">. SIZE_MAX if not, for then the key stood there too. */
bool element_closes(const struct text *t, size_t name, size_t *ret_open);
/* A key and its value in brackets of their own, ("key", "value") or [["key", "value"]]: `open` is the bracket, `comma` stands between. */
bool pair_at(const struct text *t, size_t open, size_t comma);

#endif
