/* The numbers of processes in other pid namespaces, from /proc/PID/status (NSpid) and /proc/PID/task/TID/children. See pids.h. */
#include "ingest/pids.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#define KNOWN_MAX 16384U          /* then all is forgotten, and learnt again */
#define TRUST_NS 10000000000ULL   /* numbers come round again, but not within seconds */
#define SEARCH_GAP_NS 50000000ULL /* between two searches through all processes */
#define STATUS_BYTES 4096U
#define DECIMAL 10

struct known {
	struct {
		uint32_t ns, inner;
	} key;
	uint32_t outer;
	uint64_t seen_ns; /* when it was last found to be true */
	UT_hash_handle hh;
};

struct pids {
	struct known *known;
	uint64_t searched_ns;
};

struct pids *pids_new(void)
{
	return calloc(1, sizeof(struct pids));
}

static void forget(struct pids *p)
{
	struct known *k, *next;

	HASH_ITER (hh, p->known, k, next) {
		HASH_DEL(p->known, k);
		free(k);
	}
}

void pids_free(struct pids *p)
{
	if (p)
		forget(p);
	free(p);
}

static uint32_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint32_t)st.st_ino : 0;
}

uint32_t pids_namespace(uint32_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);

	const uint32_t ns = inode_of(path);

	return ns == inode_of("/proc/self/ns/pid") ? 0 : ns;
}

/* Its number in the namespace it lives in: the last one of NSpid. 0 if there is no such process. */
static uint32_t inner_of(uint32_t pid)
{
	char path[64], text[STATUS_BYTES];

	snprintf(path, sizeof(path), "/proc/%u/status", pid);

	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	uint32_t inner = 0;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';

	const char *at = strstr(text, "\nNSpid:");

	if (!at)
		return 0;
	at += strlen("\nNSpid:");
	for (char *end; *at == '\t' || *at == ' '; at = end) {
		inner = (uint32_t)strtoul(at, &end, DECIMAL);
		if (end == at)
			break;
	}
	return inner;
}

static uint32_t learn(struct pids *p, uint32_t ns, uint32_t inner, uint32_t outer, uint64_t now_ns)
{
	struct known *k;
	const struct known new = {.key = {ns, inner}, .outer = outer, .seen_ns = now_ns};

	HASH_FIND(hh, p->known, &new.key, sizeof(new.key), k);
	if (!k) {
		if (HASH_COUNT(p->known) >= KNOWN_MAX)
			forget(p);
		k = malloc(sizeof(*k));
		if (!k)
			return outer;
		*k = new;
		HASH_ADD(hh, p->known, key, sizeof(k->key), k);
	}
	k->outer = outer;
	k->seen_ns = now_ns;
	return outer;
}

void pids_know(struct pids *p, uint32_t ns, uint32_t pid)
{
	const uint32_t inner = inner_of(pid);

	if (inner)
		learn(p, ns, inner, pid, 0);
}

static uint32_t remembered(struct pids *p, uint32_t ns, uint32_t inner, uint64_t now_ns)
{
	const struct known wanted = {.key = {ns, inner}};
	struct known *k;

	HASH_FIND(hh, p->known, &wanted.key, sizeof(wanted.key), k);
	if (!k)
		return 0;

	const uint32_t there = inner_of(k->outer);

	if (there == inner)
		k->seen_ns = now_ns;
	/* Gone a moment ago, it is still who we speak of. */
	return there == inner || (there == 0 && now_ns - k->seen_ns < TRUST_NS) ? k->outer : 0;
}

/* Among the children of one thread. */
static uint32_t child_of_thread(uint32_t parent, const char *tid, uint32_t inner)
{
	char path[80];
	uint32_t child, found = 0;

	snprintf(path, sizeof(path), "/proc/%u/task/%.20s/children", parent, tid);

	FILE *const f = fopen(path, "re");

	while (f && !found && fscanf(f, "%u", &child) == 1)
		found = inner_of(child) == inner ? child : 0;
	if (f)
		fclose(f);
	return found;
}

static uint32_t child_of(uint32_t parent, uint32_t inner)
{
	char path[64];
	const struct dirent *entry;
	uint32_t found = 0;

	snprintf(path, sizeof(path), "/proc/%u/task", parent);

	DIR *const d = parent ? opendir(path) : NULL;

	while (d && !found && (entry = readdir(d)))
		found = entry->d_name[0] == '.' ? 0 : child_of_thread(parent, entry->d_name, inner);
	if (d)
		closedir(d);
	return found;
}

static uint32_t anyone(uint32_t ns, uint32_t inner)
{
	const struct dirent *entry;
	uint32_t found = 0;
	DIR *const d = opendir("/proc");

	while (d && !found && (entry = readdir(d))) {
		const uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, DECIMAL);

		found = pid && inner_of(pid) == inner && pids_namespace(pid) == ns ? pid : 0;
	}
	if (d)
		closedir(d);
	return found;
}

uint32_t pids_outside(struct pids *p, uint32_t ns, uint32_t inner, uint32_t parent, bool anywhere, uint64_t now_ns)
{
	uint32_t outer;

	if (!ns || !inner)
		return inner;
	outer = remembered(p, ns, inner, now_ns);
	if (!outer && parent)
		outer = child_of(remembered(p, ns, parent, now_ns), inner);
	if (!outer && anywhere && now_ns - p->searched_ns >= SEARCH_GAP_NS) {
		p->searched_ns = now_ns;
		outer = anyone(ns, inner);
	}
	return outer ? learn(p, ns, inner, outer, now_ns) : inner | PIDS_UNKNOWN;
}
