/*
 * Processes: how they come (start, fork, spawn, first sight), what descriptors they get from their parent, and how they go.
 *
 * A forked child truly shares its parent's descriptions. But a client connection that the parent gives up is given up, even where some
 * worker still has an unused copy: such copies are weak until used. After exec and spawn the same holds for every copy, because
 * what was closed or moved between fork and exec may not be visible. Owned by the model; the session's thread only.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "model/private.h"

struct proc *process_find(struct model *m, uint32_t pid)
{
	struct proc *p = m->found; /* of most events it is the one that was asked for last */

	if (p && p->pub.pid == pid)
		return p;
	HASH_FIND(hh, m->procs, &pid, sizeof(pid), p);
	if (p)
		m->found = p;
	return p;
}

static struct proc *add(struct model *m, uint32_t pid, struct proc *parent, enum proc_maker maker, const struct event *e)
{
	if (m->n_procs >= LIMIT_PROCESSES) {
		m->counters->limit[LIMIT_REACHED_PROCESSES]++;
		return NULL;
	}
	struct proc *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pub.pid = pid;
	p->pub.start_ns = e->t1;
	p->maker = maker;
	p->tree = parent ? parent->tree : ++m->next_tree;
	p->pub.sigalrm_interrupts = true; /* nothing else was heard: it ends the process */
	if (parent) {
		p->pub.parent = parent->pub.pid;
		p->pub.sigalrm_interrupts = parent->pub.sigalrm_interrupts;
		p->pub.go = parent->pub.go;
		p->pub.jvm = parent->pub.jvm;
		memcpy(p->pub.exe, parent->pub.exe, sizeof(p->pub.exe));
	}
	HASH_ADD(hh, m->procs, pub.pid, sizeof(p->pub.pid), p);
	if (!process_find(m, pid)) {
		free(p);
		return NULL;
	}
	m->n_procs++;
	return p;
}

struct proc *process_make(struct model *m, uint32_t pid, const struct event *e)
{
	struct proc *p = process_find(m, pid);

	if (p || pid == 0)
		return p;
	p = add(m, pid, NULL, PROC_SEEN, e);
	if (p)
		TELL(m, process_start, &p->pub);
	return p;
}

/* A copy of the parent's descriptors. `image`: the child runs another program, so cloexec ones are gone and the rest is a guess. */
static void inherit_fds(struct model *m, struct proc *parent, struct proc *child, bool image)
{
	for (struct holder *h = fdtable_next(&parent->fds, 0); h; h = fdtable_next(&parent->fds, h->fd + 1)) {
		struct connx *c = h->conn;
		if (image && h->cloexec)
			continue;
		struct holder *slot = fdtable_slot(&child->fds, h->fd);
		if (!slot) {
			m->counters->limit[LIMIT_REACHED_FDS]++;
			return;
		}
		fdtable_hold(slot, child, h->fd, c);
		slot->cloexec = h->cloexec;
		slot->weak = image || h->weak || c->pub.role == CONN_CLIENT;
		c->pub.refs += !slot->weak;
	}
}

static void process_free(struct model *m, struct proc *p)
{
	if (m->found == p)
		m->found = NULL;
	HASH_DELETE(hh, m->procs, p);
	m->n_procs--;
	fdtable_done(&p->fds);
	poll_forget_all(p);
	free(p);
}

void process_gone(struct model *m, struct proc *p, const struct event *e)
{
	for (struct holder *h = fdtable_next(&p->fds, 0); h; h = fdtable_next(&p->fds, 0))
		conn_drop(m, h, e);
	TELL(m, process_exit, &p->pub);
	heap_drop(m, p);
	process_free(m, p);
}

void process_finish_exiting(struct model *m)
{
	struct proc *p, *next;

	HASH_ITER (hh, m->procs, p, next) {
		struct event last = p->exit_event;
		if (p->exiting)
			process_gone(m, p, &last);
	}
}

/* After conn_free_all: no descriptor is left. */
void process_free_all(struct model *m)
{
	while (m->procs) {
		heap_drop(m, m->procs);
		process_free(m, m->procs);
	}
}

static bool held_elsewhere(const struct connx *c, const struct proc *p)
{
	for (const struct holder *h = c->holders; h; h = h->next) {
		if (h->proc != p && !h->weak)
			return true;
	}
	return false;
}

static void exec(struct model *m, struct proc *p, const struct event *e)
{
	struct holder *h = fdtable_next(&p->fds, 0);

	while (h) {
		int fd = h->fd;
		if (h->cloexec) {
			conn_drop(m, h, e);
		} else if (!h->weak && held_elsewhere(h->conn, p)) {
			h->weak = true;
			h->conn->pub.refs--;
			conn_rename(h->conn, h);
		}
		h = fdtable_next(&p->fds, fd + 1);
	}
	poll_forget_all(p);
	heap_drop(m, p);
	p->pub.sigalrm_interrupts = true; /* handlers do not survive exec; a pending alarm does, and ends the process */
}

void process_on_start(struct model *m, struct proc *p, const struct event *e)
{
	if (p && p->exiting) {
		process_gone(m, p, e);
		p = NULL;
	}
	bool known = p != NULL;
	if (known) {
		exec(m, p, e);
	} else {
		struct proc *parent = e->a0 <= UINT32_MAX ? process_find(m, (uint32_t)e->a0) : NULL;
		p = add(m, e->pid, parent, PROC_STARTED, e);
		if (!p)
			return;
		if (parent)
			inherit_fds(m, parent, p, true);
	}
	if (p->pub.parent == 0)
		p->pub.parent = (uint32_t)e->a0;
	p->pub.jvm = false;
	if (e->a1 != 0) /* the shim does not know */
		p->pub.go = e->a1 == 1;
	size_t n = e->data_len < sizeof(p->pub.exe) ? e->data_len : sizeof(p->pub.exe) - 1;
	if (e->data) {
		memset(p->pub.exe, 0, sizeof(p->pub.exe));
		memcpy(p->pub.exe, e->data, n);
	}
	if (!known)
		TELL(m, process_start, &p->pub);
	if (e->data)
		TELL(m, process_program, &p->pub);
}

/* The path ends with the name; it is told again of what was loaded before. */
void process_on_module(struct model *m, struct proc *p, const struct event *e)
{
	static const char name[] = "/libjvm.so";
	const size_t n = sizeof(name) - 1;

	(void)m;
	if (e->data && e->data_len > n && memcmp(e->data + e->data_len - n, name, n) == 0)
		p->pub.jvm = true;
}

void process_on_exit(struct model *m, struct proc *p, const struct event *e)
{
	(void)m;
	p->exiting = true;
	p->pub.exit_ns = e->t1;
	p->pub.exit_tid = e->tid;
	p->exit_event = *e;
	p->exit_event.data = NULL;
	p->exit_event.data_len = 0;
}

/* A fork is told twice, by parent and child; whichever comes first makes the child, the other one is absorbed. */
static void fork_child(struct model *m, struct proc *parent, uint32_t pid, enum proc_maker maker, const struct event *e)
{
	struct proc *child = process_find(m, pid);
	enum proc_maker twin = maker == PROC_BY_PARENT ? PROC_BY_CHILD : PROC_BY_PARENT;

	if (child && child->maker == twin) {
		child->maker = PROC_STARTED;
		return;
	}
	if (child && child->maker == PROC_SEEN && !child->exiting) {
		/* Its first records overtook the fork's: only the family is still to be learnt. */
		child->maker = PROC_STARTED;
		child->pub.parent = parent ? parent->pub.pid : child->pub.parent;
		child->tree = parent ? parent->tree : child->tree;
		return;
	}
	if (child)
		process_gone(m, child, e);
	child = add(m, pid, parent, maker, e);
	if (!child)
		return;
	if (parent)
		inherit_fds(m, parent, child, false);
	TELL(m, process_start, &child->pub);
}

void process_on_fork(struct model *m, struct proc *p, const struct event *e)
{
	if (e->ret > 0 && e->ret <= UINT32_MAX)
		fork_child(m, p, (uint32_t)e->ret, PROC_BY_PARENT, e);
}

void process_on_fork_child(struct model *m, struct proc *p, const struct event *e)
{
	(void)p;
	if (e->pid != 0 && e->pid != e->a0)
		fork_child(m, e->a0 <= UINT32_MAX ? process_find(m, (uint32_t)e->a0) : NULL, e->pid, PROC_BY_CHILD, e);
}

void process_on_spawn(struct model *m, struct proc *p, const struct event *e)
{
	if (e->ret <= 0 || e->ret > UINT32_MAX || process_find(m, (uint32_t)e->ret))
		return;
	struct proc *child = add(m, (uint32_t)e->ret, p, PROC_STARTED, e);
	if (!child)
		return;
	memset(child->pub.exe, 0, sizeof(child->pub.exe));
	if (e->data)
		memcpy(child->pub.exe, e->data, e->data_len < sizeof(child->pub.exe) ? e->data_len : sizeof(child->pub.exe) - 1);
	inherit_fds(m, p, child, true);
	TELL(m, process_start, &child->pub);
	if (e->data)
		TELL(m, process_program, &child->pub);
}

void process_on_waitpid(struct model *m, struct proc *p, const struct event *e)
{
	int status = (int)(uint32_t)e->a0;
	struct proc *child = e->ret > 0 && e->ret <= UINT32_MAX ? process_find(m, (uint32_t)e->ret) : NULL;

	if (child && child != p && (WIFEXITED(status) || WIFSIGNALED(status)))
		process_gone(m, child, e);
}

void process_on_gone(struct model *m, struct proc *p, const struct event *e)
{
	process_gone(m, p, e);
}

void process_on_thread_exit(struct model *m, struct proc *p, const struct event *e)
{
	(void)m;
	poll_forget(p, e->tid);
}
