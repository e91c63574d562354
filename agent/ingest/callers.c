/* Callers by looking for return addresses: see callers.h. */
#include "ingest/callers.h"

#include <libunwind.h>
#include <string.h>

#include "ingest/cpu.h"

#define FUNCTION_BYTES 8192U /* a callee begins at most so far before the place where it is */
#define JUMP_BYTES 128U      /* of a callee searched for a jump to the next one */
#define JUMPS 3U
#define CALL_DIRECT 0xe8U
#define JUMP_DIRECT 0xe9U
#define DIRECT_BYTES 5U
#define CALL_GROUP 0xffU /* with 2 in the middle of the next byte: a call through a register or memory */
#define CALL_GROUP_MASK 0x38U
#define CALL_GROUP_CALL 0x10U

static bool code_at(const struct space *s, uint64_t at, void *to, size_t n)
{
	const struct module *m = space_find(s, at);
	struct image *img = m != NULL ? object_image(m->object) : NULL;

	return img != NULL && image_read(img, at - m->bias, to, n);
}

static uint64_t direct_target(uint64_t at, const uint8_t *code)
{
	int32_t distance;

	memcpy(&distance, code + 1, sizeof(distance));
	return at + DIRECT_BYTES + (uint64_t)(int64_t)distance;
}

/* Where the function that holds `pc` begins; 0 if no symbol says so. */
static uint64_t entry_of(const struct space *s, uint64_t pc)
{
	const struct module *m = space_find(s, pc);
	struct symbols *symbols = m != NULL ? object_symbols(m->object) : NULL;
	struct symbol at = {.entry = 0};

	if (symbols != NULL)
		symbols_find(symbols, pc - m->bias, false, &at);
	return at.entry != 0 ? m->bias + at.entry : 0;
}

/* What runs: where it is, and where its function begins if that is known. */
struct place {
	uint64_t pc, entry;
};

/* Does what begins at `callee` hold the place, or jump to what does? */
static bool leads_to(const struct space *s, uint64_t callee, const struct place *at, unsigned int jumps)
{
	uint8_t code[JUMP_BYTES];

	if (at->entry != 0 ? callee == at->entry : callee <= at->pc && at->pc - callee < FUNCTION_BYTES)
		return true;
	if (jumps == 0 || !code_at(s, callee, code, sizeof(code)))
		return false;
	for (size_t i = 0; i + DIRECT_BYTES <= sizeof(code); i++)
		if (code[i] == JUMP_DIRECT && leads_to(s, direct_target(callee + i, code + i), at, jumps - 1))
			return true;
	return false;
}

enum call { CALL_NONE, CALL_HERE, CALL_SOMEWHERE };

/* Is `word` an address behind a call: one that leads here, or one through a pointer, which could? */
static enum call call_before(const struct space *s, uint64_t word, const struct place *at)
{
	uint8_t code[7];

	if (word < sizeof(code) || !code_at(s, word - sizeof(code), code, sizeof(code)))
		return CALL_NONE;
	if (code[2] == CALL_DIRECT && leads_to(s, direct_target(word - DIRECT_BYTES, code + 2), at, JUMPS))
		return CALL_HERE;
	/* Calls through a pointer are two to seven bytes long. */
	for (size_t len = 2; len <= sizeof(code); len++) {
		const uint8_t *c = code + sizeof(code) - len;

		if (c[0] == CALL_GROUP && (c[1] & CALL_GROUP_MASK) == CALL_GROUP_CALL && (len == 2 ? c[1] >= 0xd0 : c[1] < 0xc0))
			return CALL_SOMEWHERE;
	}
	return CALL_NONE;
}

/* The word that returns to the caller, from word `from` on; `words` if there is none. Buffers hold what earlier calls left: so a call that
 * leads here is taken before one that only could. */
static uint32_t caller_of(const struct space *s, const uint8_t *bytes, uint32_t from, uint32_t words, uint64_t pc)
{
	const struct place at = {.pc = pc, .entry = entry_of(s, pc)};
	uint32_t likely = words;

	for (uint32_t i = from; i < words; i++) {
		enum call call;
		uint64_t word;

		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		call = call_before(s, word, &at);
		if (call == CALL_HERE)
			return i;
		if (call == CALL_SOMEWHERE && likely == words)
			likely = i;
	}
	return likely;
}

size_t callers_find(const struct space *s, const struct wire_stack *stack, const uint8_t *bytes, uint64_t *pcs, size_t max)
{
	const uint32_t words = stack->bytes_len / sizeof(uint64_t);
	size_t n = 0;

	if (max == 0 || cpu_stack_reg(stack, UNW_REG_IP, &pcs[0]) < 0)
		return 0;
	n = 1;
#if defined(__x86_64__)
	for (uint32_t i = 0; i < words && n < max; i++) {
		uint64_t word;

		i = caller_of(s, bytes, i, words, pcs[n - 1]);
		if (i == words)
			break;
		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		pcs[n++] = word - 1;
	}
#else
	(void)s;
	(void)bytes;
	(void)words;
	(void)caller_of;
#endif
	return n;
}
