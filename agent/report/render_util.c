/*
 * What the formats share. Pure functions, any thread.
 */
#include <stdbool.h>

#include "report/render_util.h"

#define EVIDENCE_LIST_MAX 8U /* members of a list that are shown; the JSON report has all */

const char *json_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s != NULL ? s : "";
}

json_int_t json_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void put_value(FILE *out, const json_t *v, bool inner)
{
	const char *key, *comma = "";
	json_t *item;
	size_t i;
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		if (inner && json_object_size(v) == 0) {
			fputs("none", out);
			break;
		}
		fputs(inner ? "(" : "", out);
		json_object_foreach ((json_t *)v, key, item) {
			fprintf(out, "%s%s ", comma, key);
			put_value(out, item, true);
			comma = inner ? ", " : "; ";
		}
		fputs(inner ? ")" : "", out);
		break;
	case JSON_ARRAY:
		fputs(json_array_size(v) == 0 ? "none" : "", out);
		json_array_foreach (v, i, item) {
			if (i == EVIDENCE_LIST_MAX) {
				fprintf(out, " … (%zu)", json_array_size(v));
				break;
			}
			fputs(i > 0 ? ", " : "", out);
			put_value(out, item, true);
		}
		break;
	case JSON_STRING:
		fputs(json_string_value(v), out);
		break;
	case JSON_INTEGER:
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL:
		fprintf(out, "%.4g", json_real_value(v));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		fputs(json_is_true(v) ? "yes" : "no", out);
		break;
	case JSON_NULL:
		fputs("unknown", out);
		break;
	}
}

char *render_evidence(const json_t *evidence)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	if (evidence != NULL)
		put_value(out, evidence, false);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void put_escaped(FILE *out, const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		switch (*c) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t' ? '?' : *c, out);
		}
	}
}
