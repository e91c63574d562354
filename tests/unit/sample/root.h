/*
 * A folder that stands for / in tests of samples, and what a round told. Header only: each test is one program.
 */
#ifndef GAPSCOPE_TESTS_UNIT_SAMPLE_ROOT_H
#define GAPSCOPE_TESTS_UNIT_SAMPLE_ROOT_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample/private.h"
#include "test.h"

#define ROOT_API static __attribute__((unused))
#define TOLD_MAX 512U
#define PID 77U

struct told {
	struct event e;
	uint8_t data[LIMIT_PEER_TEXT];
};

struct root {
	char path[64];
	struct sampler *s;
	struct told told[TOLD_MAX];
	size_t n;
};

ROOT_API void root_see(void *ctx, const struct event *e)
{
	struct root *r = ctx;
	struct told *t = &r->told[r->n++];

	assert_true(r->n <= TOLD_MAX && e->data_len < sizeof t->data);
	t->e = *e;
	memset(t->data, 0, sizeof t->data);
	if (e->data)
		memcpy(t->data, e->data, e->data_len);
	assert_int_equal(e->t1, 5);
}

/* The real / if `path` is "". */
ROOT_API struct root *root_of(const char *path)
{
	struct root *r = calloc(1, sizeof *r);

	assert_non_null(r);
	snprintf(r->path, sizeof r->path, "%s", path);
	assert_int_equal(sampler_new(r->path, &r->s), 0);
	r->s->fn = root_see;
	r->s->ctx = r;
	r->s->now_ns = 5;
	return r;
}

ROOT_API struct root *root_make(void)
{
	char path[] = "/tmp/gapscope-unit-XXXXXX";

	assert_non_null(mkdtemp(path));
	return root_of(path);
}

ROOT_API int root_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

ROOT_API void root_done(struct root *r)
{
	if (r->path[0])
		assert_int_equal(nftw(r->path, root_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
	sampler_free(r->s);
	free(r);
}

/* Makes the folders above `path`; gives the whole path. */
ROOT_API const char *root_at(const struct root *r, const char *path)
{
	static char whole[512];

	snprintf(whole, sizeof whole, "%s%s", r->path, path);
	for (char *c = whole + strlen(r->path) + 1; (c = strchr(c, '/')); *c++ = '/') {
		*c = '\0';
		mkdir(whole, 0755);
	}
	return whole;
}

ROOT_API void root_file(const struct root *r, const char *path, const char *text)
{
	FILE *f = fopen(root_at(r, path), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

ROOT_API void root_link(const struct root *r, unsigned int fd, const char *to)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%u/fd/%u", PID, fd);
	assert_int_equal(symlink(to, root_at(r, path)), 0);
}

/* The nth event of an id that was told; NULL if there are fewer. */
ROOT_API const struct told *root_told(const struct root *r, uint16_t id, size_t nth)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->told[i].e.id == id && nth-- == 0)
			return &r->told[i];
	return NULL;
}

#endif
