/*
 * The section "heap" of a report as a pprof profile. Functions, places in them and modules are numbered as they come; equal ones are one.
 * Names were found when the stacks were taken: pprof needs no binaries.
 */
#include "exporters/pprof.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "exporters/gzip.h"
#include "profile.pb-c.h"

#define VALUES 4U

/* Something that has a number: a text, a module, a function, a location, by its key. */
struct item {
	char *key;
	uint64_t number;
	UT_hash_handle hh;
};

/* A table of them, with the messages that they became. */
struct table {
	struct item *items;
	void **messages;
	size_t n, room;
};

struct builder {
	struct table texts, modules, functions, locations;
	Pprof__Sample **samples;
	size_t samples_n;
	bool failed;
};

static void table_done(struct table *t)
{
	while (t->items) {
		struct item *i = t->items;
		HASH_DEL(t->items, i);
		free(i->key);
		free(i);
	}
	free((void *)t->messages);
}

static struct item *table_find(const struct table *t, const char *key)
{
	struct item *i;
	HASH_FIND_STR(t->items, key, i);
	return i;
}

/* Takes `message` over; 0: memory is out. Numbers begin with 1. */
static uint64_t table_add(struct builder *b, struct table *t, const char *key, void *message)
{
	struct item *i = calloc(1, sizeof *i);
	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		void **grown = realloc((void *)t->messages, room * sizeof *grown);
		if (grown != NULL) {
			t->messages = grown;
			t->room = room;
		}
	}
	if (i == NULL || message == NULL || t->n == t->room || (i->key = strdup(key)) == NULL) {
		free(i);
		free(message);
		b->failed = true;
		return 0;
	}
	t->messages[t->n] = message;
	i->number = ++t->n;
	HASH_ADD_KEYPTR(hh, t->items, i->key, strlen(i->key), i);
	return i->number;
}

static int64_t text(struct builder *b, const char *s)
{
	struct item *i = table_find(&b->texts, s);
	uint64_t number = i != NULL ? i->number : table_add(b, &b->texts, s, strdup(s));
	return number > 0 ? (int64_t)number - 1 : 0;
}

static const char *member(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s != NULL ? s : "";
}

static uint64_t module_of(struct builder *b, const char *name)
{
	struct item *i = table_find(&b->modules, name);
	if (i != NULL)
		return i->number;
	Pprof__Mapping *m = malloc(sizeof *m);
	if (m != NULL) {
		pprof__mapping__init(m);
		m->id = b->modules.n + 1;
		m->filename = text(b, name);
		/* No address is looked up any more; the ranges only have to differ. */
		m->memory_start = m->id << 48;
		m->memory_limit = (m->id + 1) << 48;
		m->has_functions = m->has_filenames = m->has_line_numbers = true;
	}
	return table_add(b, &b->modules, name, m);
}

static uint64_t function_of(struct builder *b, const char *name, const char *file)
{
	char *key = NULL;
	if (asprintf(&key, "%s\x1f%s", name, file) < 0) {
		b->failed = true;
		return 0;
	}
	struct item *i = table_find(&b->functions, key);
	uint64_t number = i != NULL ? i->number : 0;
	if (number == 0) {
		Pprof__Function *f = malloc(sizeof *f);
		if (f != NULL) {
			pprof__function__init(f);
			f->id = b->functions.n + 1;
			f->name = f->system_name = text(b, name);
			f->filename = text(b, file);
		}
		number = table_add(b, &b->functions, key, f);
	}
	free(key);
	return number;
}

static void location_free(Pprof__Location *l)
{
	for (size_t i = 0; l != NULL && i < l->n_line; i++)
		free(l->line[i]);
	if (l != NULL)
		free((void *)l->line);
}

static Pprof__Location *location_new(struct builder *b, const json_t *frame, const char *name, const char *module)
{
	Pprof__Location *l = malloc(sizeof *l);
	Pprof__Line *line = malloc(sizeof *line);
	Pprof__Line **lines = malloc(sizeof(Pprof__Line *));
	if (l == NULL || line == NULL || lines == NULL) {
		free(l);
		free(line);
		free((void *)lines);
		return NULL;
	}
	pprof__location__init(l);
	pprof__line__init(line);
	l->id = b->locations.n + 1;
	l->mapping_id = module_of(b, module);
	l->address = (l->mapping_id << 48) + (uint64_t)json_integer_value(json_object_get(frame, "offset"));
	line->function_id = function_of(b, name, member(frame, "file"));
	line->line = json_integer_value(json_object_get(frame, "line"));
	lines[0] = line;
	l->line = lines;
	l->n_line = 1;
	return l;
}

static uint64_t location_of(struct builder *b, const json_t *frame)
{
	char unnamed[160], *key = NULL;
	const char *name = member(frame, "function"), *module = member(frame, "module");
	const json_int_t offset = json_integer_value(json_object_get(frame, "offset"));
	if (name[0] == '\0') {
		snprintf(unnamed, sizeof unnamed, "%.100s+0x%llx", module, (unsigned long long)offset);
		name = unnamed;
	}
	if (asprintf(&key, "%s\x1f%s\x1f%llx", name, module, (unsigned long long)offset) < 0) {
		b->failed = true;
		return 0;
	}
	struct item *i = table_find(&b->locations, key);
	uint64_t number = i != NULL ? i->number : 0;
	if (number == 0) {
		Pprof__Location *l = location_new(b, frame, name, module);
		number = table_add(b, &b->locations, key, l);
	}
	free(key);
	return number;
}

static Pprof__Sample *sample_new(struct builder *b, const json_t *site)
{
	static const char *const values[VALUES] = {"alloc_objects", "alloc_bytes", "live_objects", "live_bytes"};
	const json_t *stack = json_object_get(site, "stack"), *frame;
	size_t i, n = json_array_size(stack);
	Pprof__Sample *s = malloc(sizeof *s);
	uint64_t *ids = calloc(n + 1, sizeof *ids);
	int64_t *numbers = calloc(VALUES, sizeof *numbers);
	if (s == NULL || ids == NULL || numbers == NULL) {
		free(s);
		free(ids);
		free(numbers);
		return NULL;
	}
	pprof__sample__init(s);
	json_array_foreach (stack, i, frame)
		ids[i] = location_of(b, frame);
	for (i = 0; i < VALUES; i++)
		numbers[i] = json_integer_value(json_object_get(site, values[i]));
	s->location_id = ids;
	s->n_location_id = n;
	s->value = numbers;
	s->n_value = VALUES;
	return s;
}

static void builder_done(struct builder *b)
{
	for (size_t i = 0; b->samples != NULL && i < b->samples_n; i++) {
		Pprof__Sample *s = b->samples[i];
		if (s == NULL)
			continue;
		free(s->location_id);
		free(s->value);
		free(s);
	}
	free((void *)b->samples);
	for (size_t i = 0; i < b->locations.n; i++)
		location_free(b->locations.messages[i]);
	struct table *const all[] = {&b->texts, &b->modules, &b->functions, &b->locations};
	for (size_t t = 0; t < sizeof all / sizeof *all; t++) {
		for (size_t i = 0; i < all[t]->n; i++)
			free(all[t]->messages[i]);
		table_done(all[t]);
	}
}

static int pack(const Pprof__Profile *p, struct bytes *ret)
{
	struct bytes plain = {.len = pprof__profile__get_packed_size(p)};
	plain.data = malloc(plain.len + 1);
	if (plain.data == NULL)
		return -ENOMEM;
	pprof__profile__pack(p, plain.data);
	int rc = gzip_pack(&plain, ret);
	free(plain.data);
	return rc;
}

static int finish(struct builder *b, const json_t *heap, struct bytes *ret)
{
	static const char *const types[VALUES][2] = {
		{"alloc_objects", "count"}, {"alloc_space", "bytes"}, {"inuse_objects", "count"}, {"inuse_space", "bytes"}};
	Pprof__ValueType type[VALUES], period, *type_list[VALUES];
	Pprof__Profile p;
	pprof__profile__init(&p);
	for (size_t i = 0; i < VALUES; i++) {
		pprof__value_type__init(&type[i]);
		type[i].type = text(b, types[i][0]);
		type[i].unit = text(b, types[i][1]);
		type_list[i] = &type[i];
	}
	pprof__value_type__init(&period);
	period.type = text(b, "space");
	period.unit = text(b, "bytes");
	p.sample_type = type_list;
	p.n_sample_type = VALUES;
	p.period_type = &period;
	p.period = json_integer_value(json_object_get(heap, "mean_bytes"));
	p.default_sample_type = text(b, "inuse_space");
	p.time_nanos = json_integer_value(json_object_get(heap, "time_ns"));
	p.duration_nanos = json_integer_value(json_object_get(heap, "duration_ns"));
	p.sample = b->samples;
	p.n_sample = b->samples_n;
	p.mapping = (Pprof__Mapping **)b->modules.messages;
	p.n_mapping = b->modules.n;
	p.location = (Pprof__Location **)b->locations.messages;
	p.n_location = b->locations.n;
	p.function = (Pprof__Function **)b->functions.messages;
	p.n_function = b->functions.n;
	p.string_table = (char **)b->texts.messages;
	p.n_string_table = b->texts.n;
	return b->failed ? -ENOMEM : pack(&p, ret);
}

int pprof_encode(const json_t *report, struct bytes *ret)
{
	const json_t *heap = json_object_get(report, "heap"), *sites = json_object_get(heap, "sites"), *site;
	struct builder b = {0};
	size_t i;
	if (!json_is_array(sites))
		return -ENODATA;
	(void)text(&b, ""); /* the first one has to be empty */
	b.samples = calloc(json_array_size(sites) + 1, sizeof *b.samples);
	b.failed |= b.samples == NULL;
	for (i = 0; !b.failed && (site = json_array_get(sites, i)) != NULL; i++) {
		Pprof__Sample *s = sample_new(&b, site);
		if (s == NULL)
			b.failed = true;
		else
			b.samples[b.samples_n++] = s;
	}
	int rc = b.failed ? -ENOMEM : finish(&b, heap, ret);
	builder_done(&b);
	return rc;
}
