/* Names of a script's places: see script.h. */
#include "ingest/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"
#include "core/process_memory.h"
#include "ingest/script_lines.h"
#include "wire/cpython.h"

#define TABLE_MAX 32768U

/* A code object. Its address may come to hold another one: these words tell. */
struct code {
	uint64_t address;
	uint64_t name, file, lines;
	uint32_t first;
	bool is_code; /* false: it has no name that says anything */
	char function[SYMBOL_TEXT], path[SYMBOL_TEXT];
	uint8_t *table;
	size_t table_len;
	UT_hash_handle hh;
};

struct script {
	uint32_t pid;
	uint64_t type; /* of code objects, once one was seen */
	struct code *codes;
	const uint8_t *told; /* pieces in hand: read before the process's own memory */
	size_t told_len;
};

static void forget(struct script *s, struct code *c)
{
	HASH_DEL(s->codes, c);
	free(c->table);
	free(c);
}

struct script *script_new(uint32_t pid)
{
	struct script *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->pid = pid;
	return s;
}

static void clear(struct script *s)
{
	struct code *c, *next;

	HASH_ITER (hh, s->codes, c, next)
		forget(s, c);
}

void script_free(struct script *s)
{
	if (s == NULL)
		return;
	clear(s);
	free(s);
}

/* The piece at `at` of those that were told, and where the next one is; NULL: there is none that is whole. */
static const uint8_t *piece_at(const struct script *s, size_t *at, struct wire_piece *ret)
{
	const uint8_t *bytes;

	if (s->told_len - *at < sizeof(*ret))
		return NULL;
	memcpy(ret, s->told + *at, sizeof(*ret));
	bytes = s->told + *at + sizeof(*ret);
	if (ret->bytes > s->told_len - *at - sizeof(*ret))
		return NULL;
	*at += sizeof(*ret) + ret->bytes;
	return bytes;
}

static bool fetch(const struct script *s, uint64_t from, void *to, size_t bytes)
{
	struct wire_piece piece;
	const uint8_t *found;
	size_t at = 0;

	while ((found = piece_at(s, &at, &piece)) != NULL) {
		if (from < piece.address || from - piece.address > piece.bytes || bytes > piece.bytes - (from - piece.address))
			continue;
		memcpy(to, found + (from - piece.address), bytes);
		return true;
	}
	return process_memory_read(s->pid, from, to, bytes);
}

/* One character as UTF-8; how many bytes. */
static size_t put_character(char *to, uint32_t c)
{
	const unsigned int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};

	to[0] = (char)(heads[more] | c >> (6 * more));
	for (unsigned int i = 1; i <= more; i++)
		to[i] = (char)(0x80U | (c >> (6 * (more - i)) & 63U));
	return more + 1U;
}

/* The last characters of a string that is too long say more than the first: it is a path. */
static bool fetch_text(const struct script *s, const struct cpython *l, uint64_t at, char *to)
{
	uint8_t raw[4 * SYMBOL_TEXT];
	uint64_t length, skip, n = 0;
	uint32_t state;

	if (!fetch(s, at + CPYTHON_SIZE_AT, &length, sizeof(length)) || !fetch(s, at + CPYTHON_STATE_AT, &state, sizeof(state)))
		return false;

	const unsigned int width = state >> 2 & 7U; /* bytes a character */
	const bool ascii = state & 64U;

	if (cpython_string_bytes(l, length, state) == 0)
		return false;
	/* Three bytes or four of UTF-8 for what is not ASCII. */
	const uint64_t most = ascii ? SYMBOL_TEXT - 1 : (SYMBOL_TEXT - 1) / 4;

	skip = length > most ? length - most : 0;
	if (!fetch(s, at + (ascii ? l->ascii : l->compact) + skip * width, raw, (length - skip) * width))
		return false;
	for (uint64_t i = 0; i < length - skip; i++) {
		uint32_t c = 0;

		memcpy(&c, raw + i * width, width); /* the lowest byte comes first */
		n += put_character(to + n, c < 32 || c > 0x10ffff ? '?' : c);
	}
	to[n] = '\0';
	return true;
}

static bool is_code_type(struct script *s, uint64_t type)
{
	char name[sizeof("code")] = "";
	uint64_t at;

	if (s->type != 0)
		return type == s->type;
	if (s->told_len > 0) { /* the shim has compared it with the interpreter's own */
		s->type = type;
		return true;
	}
	if (!fetch(s, type + CPYTHON_TYPE_NAME_AT, &at, sizeof(at)) || !fetch(s, at, name, sizeof(name)) ||
	    memcmp(name, "code", sizeof(name)) != 0)
		return false;
	s->type = type;
	return true;
}

static void fetch_code(struct script *s, const struct cpython *l, struct code *c)
{
	uint64_t length;

	c->is_code = fetch_text(s, l, c->name, c->function) && fetch_text(s, l, c->file, c->path) && c->function[0] != '\0' &&
		     strncmp(c->function, "<interpreter", strlen("<interpreter")) != 0;
	if (!c->is_code || !fetch(s, c->lines + CPYTHON_SIZE_AT, &length, sizeof(length)) || length == 0 || length > TABLE_MAX)
		return;
	c->table = malloc(length);
	if (c->table != NULL && fetch(s, c->lines + CPYTHON_BYTES_AT, c->table, length))
		c->table_len = length;
}

static struct code *code_at(struct script *s, const struct cpython *l, uint64_t address)
{
	uint8_t raw[CPYTHON_CODE_BYTES];
	uint64_t type;
	struct code *c, now = {.address = address};

	HASH_FIND(hh, s->codes, &address, sizeof(address), c);
	if (address % sizeof(uint64_t) != 0)
		return NULL;
	if (!fetch(s, address, raw, sizeof(raw))) /* the process is gone: what was told of it holds */
		return c;
	memcpy(&type, raw + CPYTHON_TYPE_AT, sizeof(type));
	memcpy(&now.first, raw + l->first, sizeof(now.first));
	memcpy(&now.name, raw + l->name, sizeof(now.name));
	memcpy(&now.file, raw + l->file, sizeof(now.file));
	memcpy(&now.lines, raw + l->lines, sizeof(now.lines));
	if (!is_code_type(s, type))
		return NULL;
	if (c != NULL && c->name == now.name && c->file == now.file && c->lines == now.lines && c->first == now.first)
		return c;
	if (c != NULL)
		forget(s, c);
	if (HASH_COUNT(s->codes) >= LIMIT_SCRIPT_CODES)
		clear(s);
	c = malloc(sizeof(*c));
	if (c == NULL)
		return NULL;
	*c = now;
	fetch_code(s, l, c);
	HASH_ADD(hh, s->codes, address, sizeof(c->address), c);
	HASH_FIND(hh, s->codes, &address, sizeof(address), c);
	return c;
}

void script_learn(struct script *s, uint32_t version, const uint8_t *pieces, size_t len)
{
	const struct cpython *l = cpython_find(version);
	struct wire_piece piece;
	size_t at = 0;

	s->told = pieces;
	s->told_len = len;
	while (l != NULL && piece_at(s, &at, &piece) != NULL) {
		if (piece.is_code)
			(void)code_at(s, l, piece.address);
	}
	s->told_len = 0;
}

/* Whose code is it? Sets the module's name; true for what was installed and not written for this service. */
static bool belongs_to_library(const char *path, uint32_t version, char *module)
{
	static const char *const packages[] = {"/site-packages/", "/dist-packages/"};
	const char *slash = strrchr(path, '/');
	char library[32];

	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
		const char *at = strstr(path, packages[i]);

		if (at != NULL) {
			at += strlen(packages[i]);
			snprintf(module, SYMBOL_TEXT, "site-packages/%.*s", (int)strcspn(at, "/"), at);
			return true;
		}
	}
	snprintf(library, sizeof(library), "/lib/python3.%u/", version & 0xff);
	if (path[0] == '<' || strstr(path, library) != NULL) {
		snprintf(module, SYMBOL_TEXT, "python3.%u", version & 0xff);
		return true;
	}
	snprintf(module, SYMBOL_TEXT, "%s", slash != NULL ? slash + 1 : path);
	return false;
}

bool script_find(struct script *s, uint32_t version, const struct wire_script_frame *f, struct symbol *ret, char *ret_module)
{
	const struct cpython *l = cpython_find(version);
	const struct code *c;
	uint64_t at = f->at;

	c = l != NULL ? code_at(s, l, f->code) : NULL;
	if (c == NULL || !c->is_code)
		return false;
	if (l->instructions != 0)
		at = at >= f->code + l->instructions ? (at - f->code - l->instructions) / 2 : 0;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->function, c->function, sizeof(ret->function));
	memcpy(ret->file, c->path, sizeof(ret->file));
	ret->line = script_line(version, c->first, c->table, c->table_len, at);
	ret->runtime = belongs_to_library(c->path, version, ret_module);
	return true;
}
