/*
 * Where things lie in CPython's objects, by version: offsets of its own headers. The shim walks a thread's frames by them and copies what names
 * them; the agent reads these copies, and the process's memory. A version that has no row is left alone.
 *
 * May be included by preload/, agent/ingest and the tests of these.
 */
#ifndef GAPSCOPE_WIRE_CPYTHON_H
#define GAPSCOPE_WIRE_CPYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPYTHON_NO_STEP UINT16_MAX

#define CPYTHON_TYPE_AT 8U       /* an object's type */
#define CPYTHON_TYPE_NAME_AT 24U /* a type's name */
#define CPYTHON_SIZE_AT 16U      /* of a bytes object, and of a string */
#define CPYTHON_BYTES_AT 32U     /* where the bytes of a bytes object begin */
#define CPYTHON_STATE_AT 32U     /* of a string: how its characters are kept */
#define CPYTHON_CODE_BYTES 208U  /* the longest part of a code object that is read */

struct cpython {
	uint16_t version; /* major << 8 | minor */
	/* frames */
	uint16_t state_first; /* in the thread's state: the innermost frame, or what leads to it */
	uint16_t second;      /* there: the innermost frame; CPYTHON_NO_STEP: the first was it */
	uint16_t code, back, at;
	bool number; /* `at` is an int, the number of the instruction */
	uint16_t
		depth; /* in the thread's state: the top of its stack of frames, behind the start of that; 0: frames lie anywhere */
	/* code objects */
	uint16_t first, name, file, lines;
	uint16_t instructions;   /* where these begin in it; 0: frames say an instruction's number */
	uint16_t ascii, compact; /* where a string's characters begin: ASCII ones, and others */
};

#define CPYTHON_TO_310(number_, at_) \
	{ \
		.version = (number_), .state_first = 24, .second = CPYTHON_NO_STEP, .code = 32, .back = 24, .at = (at_), \
		.number = true, .first = 40, .name = 112, .file = 104, .lines = 120, .ascii = 48, .compact = 72 \
	}

static const struct cpython cpythons[] = {
	CPYTHON_TO_310(0x308, 104),
	CPYTHON_TO_310(0x309, 104),
	CPYTHON_TO_310(0x30a, 96),
	{.version = 0x30b,
	 .state_first = 56,
	 .second = 8,
	 .code = 32,
	 .back = 48,
	 .at = 56,
	 .depth = 304,
	 .first = 72,
	 .name = 120,
	 .file = 112,
	 .lines = 136,
	 .instructions = 184,
	 .ascii = 48,
	 .compact = 72},
	{.version = 0x30c,
	 .state_first = 56,
	 .second = 0,
	 .code = 0,
	 .back = 8,
	 .at = 56,
	 .depth = 240,
	 .first = 68,
	 .name = 120,
	 .file = 112,
	 .lines = 136,
	 .instructions = 192,
	 .ascii = 40,
	 .compact = 56},
	{.version = 0x30d,
	 .state_first = 72,
	 .second = CPYTHON_NO_STEP,
	 .code = 0,
	 .back = 8,
	 .at = 56,
	 .depth = 240,
	 .first = 68,
	 .name = 120,
	 .file = 112,
	 .lines = 136,
	 .instructions = 200,
	 .ascii = 40,
	 .compact = 56},
};

/* NULL: a version that is not known. */
static inline const struct cpython *cpython_find(uint32_t version)
{
	for (size_t i = 0; i < sizeof(cpythons) / sizeof(cpythons[0]); i++) {
		if (cpythons[i].version == version)
			return &cpythons[i];
	}
	return NULL;
}

/* How many bytes of a string belong to it, from its beginning on, given its length and its state. 0: its characters lie elsewhere. */
static inline uint64_t cpython_string_bytes(const struct cpython *l, uint64_t length, uint32_t state)
{
	const uint32_t width = state >> 2 & 7U; /* bytes a character */
	const bool compact = state & 32U, ascii = state & 64U;

	if (!compact || (width != 1 && width != 2 && width != 4) || length == 0 || length > 65536)
		return 0;
	return (ascii ? l->ascii : l->compact) + length * width;
}

#endif
