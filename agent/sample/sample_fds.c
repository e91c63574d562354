/*
 * The descriptors of one process by where they lead: counted by kind, and grouped where many lead to the same. Numbers in a path are made #, so
 * that files of one sort count as one; a path of which there are few counts for its folder. Sockets are noted for sample_sockets.c.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "sample/private.h"

#define GROUP_MIN 8U   /* descriptors of a group that is told */
#define GROUPS_MAX 8U  /* groups told of one process */
#define PATTERNS 1024U /* different patterns looked at */

struct group {
	char pattern[LIMIT_PEER_TEXT];
	enum sample_fd kind;
	uint64_t n;
	UT_hash_handle hh;
};

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static enum sample_fd kind_of(const char *to)
{
	if (starts(to, "socket:"))
		return SAMPLE_FD_SOCKET;
	if (starts(to, "pipe:"))
		return SAMPLE_FD_PIPE;
	if (starts(to, "anon_inode:"))
		return strstr(to, "eventpoll") ? SAMPLE_FD_EPOLL : SAMPLE_FD_EVENT;
	return starts(to, "/dev/") && !starts(to, "/dev/shm/") ? SAMPLE_FD_DEVICE : SAMPLE_FD_FILE;
}

/* Runs of digits become '#'. */
static void make_pattern(const char *to, char pattern[LIMIT_PEER_TEXT])
{
	size_t n = 0;

	for (; *to != '\0' && n < LIMIT_PEER_TEXT - 1; to++) {
		if (!isdigit((unsigned char)*to))
			pattern[n++] = *to;
		else if (n == 0 || pattern[n - 1] != '#')
			pattern[n++] = '#';
	}
	pattern[n] = '\0';
}

static void count(struct group **groups, const char *pattern, enum sample_fd kind, uint64_t n)
{
	struct group *g;

	HASH_FIND_STR(*groups, pattern, g);
	if (!g && HASH_COUNT(*groups) < PATTERNS && (g = calloc(1, sizeof *g))) {
		snprintf(g->pattern, sizeof g->pattern, "%s", pattern);
		g->kind = kind;
		HASH_ADD_STR(*groups, pattern, g);
		if (!g->hh.tbl) {
			free(g);
			return;
		}
	}
	if (g)
		g->n += n;
}

static void groups_free(struct group **groups)
{
	struct group *g, *next;

	HASH_ITER (hh, *groups, g, next) {
		HASH_DEL(*groups, g);
		free(g);
	}
}

/* Largest first; then by name, so that the same descriptors are told alike. */
static int by_size(const struct group *a, const struct group *b)
{
	return a->n != b->n ? (a->n < b->n ? 1 : -1) : strcmp(a->pattern, b->pattern);
}

/* Small groups of files add up by folder: names that programs make up differ in more than numbers. */
static void fold(struct group **groups, struct group **ret_folders)
{
	struct group *g, *next;

	HASH_ITER (hh, *groups, g, next) {
		char folder[LIMIT_PEER_TEXT];
		const char *slash = strrchr(g->pattern, '/');

		if (g->n >= GROUP_MIN || g->kind != SAMPLE_FD_FILE || !slash || slash == g->pattern)
			continue;
		const bool gone = strstr(slash, " (deleted)") != NULL;
		snprintf(folder, sizeof folder, "%.*s/*%s", (int)(slash - g->pattern), g->pattern, gone ? " (deleted)" : "");
		count(ret_folders, folder, g->kind, g->n);
	}
}

static unsigned int tell(struct sampler *s, uint32_t pid, struct group **groups, unsigned int told)
{
	struct group *g, *next;

	HASH_SORT(*groups, by_size);
	HASH_ITER (hh, *groups, g, next) {
		if (g->n < GROUP_MIN || told == GROUPS_MAX)
			break;
		sample_tell(s, (struct event){.id = WIRE_SAMPLE_FILES, .pid = pid, .fd = -1, .a0 = g->n, .a1 = g->kind}, g->pattern,
			    strlen(g->pattern));
		told++;
	}
	return told;
}

static void note_socket(struct sampler *s, uint32_t pid, int fd, const char *to)
{
	if (s->links_n == s->links_room) {
		const size_t room = s->links_room ? s->links_room * 2 : 256;
		struct sample_link *links = room <= LIMIT_SAMPLED_SOCKETS ? reallocarray(s->links, room, sizeof *links) : NULL;

		if (!links)
			return;
		s->links = links;
		s->links_room = room;
	}
	s->links[s->links_n++] = (struct sample_link){.inode = strtoull(to + strlen("socket:["), NULL, 10), .pid = pid, .fd = fd};
}

void sample_fds(struct sampler *s, uint32_t pid, struct sample_process *p)
{
	char path[512], to[512], pattern[LIMIT_PEER_TEXT];
	struct group *groups = NULL, *folders = NULL;
	const struct dirent *entry;

	snprintf(path, sizeof path, "%s/proc/%u/fd", s->root, pid);
	DIR *d = opendir(path);
	if (!d)
		return;
	p->fds = 0;
	while ((entry = readdir(d))) {
		const ssize_t n =
			isdigit((unsigned char)entry->d_name[0]) ? readlinkat(dirfd(d), entry->d_name, to, sizeof to - 1) : -1;

		if (n <= 0)
			continue;
		to[n] = '\0';
		const enum sample_fd kind = kind_of(to);
		p->fds++;
		p->fd_kinds[kind]++;
		if (kind == SAMPLE_FD_SOCKET)
			note_socket(s, pid, atoi(entry->d_name), to);
		make_pattern(to, pattern);
		count(&groups, pattern, kind, 1);
	}
	closedir(d);
	fold(&groups, &folders);
	tell(s, pid, &folders, tell(s, pid, &groups, 0));
	groups_free(&groups);
	groups_free(&folders);
}
