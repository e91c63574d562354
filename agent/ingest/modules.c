/* What is loaded where: see modules.h. */
#include "ingest/modules.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"
#include "ingest/perfmap.h"
#include "ingest/script.h"

#define BUILD_ID_MAX 64U

struct object {
	char *key; /* build id in hex, then the path: who agrees on both shares it */
	const char *path;
	size_t id_len;
	uint8_t id[BUILD_ID_MAX];
	uint32_t pid; /* a process that has it: its root may be where the path leads */
	unsigned int refs;
	bool tried_image, tried_symbols;
	struct image *image;
	struct symbols *symbols;
	struct modules *owner;
	UT_hash_handle hh;
};

struct known_space {
	struct space space;
	UT_hash_handle hh; /* by space.pid */
};

struct modules {
	struct object *objects;
	struct known_space *spaces;
	unsigned int images; /* open ones */
};

struct modules *modules_new(void)
{
	return calloc(1, sizeof(struct modules));
}

static void object_free(struct object *o)
{
	HASH_DEL(o->owner->objects, o);
	if (o->image != NULL)
		o->owner->images--;
	symbols_free(o->symbols);
	image_free(o->image);
	free(o->key);
	free(o);
}

/* An object that nobody has loaded stays for the next program that does, as long as there is room. */
static void object_unref(struct object *o)
{
	if (--o->refs == 0 && HASH_COUNT(o->owner->objects) > LIMIT_IMAGES)
		object_free(o);
}

static void forget_code(struct space *s)
{
	for (size_t i = 0; i < s->n; i++)
		object_unref(s->modules[i].object);
	free(s->modules);
	s->modules = NULL;
	s->n = s->room = 0;
	if (s->unwind != NULL)
		unw_destroy_addr_space(s->unwind);
	s->unwind = NULL;
	perfmap_free(s->perfmap);
	s->perfmap = NULL;
	script_free(s->script);
	s->script = NULL;
}

static void forget(struct modules *m, struct known_space *k)
{
	forget_code(&k->space);
	HASH_DEL(m->spaces, k);
	free(k);
}

void modules_free(struct modules *m)
{
	struct known_space *k, *next;
	struct object *o, *next_object;

	if (m == NULL)
		return;
	HASH_ITER (hh, m->spaces, k, next)
		forget(m, k);
	HASH_ITER (hh, m->objects, o, next_object)
		object_free(o);
	free(m);
}

static struct known_space *find(struct modules *m, uint32_t pid)
{
	struct known_space *k;

	HASH_FIND(hh, m->spaces, &pid, sizeof(pid), k);
	return k;
}

struct space *modules_space(struct modules *m, uint32_t pid)
{
	struct known_space *k = find(m, pid);

	return k != NULL ? &k->space : NULL;
}

static struct space *find_or_add(struct modules *m, uint32_t pid)
{
	struct known_space *k = find(m, pid);

	if (k != NULL)
		return &k->space;
	if (HASH_COUNT(m->spaces) >= LIMIT_PROCESSES)
		return NULL;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	k->space.pid = pid;
	HASH_ADD(hh, m->spaces, space.pid, sizeof(k->space.pid), k);
	return &k->space;
}

static struct object *object_get(struct modules *m, uint32_t pid, const uint8_t *id, size_t id_len, const char *path,
				 size_t path_len)
{
	char *key = malloc(2 * id_len + 1 + path_len + 1);
	struct object *o;

	if (key == NULL)
		return NULL;
	for (size_t i = 0; i < id_len; i++)
		snprintf(key + 2 * i, 3, "%02x", id[i]);
	key[2 * id_len] = ' ';
	memcpy(key + 2 * id_len + 1, path, path_len);
	key[2 * id_len + 1 + path_len] = '\0';
	HASH_FIND_STR(m->objects, key, o);
	if (o != NULL) {
		free(key);
		/* Its first owner may be gone, and with it the root that the path was meant for. */
		if (o->image == NULL) {
			o->pid = pid;
			o->tried_image = false;
		}
		o->refs++;
		return o;
	}
	o = calloc(1, sizeof(*o));
	if (o == NULL) {
		free(key);
		return NULL;
	}
	o->key = key;
	o->path = key + 2 * id_len + 1;
	memcpy(o->id, id, id_len);
	o->id_len = id_len;
	o->pid = pid;
	o->refs = 1;
	o->owner = m;
	HASH_ADD_KEYPTR(hh, m->objects, o->key, strlen(o->key), o);
	return o;
}

/* Where a module with this bias belongs in the list. */
static size_t place_of(const struct space *s, uint64_t bias)
{
	size_t i = 0;

	while (i < s->n && s->modules[i].bias < bias)
		i++;
	return i;
}

static void add_module(struct space *s, uint64_t bias, uint64_t end, struct object *o)
{
	const size_t at = place_of(s, bias);

	if (at < s->n && s->modules[at].bias == bias) {
		/* Told again, or another one took its place. */
		object_unref(s->modules[at].object);
		s->modules[at] = (struct module){.bias = bias, .end = end, .object = o};
	} else {
		if (s->n == s->room) {
			const size_t room = s->room > 0 ? s->room * 2 : 16;
			struct module *list = room <= LIMIT_MODULES ? reallocarray(s->modules, room, sizeof(*list)) : NULL;

			if (list == NULL) {
				object_unref(o);
				return;
			}
			s->modules = list;
			s->room = room;
		}
		memmove(s->modules + at + 1, s->modules + at, (s->n - at) * sizeof(*s->modules));
		s->modules[at] = (struct module){.bias = bias, .end = end, .object = o};
		s->n++;
	}
	/* What was cached of the code in its place is void. */
	if (s->unwind != NULL)
		unw_flush_cache(s->unwind, 0, 0);
}

static void on_module(struct modules *m, const struct event *e)
{
	struct space *s = find_or_add(m, e->pid);
	const size_t id_len = e->data_len > 0 ? e->data[0] : 0;
	struct object *o;

	if (s == NULL || e->data_len < 1 + id_len || id_len > BUILD_ID_MAX || e->a1 <= e->a0)
		return;
	o = object_get(m, e->pid, e->data + 1, id_len, (const char *)e->data + 1 + id_len,
		       strnlen((const char *)e->data + 1 + id_len, e->data_len - 1 - id_len));
	if (o != NULL)
		add_module(s, e->a0, e->a1, o);
}

static void on_fork(struct modules *m, const struct event *e)
{
	struct space *child = find_or_add(m, e->pid);
	const struct space *parent = modules_space(m, (uint32_t)e->a0);

	if (child == NULL || parent == child)
		return;
	forget_code(child);
	child->parent = (uint32_t)e->a0;
	for (size_t i = 0; parent != NULL && i < parent->n; i++) {
		parent->modules[i].object->refs++;
		add_module(child, parent->modules[i].bias, parent->modules[i].end, parent->modules[i].object);
	}
}

bool modules_event(struct modules *m, const struct event *e)
{
	struct known_space *k;

	switch (e->id) {
	case WIRE_MODULE:
		on_module(m, e);
		return false;
	case WIRE_FORK_CHILD:
		on_fork(m, e);
		return false;
	case WIRE_PROCESS_START:
	case WIRE_PROCESS_GONE:
		k = find(m, e->pid);
		if (k != NULL)
			forget(m, k);
		return true;
	default:
		return false;
	}
}

const struct module *space_find(const struct space *s, uint64_t address)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (s->modules[mid].bias <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && address < s->modules[low - 1].end ? &s->modules[low - 1] : NULL;
}

const char *object_name(const struct object *o)
{
	const char *slash = strrchr(o->path, '/');
	const char *name = slash != NULL ? slash + 1 : o->path;

	return name[0] != '\0' ? name : "?";
}

struct image *object_image(struct object *o)
{
	char path[PATH_MAX];

	if (o->tried_image || o->owner->images >= LIMIT_IMAGES)
		return o->image;
	o->tried_image = true;
	/* In the process's own root first: it may live in a container. */
	snprintf(path, sizeof(path), "/proc/%u/root%s", o->pid, o->path);
	if (o->path[0] == '/' && image_open(path, o->id, o->id_len, &o->image) < 0)
		(void)image_open(o->path, o->id, o->id_len, &o->image);
	if (o->image != NULL)
		o->owner->images++;
	return o->image;
}

struct symbols *object_symbols(struct object *o)
{
	struct image *img = object_image(o);

	if (o->tried_symbols || img == NULL)
		return o->symbols;
	o->tried_symbols = true;
	o->symbols = symbols_open(image_fd(img), o->path);
	return o->symbols;
}
