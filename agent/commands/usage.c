/*
 * Help texts from the command table (usage.h). Main thread; keeps nothing.
 */
#include "commands/usage.h"

#include <string.h>

#define WIDTH 100
#define NAME_COLUMNS 10 /* the longest command's */
#define USAGE_COLUMNS 26

void usage_wrap(FILE *out, int indent, const char *text)
{
	while (*text) {
		/* An empty line separates paragraphs. */
		size_t paragraph = strcspn(text, "\n");
		const char *end = text + paragraph;
		int column = 0;
		while (text < end) {
			text += strspn(text, " ");
			size_t word = strcspn(text, " \n");
			if (word == 0)
				break;
			if (column && column + 1 + (int)word > WIDTH - indent) {
				fputc('\n', out);
				column = 0;
			}
			column += fprintf(out, "%*s%.*s", column ? 1 : indent, "", (int)word, text) - (column ? 0 : indent);
			text += word;
		}
		fputc('\n', out);
		text = end + (*end == '\n');
	}
}

/* Blanks that fill a text up to `width` columns: printf counts bytes, and "…" is three of them. */
static int padding(const char *text, int width)
{
	for (; *text && width > 0; text++)
		width -= ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* A usage that is longer than its column leaves the next line to the text. */
static void command_line(FILE *out, const struct command *c)
{
	const int missing = padding(c->usage, USAGE_COLUMNS + 1);

	fprintf(out, "  gapscope %-*s %s", NAME_COLUMNS, c->name, c->usage);
	if (missing == 0)
		fprintf(out, "\n%*s", (int)strlen("  gapscope  ") + NAME_COLUMNS + USAGE_COLUMNS, "");
	fprintf(out, "%*s %s\n", missing > 0 ? missing - 1 : 0, "", c->doc);
}

void usage_all(FILE *out)
{
	fputs("gapscope finds, by watching a service run, what stands between \"it works\" and \"it is ready for production\":\n"
	      "waits without a deadline, retries without a bound, personal data and secrets in logs.\n\nusage:\n",
	      out);
	for (const struct command *const *c = command_table; *c; c++)
		command_line(out, *c);
	fputs("\n`gapscope help COMMAND` explains one of them; `gapscope man` is the manual page.\n", out);
}

static void flag_line(FILE *out, const struct flag *f)
{
	char head[64];

	snprintf(head, sizeof(head), "--%s%s%s", f->name, f->arg ? " " : "", f->arg ? f->arg : "");
	fprintf(out, "  %s\n", head);
	usage_wrap(out, 6, f->doc);
}

void usage_command(FILE *out, const struct command *c)
{
	fprintf(out, "usage: gapscope %s %s\n\n", c->name, c->usage);
	usage_wrap(out, 0, c->text);
	if (c->flags && c->flags->name)
		fputs("\noptions:\n", out);
	for (const struct flag *f = c->flags; f && f->name; f++)
		flag_line(out, f);
}
