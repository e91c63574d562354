/* See go_goroutine.h. Go's src/runtime/runtime2.go (g, gobuf). */
#include "commands/go_goroutine.h"

#include <stddef.h>

#include "core/process_memory.h"

/* Words of a goroutine. The frame pointer follows the stack pointer at a distance that has changed. */
enum { G_LOW, G_HIGH, G_SP = 7, G_SELF = 9, G_BP_FIRST = 11, G_BP_LAST = 13, G_WORDS };

static bool on_stack(const uint64_t *g, uint64_t bp)
{
	return bp > g[G_SP] && bp < g[G_HIGH] && bp % sizeof(bp) == 0;
}

bool go_goroutine_callers(uint32_t pid, uint64_t at, uint64_t callers[GO_CALLERS])
{
	uint64_t g[G_WORDS], frame[2], bp = 0;
	size_t n = 0;

	if (at == 0 || !process_memory_read(pid, at, g, sizeof(g)) || g[G_SELF] != at || g[G_LOW] >= g[G_HIGH])
		return false;
	for (size_t i = G_BP_FIRST; bp == 0 && i <= G_BP_LAST; i++)
		if (g[G_SP] > g[G_LOW] && on_stack(g, g[i]))
			bp = g[i];
	while (bp != 0 && n < GO_CALLERS && process_memory_read(pid, bp, frame, sizeof(frame))) {
		callers[n++] = frame[1];
		bp = frame[0] > bp && on_stack(g, frame[0]) ? frame[0] : 0;
	}
	if (n < GO_CALLERS)
		callers[n] = 0;
	return true;
}
