/*
 * A program file on disk (executable or shared library): its bytes by virtual address, and where its unwind table is.
 *
 * Read with pread into a small page cache, never mapped: a file that is cut off under us must not raise SIGBUS. The file is checked
 * against the build id that the process told. Owner: modules.c, which counts references; ingest's thread only.
 */
#ifndef GAPSCOPE_INGEST_IMAGE_H
#define GAPSCOPE_INGEST_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image;

/* The binary search table of .eh_frame_hdr, in virtual addresses of the file. */
struct image_table {
	uint64_t header; /* base of the table's offsets */
	uint64_t entries;
	uint64_t entries_n;
};

/* Open `path` if it is an ELF file with that build id (any file if id_len is 0). 0 or -errno; -ESTALE for another build. */
int image_open(const char *path, const uint8_t *id, size_t id_len, struct image **ret);
void image_free(struct image *img);
/* Copy `n` bytes at virtual address `vaddr`: only what the file itself holds. */
bool image_read(struct image *img, uint64_t vaddr, void *to, size_t n);
/* NULL if it has none that we can search. */
const struct image_table *image_table(const struct image *img);
/* The open file; the image's. */
int image_fd(const struct image *img);

#endif
