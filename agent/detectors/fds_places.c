/*
 * Where the descriptors came from that samples of /proc count: of files opened for reading, events, epoll sets, timers and copies, the call that
 * made the number. The shim tells these once descriptors grow (tell_opens), so what is known begins in the middle. See fds.h.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/fds.h"

struct fds_place {
	struct {
		uint32_t pid;
		int32_t fd;
	} key;
	uint32_t stack;
	uint64_t site; /* as findings tell sites apart */
	uint64_t sort; /* of what it leads to */
	UT_hash_handle hh;
};

uint64_t fds_sort(const char *path, size_t len)
{
	static const char gone[] = " (deleted)";
	uint64_t hash = EVIDENCE_HASH_SEED;
	const char *end = path + len, *last = path;

	if (len >= sizeof gone && memcmp(end - (sizeof gone - 1), gone, sizeof gone - 1) == 0)
		end -= sizeof gone - 1;
	for (const char *c = path; c < end; c++)
		if (*c == '/')
			last = c + 1;
	if (end - last == 1 && *last == '*')
		return FDS_SORT_ANY;
	for (bool in_number = false; last < end; last++) {
		const bool digit = isdigit((unsigned char)*last);

		if (!digit || !in_number)
			hash = evidence_hash(hash, digit ? "#" : last, 1);
		in_number = digit;
	}
	return hash;
}

static void forget(struct fds *d, uint32_t pid, int fd)
{
	struct fds_place *p = NULL;
	struct fds_place look = {.key = {.pid = pid, .fd = fd}};

	HASH_FIND(hh, d->places, &look.key, sizeof look.key, p);
	if (p) {
		HASH_DEL(d->places, p);
		free(p);
	}
}

static void remember(struct fds *d, const struct event *e, uint64_t sort)
{
	struct fds_place *p;

	forget(d, e->pid, (int)e->ret);
	if (HASH_COUNT(d->places) >= LIMIT_CONNECTIONS || !(p = calloc(1, sizeof *p)))
		return;
	*p = (struct fds_place){.key = {.pid = e->pid, .fd = (int32_t)e->ret},
				.stack = e->stack,
				.site = evidence_site_hash(d->env.stacks, e->stack),
				.sort = sort};
	HASH_ADD(hh, d->places, key, sizeof p->key, p);
	if (!p->hh.tbl)
		free(p);
}

static void forget_many(struct fds *d, uint32_t pid, int first, uint64_t last)
{
	struct fds_place *p, *next;

	HASH_ITER (hh, d->places, p, next) {
		if ((pid != 0 && p->key.pid != pid) || p->key.fd < first || (uint64_t)p->key.fd > last)
			continue;
		HASH_DEL(d->places, p);
		free(p);
	}
}

void fds_forget_places(struct fds *d, uint32_t pid)
{
	forget_many(d, pid, 0, UINT64_MAX);
}

uint64_t fds_sort_made(const struct event *e)
{
	static const char epoll[] = "anon_inode:[eventpoll]", timer[] = "anon_inode:[timerfd]";

	if (e->id == WIRE_EPOLL_CREATE)
		return fds_sort(epoll, sizeof epoll - 1);
	if (e->id == WIRE_TIMERFD_CREATE)
		return fds_sort(timer, sizeof timer - 1);
	return e->id == WIRE_OPEN && e->data ? fds_sort((const char *)e->data, e->data_len) : FDS_SORT_ANY;
}

void fds_place_event(struct fds *d, const struct event *e)
{
	if (e->id == WIRE_CLOSE) {
		if (e->flags & WIRE_F_RANGE)
			forget_many(d, e->pid, e->fd, e->a0);
		else
			forget(d, e->pid, e->fd);
		return;
	}
	if (e->ret < 0 || e->ret > INT32_MAX || (e->id == WIRE_DUP && e->ret == e->fd) ||
	    (e->id == WIRE_OPEN && ((e->a0 & O_ACCMODE) != O_RDONLY || !e->data)))
		return;
	remember(d, e, fds_sort_made(e));
}

bool fds_sorts_meet(uint64_t a, uint64_t b)
{
	return a == b || a == FDS_SORT_ANY || b == FDS_SORT_ANY;
}

static bool is_of(const struct fds_place *p, uint32_t pid, uint64_t sort)
{
	return p->key.pid == pid && p->site != 0 && fds_sorts_meet(p->sort, sort);
}

/* The site that made more than half of them: it alone can survive being crossed out against each other. */
uint32_t fds_place_of(const struct fds *d, uint32_t pid, const char *pattern)
{
	const uint64_t sort = fds_sort(pattern, strlen(pattern));
	const struct fds_place *best = NULL;
	uint64_t lead = 0, all = 0, its = 0;

	for (const struct fds_place *p = d->places; p; p = p->hh.next) {
		if (!is_of(p, pid, sort))
			continue;
		if (lead == 0)
			best = p;
		if (p->site == best->site)
			lead++;
		else
			lead--;
	}
	for (const struct fds_place *p = best ? d->places : NULL; p; p = p->hh.next) {
		all += is_of(p, pid, sort);
		its += is_of(p, pid, sort) && p->site == best->site;
	}
	return its >= FDS_PLACE_MIN && its * 2 > all ? best->stack : 0;
}
