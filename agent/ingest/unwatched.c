/*
 * Programs that never spoke (unwatched.h): what EXEC and SPAWN announce must be followed by a PROCESS_START of the same pid.
 */
#include "ingest/unwatched.h"

#include <stdio.h>
#include <string.h>

static struct unwatched_start *find(struct unwatched *u, uint32_t pid)
{
	for (size_t i = 0; i < UNWATCHED_PENDING; i++)
		if (u->pending[i].pid == pid)
			return &u->pending[i];
	return NULL;
}

static void started(struct unwatched *u, uint32_t pid, const struct event *e)
{
	struct unwatched_start *s = find(u, pid);

	if (pid == 0)
		return;
	if (s == NULL)
		s = find(u, 0);
	if (s == NULL)
		return;
	s->pid = pid;
	s->at_ns = e->t1;
	s->asked = false;
	snprintf(s->path, sizeof(s->path), "%.*s", e->data != NULL ? (int)e->data_len : 0,
		 e->data != NULL ? (const char *)e->data : "");
}

static void spoke(struct unwatched *u, uint32_t pid)
{
	struct unwatched_start *s = pid != 0 ? find(u, pid) : NULL;

	if (s != NULL)
		s->pid = 0;
}

void unwatched_event(struct unwatched *u, const struct event *e)
{
	switch (e->id) {
	case WIRE_EXEC:
		if (e->ret == 0)
			started(u, e->pid, e);
		else
			spoke(u, e->pid); /* the old program goes on */
		break;
	case WIRE_SPAWN:
		if (e->ret > 0)
			started(u, (uint32_t)e->ret, e);
		break;
	case WIRE_PROCESS_START:
		spoke(u, e->pid);
		break;
	default:
		break;
	}
}

uint32_t unwatched_silent(struct unwatched *u, uint64_t now_ns, uint64_t for_ns)
{
	for (size_t i = 0; i < UNWATCHED_PENDING; i++) {
		struct unwatched_start *s = &u->pending[i];

		if (s->pid == 0 || s->asked || now_ns < s->at_ns + for_ns)
			continue;
		s->asked = true;
		return s->pid;
	}
	return 0;
}

static bool tell_once(struct unwatched *u, const char *path)
{
	for (size_t i = 0; i < u->told_n; i++)
		if (strcmp(u->told[i], path) == 0)
			return false;
	if (u->told_n == UNWATCHED_TOLD)
		return false;
	memcpy(u->told[u->told_n++], path, UNWATCHED_PATH);
	return true;
}

bool unwatched_next(struct unwatched *u, uint64_t now_ns, bool last, uint32_t *ret_pid, char *text, size_t size)
{
	for (size_t i = 0; i < UNWATCHED_PENDING; i++) {
		struct unwatched_start *s = &u->pending[i];

		if (s->pid == 0 || (!last && now_ns < s->at_ns + UNWATCHED_AFTER_NS))
			continue;
		*ret_pid = s->pid;
		s->pid = 0;
		if (!tell_once(u, s->path))
			continue;
		snprintf(text, size,
			 "%s ran unwatched: it did not load the shim (a static or setuid program, another libc, or a user or "
			 "container that cannot read the library)",
			 s->path[0] != '\0' ? s->path : "a program");
		return true;
	}
	return false;
}
