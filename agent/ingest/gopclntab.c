/*
 * Reads .gopclntab: see gopclntab.h. Layout as in Go's src/runtime/symtab.go (pcHeader, functab, _func) for the versions of 1.18 and 1.20;
 * later ones kept it.
 *
 *   header   magic u32, 0 0, pc quantum u8, pointer size u8, then words: functions, files, text, offsets of names, compilation units,
 *            files, pc tables, functions
 *   functab  { u32 entry - text, u32 offset of its _func } for each function by address, and the end of the last one
 *   _func    u32 entry, i32 name, i32 args, u32 deferreturn, u32 pcsp, u32 pcfile, u32 pcln, u32 npcdata, u32 unit …
 *   pc table  steps { signed value change, pc change }, both varints: the value holds up to that pc
 */
#include "ingest/gopclntab.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC_1_18 0xfffffff0U
#define MAGIC_1_20 0xfffffff1U
#define TABLE_MAX (512ULL << 20)
#define SECTIONS_MAX 4096U
#define NAMES_MAX 65536U
#define STEPS_MAX 100000U
#define HEADER_BYTES 72U
#define FUNC_BYTES 36U

/* Words of the header behind its first eight bytes. */
enum { WORD_FUNCTIONS, WORD_FILES, WORD_TEXT, WORD_NAMES, WORD_UNITS, WORD_FILE_NAMES, WORD_STEPS, WORD_FUNCTAB, WORDS };
/* Offsets in _func. */
enum { FUNC_NAME = 4, FUNC_PCSP = 16, FUNC_PCFILE = 20, FUNC_PCLN = 24, FUNC_UNIT = 32 };

struct gopclntab {
	uint8_t *bytes;
	size_t len;
	uint64_t text, functions;
	uint64_t names, units, file_names, steps, functab; /* offsets */
	uint8_t quantum;
};

static bool read_at(const struct gopclntab *t, uint64_t at, void *to, size_t n)
{
	if (at > t->len || n > t->len - at)
		return false;
	memcpy(to, t->bytes + at, n);
	return true;
}

static bool u32_at(const struct gopclntab *t, uint64_t at, uint32_t *ret)
{
	return read_at(t, at, ret, sizeof(*ret));
}

/* A text of the table; "" if it does not end in it. */
static const char *text_at(const struct gopclntab *t, uint64_t at)
{
	if (at >= t->len || memchr(t->bytes + at, '\0', t->len - at) == NULL)
		return "";
	return (const char *)t->bytes + at;
}

int gopclntab_read(const uint8_t *bytes, size_t len, uint64_t text, struct gopclntab **ret)
{
	uint64_t words[WORDS];
	uint32_t magic;
	struct gopclntab *t;

	if (len < HEADER_BYTES || len > TABLE_MAX)
		return -EBADMSG;
	memcpy(&magic, bytes, sizeof(magic));
	if ((magic != MAGIC_1_18 && magic != MAGIC_1_20) || bytes[4] != 0 || bytes[5] != 0 || bytes[6] == 0 || bytes[7] != 8)
		return -ENOENT;
	memcpy(words, bytes + 8, sizeof(words));
	for (size_t i = WORD_NAMES; i < WORDS; i++)
		if (words[i] >= len)
			return -EBADMSG;
	if (words[WORD_FUNCTIONS] == 0 || words[WORD_FUNCTIONS] > (len - words[WORD_FUNCTAB]) / 8)
		return -EBADMSG;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->bytes = malloc(len);
	if (t->bytes == NULL) {
		free(t);
		return -ENOMEM;
	}
	memcpy(t->bytes, bytes, len);
	t->len = len;
	/* Newer programs, and those that can be loaded anywhere, have it filled in later or not at all. */
	t->text = words[WORD_TEXT] != 0 ? words[WORD_TEXT] : text;
	t->functions = words[WORD_FUNCTIONS];
	t->names = words[WORD_NAMES];
	t->units = words[WORD_UNITS];
	t->file_names = words[WORD_FILE_NAMES];
	t->steps = words[WORD_STEPS];
	t->functab = words[WORD_FUNCTAB];
	t->quantum = bytes[6];
	*ret = t;
	return 0;
}

static bool pread_all(int fd, void *to, size_t n, uint64_t at)
{
	return at <= INT64_MAX && pread(fd, to, n, (off_t)at) == (ssize_t)n;
}

struct sections {
	Elf64_Shdr *headers;
	size_t n;
	char *names;
	size_t names_len;
};

static int sections_read(int fd, struct sections *s)
{
	Elf64_Ehdr e;

	if (!pread_all(fd, &e, sizeof(e), 0) || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_shentsize != sizeof(Elf64_Shdr) || e.e_shnum == 0 || e.e_shnum > SECTIONS_MAX || e.e_shstrndx >= e.e_shnum)
		return -ENOENT;
	s->n = e.e_shnum;
	s->headers = calloc(s->n, sizeof(*s->headers));
	if (s->headers == NULL)
		return -ENOMEM;
	if (!pread_all(fd, s->headers, s->n * sizeof(*s->headers), e.e_shoff))
		return -EBADMSG;
	s->names_len = s->headers[e.e_shstrndx].sh_size;
	if (s->names_len == 0 || s->names_len > NAMES_MAX)
		return -EBADMSG;
	s->names = calloc(1, s->names_len + 1);
	if (s->names == NULL)
		return -ENOMEM;
	return pread_all(fd, s->names, s->names_len, s->headers[e.e_shstrndx].sh_offset) ? 0 : -EBADMSG;
}

static const Elf64_Shdr *section(const struct sections *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->headers[i].sh_name < s->names_len && strcmp(s->names + s->headers[i].sh_name, name) == 0)
			return &s->headers[i];
	return NULL;
}

int gopclntab_open(int fd, struct gopclntab **ret)
{
	struct sections s = {0};
	uint8_t *bytes = NULL;
	int r = sections_read(fd, &s);

	if (r < 0)
		goto out;

	const Elf64_Shdr *table = section(&s, ".gopclntab");
	const Elf64_Shdr *text = section(&s, ".text");

	if (table == NULL)
		table = section(&s, ".data.rel.ro.gopclntab");
	r = -ENOENT;
	if (table == NULL || table->sh_type == SHT_NOBITS || table->sh_size > TABLE_MAX)
		goto out;
	r = -ENOMEM;
	bytes = malloc(table->sh_size + 1);
	if (bytes == NULL)
		goto out;
	r = pread_all(fd, bytes, table->sh_size, table->sh_offset)
		    ? gopclntab_read(bytes, table->sh_size, text != NULL ? text->sh_addr : 0, ret)
		    : -EBADMSG;
out:
	free(bytes);
	free(s.headers);
	free(s.names);
	return r;
}

void gopclntab_free(struct gopclntab *t)
{
	if (t == NULL)
		return;
	free(t->bytes);
	free(t);
}

/* Entry and offset of _func of function i; of the one behind the last only the entry means something. */
static bool function_at(const struct gopclntab *t, uint64_t i, uint64_t *ret_entry, uint64_t *ret_func)
{
	uint32_t entry, func = 0;

	if (!u32_at(t, t->functab + i * 8, &entry) || (i < t->functions && !u32_at(t, t->functab + i * 8 + 4, &func)))
		return false;
	*ret_entry = t->text + entry;
	*ret_func = t->functab + func;
	return true;
}

static bool varint(const struct gopclntab *t, uint64_t *at, uint32_t *ret)
{
	uint32_t n = 0;

	for (unsigned int shift = 0; shift < 35; shift += 7) {
		uint8_t b;

		if (!read_at(t, (*at)++, &b, 1))
			return false;
		if (shift < 32)
			n |= (uint32_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*ret = n;
			return true;
		}
	}
	return false;
}

/* A walk over a pc table: `value` holds from `from` up to `to`. */
struct steps {
	uint64_t at, from, to;
	uint32_t value, n;
};

static struct steps steps_of(const struct gopclntab *t, uint32_t table, uint64_t entry)
{
	return (struct steps){.at = t->steps + table, .from = entry, .to = entry, .value = UINT32_MAX};
}

static bool step(const struct gopclntab *t, struct steps *s)
{
	uint32_t change, length;

	if (s->n == STEPS_MAX || !varint(t, &s->at, &change) || (change == 0 && s->n > 0) || !varint(t, &s->at, &length))
		return false;
	s->n++;
	s->value += change & 1 ? ~(change >> 1) : change >> 1;
	s->from = s->to;
	s->to += (uint64_t)length * t->quantum;
	return true;
}

/* The value that a pc table has at `vaddr`; -1 if it has none. *ret_before (or NULL) is the last address before it where the value was that
 * of the function's first instruction. */
static int32_t value_at(const struct gopclntab *t, uint32_t table, uint64_t entry, uint64_t vaddr, uint64_t *ret_before)
{
	struct steps s = steps_of(t, table, entry);
	uint64_t before = entry;
	uint32_t first = 0;

	while (table != 0 && step(t, &s)) {
		first = s.n == 1 ? s.value : first;
		if (s.value == first)
			before = vaddr < s.to ? vaddr : s.to - 1;
		if (vaddr >= s.to)
			continue;
		if (ret_before != NULL)
			*ret_before = before;
		return (int32_t)s.value;
	}
	return -1;
}

static const char *file_of(const struct gopclntab *t, uint32_t unit, int32_t number)
{
	uint32_t name;

	if (number < 0 || !u32_at(t, t->units + ((uint64_t)unit + (uint32_t)number) * 4, &name) || name == UINT32_MAX)
		return "";
	return text_at(t, t->file_names + name);
}

/* The function that vaddr is in: its entry, and its _func. */
static bool function_of(const struct gopclntab *t, uint64_t vaddr, uint64_t *ret_entry, uint8_t f[FUNC_BYTES])
{
	uint64_t low = 0, high = t->functions, entry, func, end, none;

	/* The last function that does not begin behind vaddr. */
	while (low < high) {
		const uint64_t mid = low + (high - low) / 2;

		if (!function_at(t, mid, &entry, &func))
			return false;
		if (entry <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || !function_at(t, low - 1, &entry, &func) || !read_at(t, func, f, FUNC_BYTES))
		return false;
	if (function_at(t, low, &end, &none) && vaddr >= end)
		return false;
	*ret_entry = entry;
	return true;
}

bool gopclntab_find(const struct gopclntab *t, uint64_t vaddr, struct gopclntab_place *ret)
{
	uint64_t entry, own = vaddr;
	uint8_t f[FUNC_BYTES];
	uint32_t name, pcfile, pcln, unit;
	int32_t line;

	if (!function_of(t, vaddr, &entry, f))
		return false;
	memcpy(&name, f + FUNC_NAME, sizeof(name));
	memcpy(&pcfile, f + FUNC_PCFILE, sizeof(pcfile));
	memcpy(&pcln, f + FUNC_PCLN, sizeof(pcln));
	memcpy(&unit, f + FUNC_UNIT, sizeof(unit));
	/* Code of another file was inlined here: the call of it is in the line before. */
	if (value_at(t, pcfile, entry, vaddr, &own) < 0)
		own = vaddr;
	line = value_at(t, pcln, entry, own, NULL);
	*ret = (struct gopclntab_place){
		.function = text_at(t, t->names + name),
		.file = file_of(t, unit, value_at(t, pcfile, entry, own, NULL)),
		.line = line > 0 ? (uint32_t)line : 0,
		.entry = entry,
	};
	return ret->function[0] != '\0';
}

uint64_t gopclntab_entry(const struct gopclntab *t, const char *name)
{
	uint64_t entry, func;
	uint32_t at;

	for (uint64_t i = 0; i < t->functions; i++)
		if (function_at(t, i, &entry, &func) && u32_at(t, func + FUNC_NAME, &at) &&
		    strcmp(text_at(t, t->names + at), name) == 0)
			return entry;
	return 0;
}

size_t gopclntab_frameless(const struct gopclntab *t, uint64_t entry, uint64_t *ret, size_t max)
{
	uint8_t f[FUNC_BYTES];
	uint64_t own;
	uint32_t pcsp;
	size_t n = 0;

	if (!function_of(t, entry, &own, f) || own != entry)
		return 0;
	memcpy(&pcsp, f + FUNC_PCSP, sizeof(pcsp));

	struct steps s = steps_of(t, pcsp, entry);

	while (pcsp != 0 && step(t, &s)) {
		if (s.value != 0 || s.from == entry)
			continue;
		if (n < max)
			ret[n] = s.from;
		n++;
	}
	return n;
}

bool gopclntab_is_runtime(const char *function)
{
	static const char *const own[] = {
		"archive",  "bufio",  "bytes",   "cmp",    "compress", "container", "context", "crypto", "database", "debug",
		"encoding", "errors", "expvar",  "flag",   "fmt",      "hash",      "html",    "image",  "index",    "internal",
		"io",       "iter",   "log",     "maps",   "math",     "mime",      "net",     "os",     "path",     "plugin",
		"reflect",  "regexp", "runtime", "slices", "sort",     "strconv",   "strings", "sync",   "syscall",  "testing",
		"text",     "time",   "unicode", "unique", "vendor",   "weak",
	};
	const size_t n = strcspn(function, "/.");

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strlen(own[i]) == n && memcmp(own[i], function, n) == 0)
			return true;
	return false;
}
