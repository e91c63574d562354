/*
 * Putting attributes together. See attrs.h.
 */
#include "report/attrs.h"

#include <string.h>

#include "report/text.h"

void attrs_text(struct attrs *a, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0' || a->n == a->max || a->size - a->used < 2)
		return;
	char *copy = a->text + a->used;
	text_clean(value, copy, a->size - a->used);
	a->used += strlen(copy) + 1;
	a->list[a->n++] = (struct attr){.key = key, .type = ATTR_STRING, .s = copy};
}

void attrs_int(struct attrs *a, const char *key, int64_t value)
{
	if (a->n < a->max)
		a->list[a->n++] = (struct attr){.key = key, .type = ATTR_INT, .i = value};
}
