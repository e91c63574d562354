/* Call sites: see callsite.h. */
#include "ingest/callsite.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"
#include "core/module_kind.h"
#include "ingest/callers.h"
#include "ingest/modules.h"
#include "ingest/perfmap.h"
#include "ingest/script.h"
#include "ingest/unwind.h"

#define SHIM_FRAMES 8U /* the shim's own, which are dropped */
#define ANCESTORS 8U   /* a forked child's sites are looked up at its parents too */

struct site_key {
	uint32_t pid, site;
};

/* What is known of one call site of one process. */
struct site {
	struct site_key key;
	uint64_t path; /* of the return addresses that gave the stack */
	uint32_t stack;
	UT_hash_handle hh;
};

struct callsites {
	struct stacks *stacks;
	struct counters *counters;
	struct modules *modules;
	struct site *sites;
};

struct callsites *callsites_new(struct stacks *stacks, struct counters *counters)
{
	struct callsites *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->stacks = stacks;
	c->counters = counters;
	c->modules = modules_new();
	if (c->modules == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

static void forget_sites(struct callsites *c, bool all, uint32_t pid)
{
	struct site *s, *next;

	HASH_ITER (hh, c->sites, s, next) {
		if (all || s->key.pid == pid) {
			HASH_DEL(c->sites, s);
			free(s);
		}
	}
}

void callsites_free(struct callsites *c)
{
	if (c == NULL)
		return;
	forget_sites(c, true, 0);
	modules_free(c->modules);
	free(c);
}

static struct site *find(const struct callsites *c, uint32_t pid, uint32_t site)
{
	const struct site_key key = {.pid = pid, .site = site};
	struct site *s;

	HASH_FIND(hh, c->sites, &key, sizeof(key), s);
	return s;
}

static uint32_t known_stack(struct callsites *c, uint32_t pid, uint32_t site)
{
	for (unsigned int i = 0; i <= ANCESTORS && pid != 0; i++) {
		const struct site *s = find(c, pid, site);
		const struct space *space = s == NULL ? modules_space(c->modules, pid) : NULL;

		if (s != NULL)
			return s->stack;
		pid = space != NULL ? space->parent : 0;
	}
	return 0;
}

static void remember(struct callsites *c, uint32_t pid, uint32_t site, uint64_t path, uint32_t stack)
{
	struct site *s = find(c, pid, site);

	if (s == NULL) {
		/* Sites come again with their next snapshot. */
		if (HASH_COUNT(c->sites) >= LIMIT_SITES)
			forget_sites(c, true, 0);
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return;
		s->key = (struct site_key){.pid = pid, .site = site};
		HASH_ADD(hh, c->sites, key, sizeof(s->key), s);
	}
	s->path = path;
	s->stack = stack;
}

/* Where the script of an interpreter is. */
struct places {
	struct wire_script head;
	struct wire_script_frame frames[WIRE_SCRIPT_FRAMES];
	const uint8_t *pieces; /* what names them, as far as it was sent with them */
	size_t pieces_len;
	uint32_t named; /* frames that have a name */
};

static void read_places(const struct pending *p, struct places *ret)
{
	const uint8_t *at = p->stack_bytes != NULL ? p->stack_bytes + p->stack->bytes_len : NULL;

	*ret = (struct places){0};
	if (at == NULL || p->stack->script_len < sizeof(ret->head))
		return;
	memcpy(&ret->head, at, sizeof(ret->head));
	if (ret->head.frames > WIRE_SCRIPT_FRAMES ||
	    p->stack->script_len < sizeof(ret->head) + ret->head.frames * sizeof(ret->frames[0]))
		ret->head.frames = 0;
	memcpy(ret->frames, at + sizeof(ret->head), ret->head.frames * sizeof(ret->frames[0]));
	ret->pieces = at + sizeof(ret->head) + ret->head.frames * sizeof(ret->frames[0]);
	ret->pieces_len = ret->head.frames > 0 ? (size_t)(at + p->stack->script_len - ret->pieces) : 0;
}

/* FNV-1a over the return addresses and the script's places. */
static uint64_t path_of(const uint64_t *pcs, size_t n, const struct places *script)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < n + script->head.frames; i++) {
		h ^= i < n ? pcs[i] : script->frames[i - n].code ^ script->frames[i - n].at << 3;
		h *= 0x100000001b3ULL;
		h ^= h >> 29;
	}
	return h;
}

static bool is_shim(const struct module *m)
{
	return m != NULL && strncmp(object_name(m->object), "libgapscope", strlen("libgapscope")) == 0;
}

/* The runtime that makes code in this process, for an address in no file. */
static const char *maker_of(const struct space *space)
{
	const char *code = NULL;

	for (size_t i = 0; i < space->n && code == NULL; i++)
		code = module_generates(object_name(space->modules[i].object));
	return code != NULL ? code : "?";
}

/* Code in no file that nobody names. */
static bool is_nameless(const struct frame *f)
{
	return f->function == NULL && f->offset == 0 && (f->module[0] == '?' || f->module[0] == '[');
}

static struct frame name_frame(struct space *space, uint64_t pc, struct symbol *texts)
{
	const struct module *m = space_find(space, pc);
	struct symbols *symbols = m != NULL ? object_symbols(m->object) : NULL;
	struct frame f = {.module = "?"};

	if (m != NULL) {
		f.module = object_name(m->object);
		f.offset = pc - m->bias;
		f.runtime = module_is_runtime(f.module);
	}
	if (symbols != NULL) {
		symbols_find(symbols, pc - m->bias, !f.runtime, texts);
		f.function = texts->function[0] != '\0' ? texts->function : NULL;
		f.file = texts->file[0] != '\0' ? texts->file : NULL;
		f.line = texts->line;
		f.runtime |= texts->runtime;
	}
	if (m == NULL) {
		const char *name;

		if (space->perfmap == NULL)
			space->perfmap = perfmap_new(space->pid);
		name = space->perfmap != NULL ? perfmap_find(space->perfmap, pc) : NULL;
		f.module = maker_of(space);
		if (name != NULL) {
			strncpy(texts->function, name, sizeof(texts->function) - 1);
			f.function = texts->function;
			f.module = "[jit]";
		}
	}
	return f;
}

/* In a statically linked program the C library's functions lie in the same file. Where the program's own code has lines, code without
 * them is the library's; and so is what has a name that is reserved for it, or one of its calls. */
static void mark_library(struct frame *frames, size_t n)
{
	static const char *const calls[] = {
		"accept",      "accept4",        "aligned_alloc", "calloc",   "clock_nanosleep", "connect",
		"epoll_pwait", "epoll_wait",     "fclose",        "fflush",   "fprintf",         "fputc",
		"fputs",       "fwrite",         "malloc",        "memalign", "nanosleep",       "new_do_write",
		"poll",        "posix_memalign", "ppoll",         "printf",   "pselect",         "puts",
		"read",        "readv",          "realloc",       "recv",     "recvfrom",        "recvmsg",
		"select",      "send",           "sendmsg",       "sendto",   "sleep",           "start_thread",
		"strdup",      "syscall",        "syslog",        "usleep",   "valloc",          "vfprintf",
		"vprintf",     "write",          "writev",
	};
	bool lines = false;

	for (size_t i = n; i-- > 0;) {
		struct frame *f = &frames[i];
		bool library = lines && f->file == NULL && f->function != NULL;

		lines |= f->file != NULL && !f->runtime;
		for (size_t k = 0; f->function != NULL && f->file == NULL && !library && k < sizeof(calls) / sizeof(calls[0]); k++)
			library = f->function[0] == '_' || strcmp(f->function, calls[k]) == 0;
		f->runtime |= library;
	}
}

/* The allocator that a dynamic program has linked into itself is none of its own code, not even one that it brings as source. */
static bool is_allocator(const struct frame *f)
{
	static const char *const names[] = {"malloc",        "calloc",         "realloc",        "aligned_alloc",
					    "memalign",      "posix_memalign", "valloc",         "__libc_malloc",
					    "__libc_calloc", "__libc_realloc", "__libc_memalign"};

	for (size_t i = 0; f->function != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(f->function, names[i]) == 0)
			return true;
	return false;
}

/* Texts of one frame. */
struct texts {
	struct symbol symbol;
	char module[SYMBOL_TEXT];
};

/* Even where this stack is known, or cannot be unwound: what names its functions is sent once. */
static void learn_script(struct space *space, const struct places *script)
{
	if (space->script == NULL && script->head.frames > 0)
		space->script = script_new(space->pid);
	if (space->script != NULL && script->pieces_len > 0)
		script_learn(space->script, script->head.version, script->pieces, script->pieces_len);
}

/* The script's frames, which stand in front of the interpreter that runs them. Returns how many frames there are now. */
static size_t name_script(struct space *space, struct places *script, struct frame *frames, size_t named, struct texts *texts)
{
	for (uint32_t i = 0; space->script != NULL && i < script->head.frames && named < LIMIT_STACK_FRAMES; i++) {
		struct texts *t = &texts[named];

		if (!script_find(space->script, script->head.version, &script->frames[i], &t->symbol, t->module))
			continue;
		script->named++;
		frames[named++] = (struct frame){.function = t->symbol.function,
						 .module = t->module,
						 .file = t->symbol.file,
						 .line = t->symbol.line,
						 .runtime = t->symbol.runtime};
	}
	return named;
}

static uint32_t name_stack(struct callsites *c, struct space *space, const uint64_t *pcs, size_t n, struct places *script)
{
	struct frame frames[LIMIT_STACK_FRAMES];
	struct texts *texts = calloc(LIMIT_STACK_FRAMES, sizeof(*texts));
	bool told = script->head.frames == 0; /* or there is nothing to tell */
	size_t named = 0;
	uint32_t id = 0;

	if (texts == NULL)
		return 0;
	for (size_t i = 0; i < n && named < LIMIT_STACK_FRAMES; i++) {
		const struct module *m = told ? NULL : space_find(space, pcs[i]);

		if (m != NULL && module_kind(object_name(m->object)) == MODULE_INTERPRETER) {
			named = name_script(space, script, frames, named, texts);
			told = true;
			if (named == LIMIT_STACK_FRAMES)
				break;
		}
		frames[named] = name_frame(space, pcs[i], &texts[named].symbol);
		/* Code that nobody can name says nothing, and no more when it is repeated. */
		if (named > 0 && is_nameless(&frames[named]) && is_nameless(&frames[named - 1]))
			continue;
		named++;
	}
	if (space->n == 1)
		mark_library(frames, named);
	else if (named > 0 && is_allocator(&frames[0]))
		frames[0].runtime = true;
	if (named > 0)
		id = stacks_add(c->stacks, frames, named);
	if (named > 0 && id == 0)
		c->counters->limit[LIMIT_REACHED_STACKS]++;
	free(texts);
	return id;
}

/* Return addresses that the kernel found by frame pointers: the data of CALLSITE_SEEN. */
static size_t by_frame_pointers(const struct pending *p, uint64_t *pcs, size_t max)
{
	const size_t have = p->e.data_len / sizeof(*pcs), n = have < max ? have : max;

	if (n > 0)
		memcpy(pcs, p->e.data, n * sizeof(*pcs));
	for (size_t i = 1; i < n; i++)
		pcs[i]--; /* inside the call, as unwind_stack has it */
	return n;
}

/* The snapshot's tables are the surest way, if the program has them for where it stands; Go has frame pointers instead; and where there is
 * neither, what looks like return addresses. */
static size_t walk(struct space *space, const struct pending *p, uint64_t *pcs, size_t max)
{
	const bool seen = p->e.id == CALLSITE_SEEN;
	uint64_t pc = 0;

	if (seen && p->e.data_len >= sizeof(pc))
		memcpy(&pc, p->e.data, sizeof(pc));

	const struct module *m = seen ? space_find(space, pc) : NULL;
	const struct symbols *symbols = m != NULL ? object_symbols(m->object) : NULL;

	if (symbols != NULL && symbols_have_frames(symbols))
		return by_frame_pointers(p, pcs, max);
	if (seen && (p->stack_bytes == NULL || !unwind_knows(space, pc)))
		return p->stack_bytes != NULL ? callers_find(space, p->stack, p->stack_bytes, pcs, max)
					      : by_frame_pointers(p, pcs, max);
	return unwind_stack(space, p->stack, p->stack_bytes, pcs, max);
}

static uint32_t unwound(struct callsites *c, const struct pending *p)
{
	struct space *space = modules_space(c->modules, p->e.pid);
	uint64_t pcs[LIMIT_STACK_FRAMES + SHIM_FRAMES];
	struct places script;
	size_t n, skip = 0;

	c->counters->stacks_taken++;
	read_places(p, &script);
	if (space != NULL)
		learn_script(space, &script);
	n = space != NULL ? walk(space, p, pcs, LIMIT_STACK_FRAMES + SHIM_FRAMES) : 0;
	while (skip < n && is_shim(space_find(space, pcs[skip])))
		skip++;
	if (skip == n) {
		c->counters->stacks_unresolved++;
		return known_stack(c, p->e.pid, p->site);
	}

	const uint64_t path = path_of(pcs + skip, n - skip, &script);
	const struct site *s = find(c, p->e.pid, p->site);
	uint32_t stack;

	if (s != NULL && s->path == path)
		return s->stack;
	stack = name_stack(c, space, pcs + skip, n - skip, &script);
	/* The process has ended meanwhile, and nobody can name its scripts any more: what was known of this site says more. */
	const uint32_t known = script.head.frames > 0 && script.named == 0 ? known_stack(c, p->e.pid, p->site) : 0;
	if (known != 0)
		return known;
	if (p->site != 0)
		remember(c, p->e.pid, p->site, path, stack);
	return stack;
}

uint32_t callsites_stack(struct callsites *c, const struct pending *p)
{
	if (modules_event(c->modules, &p->e))
		forget_sites(c, false, p->e.pid);
	if (p->stack_bytes != NULL || p->e.id == CALLSITE_SEEN)
		return unwound(c, p);
	return p->site != 0 ? known_stack(c, p->e.pid, p->site) : 0;
}
