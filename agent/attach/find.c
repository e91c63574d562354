/*
 * Looks through /proc. See find.h.
 */
#include "attach/find.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/container.h"
#include "core/process_stat.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define STATE_LISTEN 10U
#define LISTENERS_MAX 64U
#define CONTAINERS_KNOWN 256U /* of one look; what is known of more is read again for each process */

typedef bool (*match_fn)(const void *ctx, pid_t pid);

static void add(struct find_result *r, pid_t pid)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->pids[i] == pid)
			return;
	if (pid == getpid() || pid <= 0)
		return;
	if (r->n < FIND_MAX)
		r->pids[r->n++] = pid;
	else
		r->more++;
}

static void each_process(match_fn match, const void *ctx, struct find_result *r)
{
	DIR *d = opendir("/proc");
	const struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (isdigit((unsigned char)entry->d_name[0]) && match(ctx, atoi(entry->d_name)))
			add(r, atoi(entry->d_name));
	if (d)
		closedir(d);
}

/* Its parent has not waited for it yet: it has a name, and nothing of it runs. */
static bool has_ended(pid_t pid)
{
	struct process_stat stat;

	return process_stat_of(pid, &stat) < 0 || stat.state == 'Z' || stat.state == 'X';
}

static bool is_child(const void *ctx, pid_t pid)
{
	return process_parent(pid) == *(const pid_t *)ctx;
}

size_t find_children(struct find_result *r)
{
	const size_t before = r->n;

	for (size_t i = 0; i < r->n; i++)
		each_process(is_child, &r->pids[i], r);
	return r->n - before;
}

static bool among(const struct find_result *r, pid_t pid)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->pids[i] == pid)
			return true;
	return false;
}

/* A name may mean one service, with the processes that it made, but not two that have nothing to do with each other. */
static int one_service(const char *name, const struct find_result *r, char *err, size_t err_size)
{
	size_t services = 0, used;

	for (size_t i = 0; i < r->n; i++)
		services += among(r, process_parent(r->pids[i])) ? 0 : 1;
	if (services <= 1)
		return 0;
	used = (size_t)snprintf(err, err_size,
				"%zu services are called '%s'; name one by its PID, --port, --unit or --cgroup:", services, name);
	for (size_t i = 0; i < r->n && used < err_size; i++)
		if (!among(r, process_parent(r->pids[i])))
			used += (size_t)snprintf(err + used, err_size - used, " %d", (int)r->pids[i]);
	return -EINVAL;
}

static bool has_name(const void *ctx, pid_t pid)
{
	char path[64], text[PATH_MAX] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);

	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, ctx) == 0)
		return !has_ended(pid);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);

	const ssize_t n = readlink(path, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 && strrchr(text, '/') && strcmp(strrchr(text, '/') + 1, ctx) == 0;
}

struct listeners {
	uint64_t inode[LISTENERS_MAX];
	size_t n;
};

static void read_listeners(const char *path, uint32_t port, struct listeners *l)
{
	char line[512];
	FILE *f = fopen(path, "re");

	while (f && l->n < LISTENERS_MAX && fgets(line, sizeof(line), f)) {
		unsigned int local = 0, state = 0;
		uint64_t inode = 0;

		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %" SCNu64, &local, &state, &inode) == 3 &&
		    local == port && state == STATE_LISTEN)
			l->inode[l->n++] = inode;
	}
	if (f)
		fclose(f);
}

static bool holds_listener(const void *ctx, pid_t pid)
{
	const struct listeners *l = ctx;
	const struct dirent *entry;
	char path[64], link[64];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);

	DIR *d = opendir(path);

	while (d && !found && (entry = readdir(d))) {
		uint64_t inode;
		const ssize_t n = readlinkat(dirfd(d), entry->d_name, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		if (sscanf(link, "socket:[%" SCNu64 "]", &inode) != 1)
			continue;
		for (size_t i = 0; i < l->n; i++)
			found |= l->inode[i] == inode;
	}
	if (d)
		closedir(d);
	return found;
}

static int by_port(uint32_t port, struct find_result *r, char *err, size_t err_size)
{
	struct listeners l = {.n = 0};

	read_listeners("/proc/net/tcp", port, &l);
	read_listeners("/proc/net/tcp6", port, &l);
	if (l.n == 0) {
		snprintf(err, err_size, "nobody listens on TCP port %u here; `ss -ltnp` lists who listens where", port);
		return -ENOENT;
	}
	each_process(holds_listener, &l, r);
	if (r->n)
		return 0;
	snprintf(err, err_size, "the process that listens on port %u cannot be seen; try as root", port);
	return -ENOENT;
}

static int by_cgroup(const char *cgroup, struct find_result *r, char *err, size_t err_size)
{
	char path[PATH_MAX];
	const bool whole = strncmp(cgroup, CGROUP_ROOT "/", strlen(CGROUP_ROOT "/")) == 0;
	int pid;

	snprintf(path, sizeof(path), "%s%s%s/cgroup.procs", whole ? "" : CGROUP_ROOT, whole || cgroup[0] == '/' ? "" : "/", cgroup);

	FILE *f = fopen(path, "re");

	if (!f) {
		snprintf(err, err_size, "%s: no such cgroup: %s", cgroup, strerror(errno));
		return -ENOENT;
	}
	while (fscanf(f, "%d", &pid) == 1)
		add(r, pid);
	fclose(f);
	if (r->n)
		return 0;
	snprintf(err, err_size, "%s: no process in this cgroup", cgroup);
	return -ENOENT;
}

/* Is this process in the cgroup of a unit: is its name one of the path's parts? */
static bool in_unit(const void *ctx, pid_t pid)
{
	char path[64], line[PATH_MAX];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);

	FILE *f = fopen(path, "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *rest = NULL;

		line[strcspn(line, "\n")] = '\0';
		for (char *part = strtok_r(line, "/", &rest); part; part = strtok_r(NULL, "/", &rest))
			found |= strcmp(part, ctx) == 0;
	}
	if (f)
		fclose(f);
	return found;
}

static int by_unit(const char *unit, struct find_result *r, char *err, size_t err_size)
{
	char name[256];

	snprintf(name, sizeof(name), "%s%s", unit, strchr(unit, '.') ? "" : ".service");
	each_process(in_unit, name, r);
	if (r->n)
		return 0;
	snprintf(err, err_size, "%s: no process of this unit runs; `systemctl status` tells more", name);
	return -ENOENT;
}

/* A container's processes are many: what is known of it is asked once. */
struct labelled {
	const char *label;
	struct known {
		char id[CONTAINER_ID];
		bool has;
	} known[CONTAINERS_KNOWN];
	size_t n;
};

static bool in_labelled(const void *ctx, pid_t pid)
{
	struct labelled *l = *(struct labelled *const *)ctx;
	char id[CONTAINER_ID];
	size_t i = 0;

	if (!container_id("", pid, id))
		return false;
	while (i < l->n && strcmp(l->known[i].id, id) != 0)
		i++;
	if (i < l->n)
		return l->known[i].has;

	const bool has = container_has_label("", id, l->label);

	if (l->n < CONTAINERS_KNOWN) {
		memcpy(l->known[l->n].id, id, sizeof(id));
		l->known[l->n++].has = has;
	}
	return has;
}

static int by_label(const char *label, struct find_result *r, char *err, size_t err_size)
{
	struct labelled *l = calloc(1, sizeof(*l));

	if (!l) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	l->label = label;
	each_process(in_labelled, &l, r);
	free(l);
	if (r->n)
		return 0;
	snprintf(err, err_size,
		 "no process is in a container with the label %s; as root, what Docker, containerd, CRI-O and Podman have on file "
		 "is read",
		 label);
	return -ENOENT;
}

int find_target(const struct find_query *q, struct find_result *ret, char *err, size_t err_size)
{
	struct find_result r = {.n = 0};
	int e = 0;

	if (q->pid == getpid()) {
		snprintf(err, err_size, "process %d is this gapscope itself", (int)q->pid);
		e = -EINVAL;
	} else if (q->pid > 0) {
		add(&r, q->pid);
	} else if (q->name) {
		each_process(has_name, q->name, &r);
		if (!r.n) {
			snprintf(err, err_size, "no process is called '%s'", q->name);
			e = -ENOENT;
		} else {
			e = one_service(q->name, &r, err, err_size);
		}
	} else if (q->port) {
		e = by_port(q->port, &r, err, err_size);
	} else if (q->cgroup) {
		e = by_cgroup(q->cgroup, &r, err, err_size);
	} else if (q->unit) {
		e = by_unit(q->unit, &r, err, err_size);
	} else if (q->label) {
		e = by_label(q->label, &r, err, err_size);
	} else {
		snprintf(err, err_size, "name a process: PID, --name, --port, --cgroup, --unit or --label");
		e = -EINVAL;
	}
	if (e < 0)
		return e;
	find_children(&r);
	*ret = r;
	return 0;
}
