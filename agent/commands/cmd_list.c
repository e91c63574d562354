/*
 * `gapscope list [WHAT]`: what is built in, with its doc lines, each kind from its own table. Main thread.
 */
#include <string.h>

#include "commands/commands.h"
#include "commands/usage.h"
#include "core/event.h"
#include "detectors/detector.h"
#include "exporters/exporter.h"
#include "protocols/protocol.h"
#include "report/render.h"
#include "scan/scan.h"

static void list_commands(FILE *out)
{
	for (const struct command *const *c = command_table; *c; c++)
		fprintf(out, "  %-28s %s\n", (*c)->name, (*c)->doc);
}

/* What the shim wraps: the table that the shim itself is built from. */
static void list_hooks(FILE *out)
{
	static const struct {
		const char *name, *family, *alias_of;
	} hooks[] = {
#define HOOK(name, family) {#name, #family, NULL},
#define ALIAS(name, of, family) {#name, #family, #of},
#define PATCH(name, family) {#name, #family, NULL},
#define ALLOC(name, family) {#name, #family, NULL},
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS
	};

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		fprintf(out, "  %-28s %-9s %s%s\n", hooks[i].name, hooks[i].family, hooks[i].alias_of ? "another name of " : "",
			hooks[i].alias_of ? hooks[i].alias_of : "");
}

static void list_events(FILE *out)
{
	static const struct {
		const char *name, *family, *doc;
	} events[] = {
#define EVENT(number, name, family, text) {#name, #family, text},
#include "wire/events.def"
#undef EVENT
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		fprintf(out, "  %-18s %-9s %s\n", events[i].name, events[i].family, events[i].doc);
}

static void list_losses(FILE *out)
{
	static const struct {
		unsigned int cause;
		const char *doc;
	} losses[] = {
#define LOSS(number, name, text) {number, text},
#include "wire/loss.def"
#undef LOSS
	};

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		fprintf(out, "  %-18s %s\n", loss_name(losses[i].cause), losses[i].doc);
}

static void list_detectors(FILE *out)
{
	for (const struct detector *const *d = detector_table; *d; d++) {
		fprintf(out, "  %s: %s\n", (*d)->name, (*d)->doc);
		for (const struct rule *r = (*d)->rules; r->id; r++)
			fprintf(out, "    %-34s %-9s %s\n", r->id, severity_name(r->severity), r->title);
		for (const struct option *o = (*d)->options; o && o->name; o++)
			fprintf(out, "    option %-27s %g%s%s: %s\n", o->name, o->value, o->unit && *o->unit ? " " : "",
				o->unit ? o->unit : "", o->doc);
	}
}

static void list_protocols(FILE *out)
{
	for (const struct protocol *const *p = protocol_table; *p; p++)
		fprintf(out, "  %-18s %s\n", (*p)->name, (*p)->doc);
}

static void list_exporters(FILE *out)
{
	for (const struct exporter *const *x = exporter_table; *x; x++)
		fprintf(out, "  %-18s %s\n", (*x)->name, (*x)->doc);
}

static void list_formats(FILE *out)
{
	for (const struct report_format *const *f = report_formats; *f; f++)
		fprintf(out, "  %-18s %s\n", (*f)->name, (*f)->doc);
}

static void list_entities(FILE *out)
{
	for (const struct entity *e = entity_table; e->name; e++)
		fprintf(out, "  %-26s %-9s %s\n", e->name, severity_name((enum severity)e->severity), e->title);
}

static const struct {
	const char *name;
	void (*list)(FILE *out);
} kinds[] = {
	{"commands", list_commands},   {"detectors", list_detectors}, {"protocols", list_protocols},
	{"exporters", list_exporters}, {"formats", list_formats},     {"entities", list_entities},
	{"events", list_events},       {"hooks", list_hooks},         {"losses", list_losses},
};
#define KINDS_N (sizeof(kinds) / sizeof(kinds[0]))

static int cmd_list(int argc, char **argv)
{
	bool known = argc < 2;

	for (size_t i = 0; i < KINDS_N; i++) {
		if (argc >= 2 && strcmp(argv[1], kinds[i].name) != 0)
			continue;
		known = true;
		if (argc < 2)
			printf("%s:\n", kinds[i].name);
		kinds[i].list(stdout);
	}
	if (known && argc <= 2)
		return 0;
	char names[256] = "";
	for (size_t i = 0; i < KINDS_N; i++) {
		size_t len = strlen(names);
		snprintf(names + len, sizeof(names) - len, " %s", kinds[i].name);
	}
	complain("list: give one of:%s", names);
	return EXIT_USAGE;
}

static const char *kind_name(size_t i)
{
	return i < KINDS_N ? kinds[i].name : NULL;
}

const struct command cmd_list_entry = {
	.name = "list",
	.usage = "[WHAT]",
	.doc = "what is built in: detectors, rules, protocols, …",
	.text = "Lists what this build knows, from its own tables: commands, detectors with their rules and options, protocols, "
		"exporters, "
		"report formats, entities that the scanner finds, events, hooks of the shim, causes of loss.",
	.operand = kind_name,
	.run = cmd_list,
};
