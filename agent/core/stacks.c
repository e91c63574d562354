/*
 * Interned call stacks: a hash of the frames finds the id; frames lie in one array per stack, their texts in the string table.
 */
#include "core/stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/module_kind.h"
#include "core/strings.h"

struct stack {
	UT_hash_handle hh;
	uint32_t id;
	size_t n;
	uint64_t key; /* of the frames' interned texts and numbers */
	struct stack *same_key;
	struct frame frames[];
};

struct stacks {
	struct strings *strings;
	struct stack *by_key;
	struct stack **by_id; /* by_id[id - 1] */
	uint32_t count, room;
};

struct stacks *stacks_new(void)
{
	struct stacks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->strings = strings_new();
	if (!s->strings) {
		free(s);
		return NULL;
	}
	return s;
}

void stacks_free(struct stacks *s)
{
	uint32_t i;

	if (!s)
		return;
	HASH_CLEAR(hh, s->by_key);
	for (i = 0; i < s->count; i++)
		free(s->by_id[i]);
	free(s->by_id);
	strings_free(s->strings);
	free(s);
}

/* FNV-1a over the values that tell frames apart; texts are interned, so their addresses do within one table. */
static uint64_t mix(uint64_t h, uint64_t v)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		h ^= (v >> (8 * i)) & 0xff;
		h *= 0x100000001b3ULL;
	}
	return h;
}

static bool frame_equal(const struct frame *a, const struct frame *b)
{
	return a->function == b->function && a->module == b->module && a->file == b->file && a->line == b->line &&
	       a->offset == b->offset && a->runtime == b->runtime;
}

static bool frames_equal(const struct stack *st, const struct frame *f, size_t n)
{
	size_t i;

	if (st->n != n)
		return false;
	for (i = 0; i < n; i++) {
		if (!frame_equal(&st->frames[i], &f[i]))
			return false;
	}
	return true;
}

static int grow(struct stacks *s)
{
	const uint32_t room = s->room ? s->room * 2 : 256;
	struct stack **more;

	if (s->count < s->room)
		return 0;
	more = realloc(s->by_id, room * sizeof(struct stack *));
	if (!more)
		return -1;
	s->by_id = more;
	s->room = room;
	return 0;
}

uint32_t stacks_add(struct stacks *s, const struct frame *frames, size_t n)
{
	struct frame own[LIMIT_STACK_FRAMES];
	struct stack *first, *st;
	uint64_t key = 0xcbf29ce484222325ULL;
	size_t i;

	if (n == 0)
		return 0;
	if (n > LIMIT_STACK_FRAMES)
		n = LIMIT_STACK_FRAMES;
	for (i = 0; i < n; i++) {
		own[i] = frames[i];
		own[i].function = strings_add(s->strings, frames[i].function);
		own[i].module = strings_add(s->strings, frames[i].module);
		own[i].file = strings_add(s->strings, frames[i].file);
		key = mix(key, (uintptr_t)own[i].function);
		key = mix(key, (uintptr_t)own[i].module);
		key = mix(key, (uint64_t)own[i].line << 1 | own[i].runtime);
		key = mix(key, own[i].offset);
	}
	HASH_FIND(hh, s->by_key, &key, sizeof(key), first);
	for (st = first; st; st = st->same_key) {
		if (frames_equal(st, own, n))
			return st->id;
	}
	if (s->count >= LIMIT_STACKS || grow(s))
		return 0;
	st = calloc(1, sizeof(*st) + n * sizeof(struct frame));
	if (!st)
		return 0;
	st->id = s->count + 1;
	st->n = n;
	st->key = key;
	memcpy(st->frames, own, n * sizeof(struct frame));
	if (first) {
		st->same_key = first->same_key;
		first->same_key = st;
	} else {
		HASH_ADD(hh, s->by_key, key, sizeof(st->key), st);
	}
	s->by_id[s->count++] = st;
	return st->id;
}

const struct frame *stacks_frames(const struct stacks *s, uint32_t id, size_t *ret_n)
{
	*ret_n = 0;
	if (id == 0 || id > s->count)
		return NULL;
	*ret_n = s->by_id[id - 1]->n;
	return s->by_id[id - 1]->frames;
}

uint32_t stacks_count(const struct stacks *s)
{
	return s->count;
}

/* "net/http.(*Transport).dialConn", and not what schedules goroutines. */
static bool is_go_library(const struct frame *f)
{
	return f->function != NULL && strchr(f->function, '.') != NULL &&
	       strncmp(f->function, "runtime.", strlen("runtime.")) != 0 && module_kind(f->module) == MODULE_APPLICATION;
}

const struct frame *stacks_site(const struct stacks *s, uint32_t id)
{
	const struct frame *best = NULL;
	enum module_kind best_kind = MODULE_LIBC;
	size_t n, i;
	const struct frame *f = stacks_frames(s, id, &n);

	for (i = 0; i < n; i++) {
		enum module_kind kind = f[i].runtime ? module_kind(f[i].module) : MODULE_APPLICATION;

		/* A library that is linked into the program itself. */
		if (f[i].runtime && kind == MODULE_APPLICATION)
			kind = MODULE_LIBC;
		/* Of Go's own library the outermost function says most: the inner ones are how every call is made. */
		const bool outer = best && kind == best_kind && f[i].runtime && is_go_library(best) && is_go_library(&f[i]);

		if (!best || kind < best_kind || outer) {
			best = &f[i];
			best_kind = kind;
		}
	}
	return best;
}

bool stacks_is_scheduler(const struct stacks *s, uint32_t id)
{
	static const char *const own[] = {"runtime.", "internal/runtime/"};
	size_t n;
	const struct frame *f = stacks_frames(s, id, &n);

	for (size_t i = 0; i < n; i++) {
		bool is = false;

		for (size_t k = 0; f[i].function && k < sizeof(own) / sizeof(own[0]); k++)
			is = is || strncmp(f[i].function, own[k], strlen(own[k])) == 0;
		if (!is)
			return false;
	}
	return n > 0;
}

bool stacks_is_housekeeping(const struct stacks *s, uint32_t id)
{
	static const struct {
		const char *module, *function;
	} own[] = {{"libjvm.so", "Monitor::wait"}}; /* of the JVM's own threads; Java's waits are ObjectMonitor's and Parker's */
	size_t n;
	const struct frame *f = stacks_frames(s, id, &n);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; f[i].function && f[i].module && k < sizeof(own) / sizeof(own[0]); k++) {
			if (strcmp(f[i].module, own[k].module) == 0 &&
			    strncmp(f[i].function, own[k].function, strlen(own[k].function)) == 0)
				return true;
		}
	}
	return false;
}

const char *frame_text(const struct frame *f, char *buf, size_t size)
{
	const char *slash;

	if (!f || (!f->function && !f->module)) {
		snprintf(buf, size, "unknown");
		return buf;
	}
	if (f->function && f->file) {
		slash = strrchr(f->file, '/');
		snprintf(buf, size, "%s() at %s:%u", f->function, slash ? slash + 1 : f->file, f->line);
	} else if (f->function) {
		snprintf(buf, size, "%s() in %s", f->function, f->module ? f->module : "?");
	} else if (f->offset == 0 && f->module[0] == '[') {
		snprintf(buf, size, "%.*s code without a name", (int)strcspn(f->module + 1, "]"), f->module + 1);
	} else if (f->offset == 0 && f->module[0] == '?') {
		snprintf(buf, size, "code in no file, without a name");
	} else {
		snprintf(buf, size, "%s+0x%llx", f->module, (unsigned long long)f->offset);
	}
	return buf;
}
