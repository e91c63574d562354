/* See begun.h. */
#include "commands/begun.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/monotonic.h"

#define SECOND_NS 1000000000ULL
/* A thread that was interrupted goes on when it gets a processor, on a busy machine late: it is looked at so often before it counts as gone. */
#define RUNS_MAX 5U
#define RUNS_AGAIN_NS (SECOND_NS / 10)

static bool is_noted(const struct begun *b, pid_t tid)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->all[i].call.tid == (uint32_t)tid)
			return true;
	return false;
}

void begun_note(struct begun *b, const struct ingest *in, pid_t pid)
{
	const struct dirent *entry;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);

	DIR *d = opendir(path);

	while (d != NULL && b->n < BEGUN_MAX && (entry = readdir(d)) != NULL) {
		const pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0 || is_noted(b, tid) || !under_way(pid, tid, &b->all[b->n].call, &b->all[b->n].sp) ||
		    ingest_in_flight(in, (uint32_t)pid, (uint32_t)tid))
			continue;
		b->all[b->n++].runs = 0;
	}
	if (d != NULL)
		closedir(d);
	b->next_ns = 0;
}

void begun_tell(struct begun *b, struct ingest *in)
{
	struct under_way_record r;
	const uint64_t now = monotonic_ns();
	size_t kept = 0;

	if (b->n == 0 || now < b->next_ns)
		return;
	b->next_ns = now + SECOND_NS;
	for (size_t i = 0; i < b->n; i++) {
		const struct probe_slot *s = &b->all[i].call;
		const enum under_way_state state = under_way_still(s, b->all[i].sp);

		b->all[i].runs = state == UNDER_WAY_RUNS ? b->all[i].runs + 1 : 0;
		if (state == UNDER_WAY_OVER || b->all[i].runs > RUNS_MAX || ingest_in_flight(in, s->tgid, s->tid))
			continue;
		if (state == UNDER_WAY_RUNS)
			b->next_ns = now + RUNS_AGAIN_NS;
		else if (under_way_record(s, now, &r))
			ingest_push(in, s->tgid, s->tid, &r.record, (const uint8_t *)r.set);
		b->all[kept++] = b->all[i];
	}
	b->n = kept;
}
