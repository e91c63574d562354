/*
 * The memory of a report as folded stacks, "main;work;malloc 4096" a line: what flame graph tools read. Bytes in use; where nothing is, bytes
 * allocated. Nothing where allocations were not watched. The caller's thread.
 */
#include "report/flame.h"
#include "report/render.h"
#include "report/render_util.h"

static void folded_write(const json_t *report, FILE *out, bool colour)
{
	const json_t *heap = json_object_get(report, "heap"), *sites = json_object_get(heap, "sites"), *site;
	const char *value = json_number(json_object_get(heap, "heap"), "live_bytes") > 0 ? "live_bytes" : "alloc_bytes";
	size_t i;
	(void)colour;
	json_array_foreach (sites, i, site) {
		const json_t *stack = json_object_get(site, "stack");
		const json_int_t bytes = json_number(site, value);
		if (bytes <= 0 || json_array_size(stack) == 0)
			continue;
		for (size_t k = json_array_size(stack); k-- > 0;) {
			char name[256];
			flame_name(json_array_get(stack, k), name, sizeof name);
			for (char *p = name; *p != '\0'; p++)
				*p = *p == ';' || *p == ' ' ? '_' : *p;
			fprintf(out, "%s%c", name, k > 0 ? ';' : ' ');
		}
		fprintf(out, "%" JSON_INTEGER_FORMAT "\n", bytes);
	}
}

const struct report_format report_format_folded = {
	.name = "folded",
	.doc = "memory in use by call stack, a line each: for flame graph tools",
	.write = folded_write,
};
