/*
 * Looks through the mappings. See resident.h.
 */
#include "attach/resident.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/maps.h"
#include "wire/attach.h"
#include "wire/shared.h"

#define SESSION_MAPPING "/memfd:gapscope (deleted)"

struct search {
	struct resident *r;
	int mem;
	const uint8_t *build_id;
	size_t build_id_len;
	uint64_t tried; /* base of the shim that was looked at last */
};

static bool is_libc(const char *name)
{
	return strcmp(name, "libc.so.6") == 0 || strncmp(name, "libc-2.", 7) == 0;
}

static void take_shim(struct search *s, uint64_t base)
{
	struct elf_image e;
	struct wire_attach_note note;
	const uint8_t *found;
	uint64_t at = 0, id_at = 0;
	size_t len = 0;

	if (elf_read_memory(s->mem, base, &e) < 0)
		return;
	found = elf_note(&e, WIRE_ATTACH_NOTE_NAME, WIRE_ATTACH_NOTE_TYPE, &len, &at);
	if (found && len == sizeof(note)) {
		memcpy(&note, found, sizeof(note));
		s->r->copies++;
		found = elf_note(&e, "GNU", NT_GNU_BUILD_ID, &len, &id_at);
		if (!s->build_id_len || (found && len == s->build_id_len && memcmp(found, s->build_id, len) == 0)) {
			s->r->shim = base;
			s->r->attach = at + (uint64_t)(int64_t)note.attach;
			s->r->detach = at + sizeof(note.attach) + (uint64_t)(int64_t)note.detach;
		}
	}
	elf_done(&e);
}

static bool look(void *ctx, const struct mapping *m)
{
	struct search *s = ctx;
	const char *name = maps_base(m->path);

	if (is_libc(name)) {
		if (!s->r->libc || m->start < s->r->libc)
			s->r->libc = m->start;
		s->r->libc_end = m->end;
	}
	/* Its loader is its libc; where that is a link, the file has the other name. */
	if (strncmp(name, "ld-musl", 7) == 0 || strcmp(name, "libc.so") == 0)
		s->r->musl = true;
	/* Its tables: the rings behind them are mappings of their own. */
	if (m->offset == 0 && strcmp(m->path, SESSION_MAPPING) == 0)
		s->r->session = m->start;
	if (m->offset == 0 && m->start != s->tried &&
	    (strncmp(name, "memfd:" RESIDENT_MEMFD, strlen("memfd:" RESIDENT_MEMFD)) == 0 || strcmp(name, "libgapscope.so") == 0)) {
		s->tried = m->start;
		take_shim(s, m->start);
	}
	return false;
}

int resident_find(pid_t pid, int mem, const uint8_t *build_id, size_t build_id_len, struct resident *ret)
{
	struct resident r = {0};
	struct search s = {.r = &r, .mem = mem, .build_id = build_id, .build_id_len = build_id_len};
	int e = maps_walk(pid, look, &s);

	if (e < 0)
		return e;
	*ret = r;
	return 0;
}

pid_t resident_agent(pid_t pid)
{
	struct wire_header h = {0};
	struct resident r;
	char path[64];
	pid_t agent = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);

	int mem = open(path, O_RDONLY | O_CLOEXEC);

	if (mem < 0)
		return 0;
	if (resident_find(pid, mem, NULL, 0, &r) == 0 && r.session &&
	    pread(mem, &h, sizeof(h), (off_t)r.session) == (ssize_t)sizeof(h) && h.magic == WIRE_MAGIC && h.agent_pid > 0 &&
	    kill((pid_t)h.agent_pid, 0) == 0)
		agent = (pid_t)h.agent_pid;
	close(mem);
	return agent;
}
