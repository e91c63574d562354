/*
 * Interned text over uthash: one node a string, the text behind the node.
 */
#include "core/strings.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"

struct string_node {
	UT_hash_handle hh;
	size_t len;
	char text[];
};

struct strings {
	struct string_node *nodes;
	size_t bytes;
};

struct strings *strings_new(void)
{
	return calloc(1, sizeof(struct strings));
}

void strings_free(struct strings *s)
{
	struct string_node *n, *next;

	if (!s)
		return;
	HASH_ITER (hh, s->nodes, n, next) {
		HASH_DEL(s->nodes, n);
		free(n);
	}
	free(s);
}

const char *strings_add(struct strings *s, const char *text)
{
	struct string_node *n;
	size_t len;

	if (!text)
		return NULL;
	len = strlen(text);
	HASH_FIND(hh, s->nodes, text, len, n);
	if (n)
		return n->text;
	if (s->bytes + len + 1 > LIMIT_STRINGS_BYTES)
		return NULL;
	n = malloc(sizeof(*n) + len + 1);
	if (!n)
		return NULL;
	memcpy(n->text, text, len + 1);
	n->len = len;
	HASH_ADD_KEYPTR(hh, s->nodes, n->text, len, n);
	s->bytes += len + 1;
	return n->text;
}
