/*
 * Descriptor numbers of one process: pages of 64 holders, made on first use. Holders never move while in use, so a description can
 * link them. Owned by struct proc; the session's thread only.
 */
#include <stdlib.h>

#include "model/private.h"

struct holder *fdtable_get(const struct fdtable *t, int fd)
{
	if (fd < 0 || (unsigned int)fd / FD_PAGE >= t->n_pages)
		return NULL;
	struct fd_page *page = t->pages[(unsigned int)fd / FD_PAGE];
	if (!page || !page->slot[(unsigned int)fd % FD_PAGE].conn)
		return NULL;
	return &page->slot[(unsigned int)fd % FD_PAGE];
}

static int grow(struct fdtable *t, unsigned int page)
{
	unsigned int n = t->n_pages ? t->n_pages : 4;

	while (n <= page)
		n *= 2;
	struct fd_page **pages = realloc(t->pages, n * sizeof(struct fd_page *));
	if (!pages)
		return -1;
	for (unsigned int i = t->n_pages; i < n; i++)
		pages[i] = NULL;
	t->pages = pages;
	t->n_pages = n;
	return 0;
}

struct holder *fdtable_slot(struct fdtable *t, int fd)
{
	if (fd < 0 || (unsigned int)fd >= LIMIT_FDS_PER_PROCESS)
		return NULL;
	unsigned int page = (unsigned int)fd / FD_PAGE;
	if (page >= t->n_pages && grow(t, page) < 0)
		return NULL;
	if (!t->pages[page])
		t->pages[page] = calloc(1, sizeof(struct fd_page));
	if (!t->pages[page])
		return NULL;
	return &t->pages[page]->slot[(unsigned int)fd % FD_PAGE];
}

struct holder *fdtable_next(const struct fdtable *t, int from)
{
	unsigned int fd = from < 0 ? 0 : (unsigned int)from;

	for (unsigned int page = fd / FD_PAGE; page < t->n_pages; page++) {
		struct fd_page *at = t->pages[page];
		if (at && at->used) {
			for (unsigned int i = fd % FD_PAGE; i < FD_PAGE; i++) {
				if (at->slot[i].conn)
					return &at->slot[i];
			}
		}
		fd = 0;
	}
	return NULL;
}

void fdtable_hold(struct holder *h, struct proc *p, int fd, struct connx *c)
{
	*h = (struct holder){.conn = c, .proc = p, .fd = fd, .next = c->holders};
	if (c->holders)
		c->holders->prev = h;
	c->holders = h;
	p->fds.pages[(unsigned int)fd / FD_PAGE]->used++;
}

void fdtable_release(struct fdtable *t, struct holder *h)
{
	if (h->prev)
		h->prev->next = h->next;
	else
		h->conn->holders = h->next;
	if (h->next)
		h->next->prev = h->prev;
	t->pages[(unsigned int)h->fd / FD_PAGE]->used--;
	*h = (struct holder){.fd = -1};
}

void fdtable_done(struct fdtable *t)
{
	for (unsigned int i = 0; i < t->n_pages; i++)
		free(t->pages[i]);
	free(t->pages);
	*t = (struct fdtable){0};
}
