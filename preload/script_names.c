/*
 * What names a script's functions: copies of the code objects of a stack, of their names, files and tables of lines, each sent once. The agent
 * reads the process's memory as well, but a process that ends right after its call is gone by then.
 *
 * Runs on any thread of the watched process, inside a hook, under its guard. All copies are the kernel's, which cannot fault. Which objects were
 * sent is a table of the process's; two that share a place are sent again and again, which costs time and nothing else.
 */
#include <dlfcn.h>
#include <sys/uio.h>

#include "preload/call.h"
#include "wire/cpython.h"

#define SENT 1024U
#define STRING_MAX 2048U /* longer ones are read by the agent, or by nobody */
#define TABLE_MAX 8192U

static const struct cpython *layout;
static uintptr_t code_type;
static _Atomic uint32_t sent[SENT];

/* Where the next piece goes. */
struct cursor {
	struct shim_tls *t;
	uint64_t at;
	uint32_t used;
};

void script_names_begin(const struct cpython *known)
{
	layout = known;
	code_type = known ? (uintptr_t)dlsym(RTLD_DEFAULT, "PyCode_Type") : 0;
	for (uint32_t i = 0; i < SENT; i++)
		atomic_store_explicit(&sent[i], 0, memory_order_relaxed);
}

/* A forked child has a number of its own, and sends all of it again: to the agent it is another process. */
static uint32_t key_of(uintptr_t code)
{
	return (uint32_t)((code ^ (uint64_t)(uint32_t)shim.pid << 40) * 0x9e3779b97f4a7c15ULL >> 32) | 1;
}

static bool put_piece(struct cursor *c, uintptr_t address, uint64_t bytes, bool is_code)
{
	const struct wire_piece piece = {.address = address, .bytes = (uint32_t)bytes, .is_code = is_code};

	if (c->used + sizeof(piece) + bytes > WIRE_SCRIPT_NAME_BYTES ||
	    emit_copy(c->t, c->at + c->used + sizeof(piece), address, (uint32_t)bytes) != bytes)
		return false;
	wire_ring_put(&c->t->ring, c->at + c->used, &piece, sizeof(piece));
	c->used += (uint32_t)(sizeof(piece) + bytes);
	return true;
}

static uint64_t size_of(uintptr_t object)
{
	uint64_t size = 0;

	return script_copy(&size, object + CPYTHON_SIZE_AT, sizeof(size)) ? size : 0;
}

static bool put_string(struct cursor *c, uintptr_t string)
{
	uint32_t state = 0;
	uint64_t bytes;

	if (!script_copy(&state, string + CPYTHON_STATE_AT, sizeof(state)))
		return false;
	bytes = cpython_string_bytes(layout, size_of(string), state);
	return bytes && bytes <= STRING_MAX && put_piece(c, string, bytes, false);
}

/* All that names this function, or nothing. */
static bool put_code(struct cursor *c, uintptr_t code)
{
	struct cursor next = *c;
	uintptr_t words[CPYTHON_CODE_BYTES / sizeof(uintptr_t)];
	uint64_t table;

	if (!script_copy(words, code, sizeof(words)) || words[CPYTHON_TYPE_AT / sizeof(words[0])] != code_type)
		return false;
	table = size_of(words[layout->lines / sizeof(words[0])]);
	if (!put_piece(&next, code, sizeof(words), true) || !put_string(&next, words[layout->name / sizeof(words[0])]) ||
	    !put_string(&next, words[layout->file / sizeof(words[0])]))
		return false;
	if (table && table <= TABLE_MAX &&
	    !put_piece(&next, words[layout->lines / sizeof(words[0])], CPYTHON_BYTES_AT + table, false))
		return false;
	*c = next;
	return true;
}

uint32_t script_names(struct shim_tls *t, uint64_t at, const struct wire_script_frame *frames, uint32_t n)
{
	struct cursor c = {.t = t, .at = at};

	if (!layout || !code_type || atomic_load_explicit(&shim.quiet, memory_order_relaxed))
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t key = key_of(frames[i].code);
		_Atomic uint32_t *const place = &sent[key / 2 % SENT];

		if (atomic_load_explicit(place, memory_order_relaxed) != key && put_code(&c, frames[i].code))
			atomic_store_explicit(place, key, memory_order_relaxed);
	}
	return c.used;
}
