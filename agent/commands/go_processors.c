/* See go_processors.h. Go's src/runtime/runtime2.go (p), mwbbuf.go (wbBuf), proc.go (p.init). */
#include "commands/go_processors.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/maps.h"
#include "core/process_memory.h"

#define WORD sizeof(uint64_t)
#define PAGE 4096U
#define P_BYTES (5U * PAGE)
#define P_WORDS (P_BYTES / WORD)
#define P_MAX 4096U        /* processors */
#define STATES 5U          /* of a processor */
#define WAITERS 128U       /* sudogbuf */
#define BARRIER_WORDS 512U /* wbBuf.buf */
#define CHUNK (16U * PAGE) /* of variables */
#define VARIABLES_MAX (1U << 28)

size_t go_memory_read(uint32_t pid, uint64_t from, void *to, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		const size_t in_page = PAGE - (from + done) % PAGE, n = bytes - done < in_page ? bytes - done : in_page;

		if (!process_memory_read(pid, from + done, (uint8_t *)to + done, n))
			break;
		done += n;
	}
	return done;
}

static bool id_is(uint32_t pid, uint64_t p, uint32_t id)
{
	uint32_t head[2]; /* id, status */

	return p != 0 && p % WORD == 0 && process_memory_read(pid, p, head, sizeof(head)) && head[0] == id && head[1] < STATES;
}

/* Where in the processor at `p` the lock of its timers is; 0 if this is none. */
static uint64_t lock_in(uint32_t pid, uint64_t p)
{
	uint64_t w[P_WORDS];
	const size_t n = go_memory_read(pid, p, w, sizeof(w)) / WORD;
	bool waiters = false;

	for (size_t i = 0; i + 3 <= n; i++) {
		const uint64_t behind = p + (i + 3) * WORD;

		waiters = waiters || (w[i] == behind && w[i + 1] <= WAITERS && w[i + 2] == WAITERS);
		if (!waiters || w[i + 1] != p + (i + 2 + BARRIER_WORDS) * WORD || w[i] < p + (i + 2) * WORD || w[i] > w[i + 1])
			continue;
		return (i + 2 + BARRIER_WORDS + 1) * WORD;
	}
	return 0;
}

int go_processors_check(uint32_t pid, const uint64_t slice[3], struct go_processors *ret)
{
	uint64_t first, last, lock;

	if (slice[0] == 0 || slice[0] % WORD != 0 || slice[1] == 0 || slice[1] > slice[2] || slice[2] > P_MAX ||
	    !process_memory_read(pid, slice[0], &first, WORD) ||
	    !process_memory_read(pid, slice[0] + (slice[1] - 1) * WORD, &last, WORD) || !id_is(pid, first, 0) ||
	    !id_is(pid, last, (uint32_t)slice[1] - 1))
		return -ENOENT;
	lock = lock_in(pid, first);
	if (lock == 0 || lock_in(pid, last) != lock)
		return -ENOENT;
	*ret = (struct go_processors){.array = slice[0], .n = (size_t)slice[1], .lock = lock};
	return 0;
}

struct search {
	uint32_t pid;
	char program[PATH_MAX];
	uint64_t end; /* of the program's variables so far */
	bool found, differ;
	struct go_processors processors;
};

static void search_words(struct search *s, const uint64_t *w, size_t n)
{
	struct go_processors p;

	for (size_t i = 0; i + 3 <= n; i++) {
		if (go_processors_check(s->pid, w + i, &p) < 0)
			continue;
		s->differ = s->differ || (s->found && (p.array != s->processors.array || p.n != s->processors.n));
		s->processors = p;
		s->found = true;
	}
}

/* Its variables: what is mapped of the program for writing, and what follows it without a file. */
static bool search_mapping(void *ctx, const struct mapping *m)
{
	struct search *s = ctx;
	uint64_t w[CHUNK / WORD + 2];
	const bool own = strcmp(m->path, s->program) == 0;

	if (!m->read || !m->write || m->end - m->start > VARIABLES_MAX || !(own || (m->path[0] == '\0' && m->start == s->end)))
		return false;
	s->end = m->end;
	for (uint64_t at = m->start; at < m->end; at += CHUNK) {
		const uint64_t left = m->end - at;
		const size_t want = left < sizeof(w) ? (size_t)left : sizeof(w);

		search_words(s, w, go_memory_read(s->pid, at, w, want) / WORD);
	}
	return false;
}

int go_processors_find(uint32_t pid, struct go_processors *ret)
{
	struct search s = {.pid = pid};
	char exe[64];
	ssize_t n;
	int e;

	snprintf(exe, sizeof(exe), "/proc/%u/exe", pid);
	n = readlink(exe, s.program, sizeof(s.program) - 1);
	if (n < 0)
		return -errno;
	e = maps_walk((pid_t)pid, search_mapping, &s);
	if (e < 0)
		return e;
	if (!s.found || s.differ)
		return -ENOENT;
	*ret = s.processors;
	return 0;
}
