/*
 * Functions of an ELF file by name, and where they return: for probes that must not replace return addresses. The file's own table for unwinding
 * (.eh_frame) says where a function has given back all of its frame, which is at its returns; no instruction is decoded. Reads the file only;
 * any thread, one at a time for each handle.
 */
#ifndef GAPSCOPE_INGEST_RETURNS_H
#define GAPSCOPE_INGEST_RETURNS_H

#include <stddef.h>
#include <stdint.h>

#define RETURNS_OF_ONE 16U

struct returns;

struct returns_function {
	uint64_t entry; /* addresses as the file has them */
	uint64_t size;
	size_t n;
	uint64_t at[RETURNS_OF_ONE];
};

/* The file at `path`. 0 or -errno. */
int returns_open(const char *path, struct returns **ret);
void returns_close(struct returns *r);
/* Where `name` is, in its dynamic symbols or its full ones: entry and size only. 0, or -ENOENT. */
int returns_find(const struct returns *r, const char *name, struct returns_function *ret);
/* The same with all of its returns. -ENOTSUP: not all of them are surely known. */
int returns_of(struct returns *r, const char *name, struct returns_function *ret);
/* Its code, from the entry on; NULL if the file does not have it, or it is too long. Lasts until the next one. */
const uint8_t *returns_code(struct returns *r, const struct returns_function *f);

#endif
