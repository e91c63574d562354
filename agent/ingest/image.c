/* A program file on disk: see image.h. */
#include "ingest/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"

#define PAGE 4096U
#define SEGMENTS_MAX 32U
#define HEADERS_MAX 128U
#define FILE_MAX (8ULL << 30)
#define BUILD_ID_MAX 64U
#define NOTES_MAX 8192U

/* Encodings of .eh_frame_hdr: DWARF pointer encodings, LSB core specification 10.6. */
enum { ENC_OMIT = 0xff, ENC_FORM = 0x0f, ENC_UDATA4 = 0x03, ENC_SDATA4 = 0x0b, ENC_DATAREL_SDATA4 = 0x3b };

struct segment {
	uint64_t vaddr, size, offset;
};

struct image {
	int fd;
	uint64_t size;
	size_t segments_n;
	struct segment segments[SEGMENTS_MAX];
	bool has_table;
	struct image_table table;
	size_t pages_n, loaded;
	uint8_t **pages;
};

int image_fd(const struct image *img)
{
	return img->fd;
}

const struct image_table *image_table(const struct image *img)
{
	return img->has_table ? &img->table : NULL;
}

static void drop_pages(struct image *img)
{
	for (size_t i = 0; i < img->pages_n; i++) {
		free(img->pages[i]);
		img->pages[i] = NULL;
	}
	img->loaded = 0;
}

void image_free(struct image *img)
{
	if (img == NULL)
		return;
	if (img->pages != NULL)
		drop_pages(img);
	free(img->pages);
	if (img->fd >= 0)
		close(img->fd);
	free(img);
}

static const uint8_t *page_at(struct image *img, size_t i)
{
	uint8_t *page;

	if (i >= img->pages_n)
		return NULL;
	if (img->pages[i] != NULL)
		return img->pages[i];
	if (img->loaded >= LIMIT_IMAGE_PAGES)
		drop_pages(img);
	page = calloc(1, PAGE);
	if (page == NULL || pread(img->fd, page, PAGE, (off_t)(i * PAGE)) <= 0) {
		free(page);
		return NULL;
	}
	img->loaded++;
	return img->pages[i] = page;
}

static bool read_file(struct image *img, uint64_t offset, void *to, size_t n)
{
	uint8_t *at = to;

	if (offset > img->size || n > img->size - offset)
		return false;
	while (n > 0) {
		const uint8_t *page = page_at(img, (size_t)(offset / PAGE));
		const size_t in = (size_t)(offset % PAGE);
		const size_t k = PAGE - in < n ? PAGE - in : n;

		if (page == NULL)
			return false;
		memcpy(at, page + in, k);
		at += k;
		offset += k;
		n -= k;
	}
	return true;
}

bool image_read(struct image *img, uint64_t vaddr, void *to, size_t n)
{
	for (size_t i = 0; i < img->segments_n; i++) {
		const struct segment *s = &img->segments[i];

		if (vaddr >= s->vaddr && vaddr - s->vaddr < s->size && n <= s->size - (vaddr - s->vaddr))
			return read_file(img, s->offset + (vaddr - s->vaddr), to, n);
	}
	return false;
}

/* Does one of the notes of this segment say `id`? */
static bool notes_say(struct image *img, const Elf64_Phdr *p, const uint8_t *id, size_t id_len)
{
	uint8_t notes[NOTES_MAX];
	const size_t len = p->p_filesz < sizeof(notes) ? (size_t)p->p_filesz : sizeof(notes);
	size_t at = 0;

	if (!read_file(img, p->p_offset, notes, len))
		return false;
	while (at + sizeof(Elf64_Nhdr) <= len) {
		Elf64_Nhdr n;

		memcpy(&n, notes + at, sizeof(n));
		at += sizeof(n);

		const size_t name = ((size_t)n.n_namesz + 3) / 4 * 4, desc = ((size_t)n.n_descsz + 3) / 4 * 4;

		if (name > len - at || desc > len - at - name)
			return false;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == sizeof("GNU") && memcmp(notes + at, "GNU", sizeof("GNU")) == 0)
			return n.n_descsz == id_len && memcmp(notes + at + name, id, id_len) == 0;
		at += name + desc;
	}
	return false;
}

static void find_table(struct image *img, uint64_t vaddr)
{
	uint8_t head[4];
	uint32_t count;

	/* version, encoding of the pointer to .eh_frame, of the count, of the table */
	if (!image_read(img, vaddr, head, sizeof(head)) || head[0] != 1 || head[3] != ENC_DATAREL_SDATA4)
		return;
	if ((head[1] & ENC_FORM) != ENC_SDATA4 && (head[1] & ENC_FORM) != ENC_UDATA4)
		return;
	if (head[2] != ENC_UDATA4 || !image_read(img, vaddr + 8, &count, sizeof(count)) || count == 0)
		return;
	img->table = (struct image_table){.header = vaddr, .entries = vaddr + 12, .entries_n = count};
	img->has_table = true;
}

static int read_headers(struct image *img, const uint8_t *id, size_t id_len)
{
	Elf64_Ehdr e;
	uint64_t table = 0;
	bool has_table = false, same = id_len == 0;

	if (!read_file(img, 0, &e, sizeof(e)) || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_ident[EI_DATA] != ELFDATA2LSB || e.e_phentsize != sizeof(Elf64_Phdr))
		return -ENOEXEC;
	for (size_t i = 0; i < e.e_phnum && i < HEADERS_MAX; i++) {
		Elf64_Phdr p;

		if (!read_file(img, e.e_phoff + i * sizeof(p), &p, sizeof(p)))
			return -ENOEXEC;
		if (p.p_type == PT_LOAD && img->segments_n < SEGMENTS_MAX)
			img->segments[img->segments_n++] =
				(struct segment){.vaddr = p.p_vaddr, .size = p.p_filesz, .offset = p.p_offset};
		if (p.p_type == PT_NOTE && !same)
			same = notes_say(img, &p, id, id_len);
		if (p.p_type == PT_GNU_EH_FRAME) {
			table = p.p_vaddr;
			has_table = true;
		}
	}
	if (!same)
		return -ESTALE;
	if (has_table)
		find_table(img, table);
	return 0;
}

int image_open(const char *path, const uint8_t *id, size_t id_len, struct image **ret)
{
	struct image *img = calloc(1, sizeof(*img));
	struct stat st;
	int r;

	if (img == NULL)
		return -ENOMEM;
	/* O_NONBLOCK: a path that now names a fifo must not hold us up. */
	img->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (img->fd < 0 || fstat(img->fd, &st) < 0) {
		r = -errno;
		goto fail;
	}
	r = -ENOEXEC;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > FILE_MAX)
		goto fail;
	img->size = (uint64_t)st.st_size;
	img->pages_n = (size_t)(img->size / PAGE + 1);
	img->pages = calloc(img->pages_n, sizeof(*img->pages));
	r = -ENOMEM;
	if (img->pages == NULL)
		goto fail;
	r = read_headers(img, id, id_len);
	if (r < 0)
		goto fail;
	*ret = img;
	return 0;
fail:
	image_free(img);
	return r;
}
