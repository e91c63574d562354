/* A system call as the probes tell it, and the record that came of it. For the tests of translate*.c. */
#ifndef GAPSCOPE_TESTS_UNIT_PROBES_TRANSLATED_H
#define GAPSCOPE_TESTS_UNIT_PROBES_TRANSLATED_H

#include <string.h>

#include "probes/translate.h"
#include "test.h"

#define WALL_NS 1000000000000000000ULL

static struct translated to;

static inline struct wire_record *make(uint16_t nr, int64_t ret, const uint64_t *args, const void *data, uint32_t len)
{
	struct probe_call c = {.kind = PROBE_CALL,
			       .nr = nr,
			       .t0 = 5000000000ULL,
			       .t1 = 6000000000ULL,
			       .ret = ret,
			       .limit = -1,
			       .data_len = len,
			       .wanted = len,
			       .site = 7,
			       .policy = WIRE_POLICY_HEAD_1K};

	memcpy(c.args, args, sizeof(c.args));
	return translate_call(&c, data, WALL_NS, &to) ? &to.record : NULL;
}
#define MAKE(nr, ret, data, len, ...) make(nr, ret, (const uint64_t[6]){__VA_ARGS__}, data, len)

#endif
