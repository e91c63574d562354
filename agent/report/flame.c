/*
 * See flame.h. The stacks become a tree, whose nodes are drawn as boxes without a script: a browser shows a box's title when pointed at.
 * Boxes too narrow to be seen are left out, and so is what lies deeper than the picture is high.
 */
#include "report/flame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/render_util.h"

#define WIDTH 960.0
#define ROW 17.0
#define LETTER 6.6 /* of the text, about */
#define DEPTH_MAX 48U
#define NARROW 0.4

struct node {
	char name[128];
	int64_t bytes;
	struct node *children, *next;
};

const char *flame_name(const json_t *frame, char *buf, size_t size)
{
	const char *function = json_text(frame, "function");
	if (function[0] != '\0')
		snprintf(buf, size, "%s", function);
	else
		snprintf(buf, size, "%s+0x%llx", json_text(frame, "module"), (unsigned long long)json_number(frame, "offset"));
	return buf;
}

static void node_free(struct node *n)
{
	while (n != NULL) {
		struct node *next = n->next;
		node_free(n->children); /* no deeper than a stack is */
		free(n);
		n = next;
	}
}

static struct node *child_of(struct node *n, const char *name)
{
	struct node **at = &n->children;
	while (*at != NULL && strncmp((*at)->name, name, sizeof(*at)->name - 1) != 0)
		at = &(*at)->next;
	if (*at == NULL && (*at = calloc(1, sizeof **at)) != NULL)
		snprintf((*at)->name, sizeof(*at)->name, "%s", name);
	return *at;
}

static unsigned int add(struct node *root, const json_t *stack, int64_t bytes)
{
	unsigned int depth = 1;
	root->bytes += bytes;
	for (size_t k = json_array_size(stack); k-- > 0 && root != NULL && depth < DEPTH_MAX; depth++) {
		char name[sizeof root->name];
		root = child_of(root, flame_name(json_array_get(stack, k), name, sizeof name));
		if (root != NULL)
			root->bytes += bytes;
	}
	return depth;
}

/* Warm colours, by name, so that a function has the same one everywhere. */
static unsigned int hue(const char *name)
{
	unsigned int h = 0;
	for (; *name != '\0'; name++)
		h = h * 31 + (unsigned char)*name;
	return h % 55;
}

static void draw(const struct node *n, double x, double per_byte, unsigned int level, unsigned int depth, FILE *out)
{
	const double width = (double)n->bytes * per_byte, y = (depth - 1 - level) * ROW;
	const size_t letters = width > 3 * LETTER ? (size_t)(width / LETTER) - 1 : 0;
	char label[sizeof n->name];
	if (width < NARROW)
		return;
	fputs("<g><title>", out);
	put_escaped(out, n->name);
	fprintf(out, ": %.2f MiB</title><rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\" fill=\"hsl(%u 80%% 65%%)\"/>",
		(double)n->bytes / 1048576.0, x, y, width, ROW - 1, hue(n->name));
	snprintf(label, sizeof label, "%.*s", letters < sizeof label ? (int)letters : (int)sizeof label - 1, n->name);
	if (letters > 0) {
		fprintf(out, "<text x=\"%.1f\" y=\"%.0f\">", x + 2, y + ROW - 5);
		put_escaped(out, label);
		fputs("</text>", out);
	}
	fputs("</g>\n", out);
	for (const struct node *c = n->children; c != NULL; c = c->next) {
		draw(c, x, per_byte, level + 1, depth, out);
		x += (double)c->bytes * per_byte;
	}
}

void flame_write(const json_t *heap, const char *value, const char *title, FILE *out)
{
	struct node root = {.name = "all"};
	unsigned int depth = 1;
	const json_t *site;
	size_t i;
	json_array_foreach (json_object_get(heap, "sites"), i, site) {
		const unsigned int deep = add(&root, json_object_get(site, "stack"), json_number(site, value));
		depth = deep > depth ? deep : depth;
	}
	if (root.bytes > 0) {
		fprintf(out,
			"<h2>%s</h2>\n<svg viewBox=\"0 0 %.0f %.0f\" width=\"100%%\" font-family=\"ui-monospace,monospace\" "
			"font-size=\"11\">\n",
			title, WIDTH, depth * ROW);
		draw(&root, 0, WIDTH / (double)root.bytes, 0, depth, out);
		fputs("</svg>\n", out);
	}
	node_free(root.children);
}
