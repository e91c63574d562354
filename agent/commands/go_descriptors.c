/*
 * See go_descriptors.h. Go's src/runtime/netpoll.go (pollDesc), netpoll_epoll.go, tagptr_64bit.go:
 *
 *   link, fd, (fdseq, from 1.21 on,) state, who reads, who writes, lock, flags, rseq, timer, read deadline, wseq, timer, write deadline, self
 *
 * The timers have grown; how long they are follows from where `self` stands.
 */
#include "commands/go_descriptors.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/process_memory.h"

#define NOTE_WORDS 37U /* with timers of 12 words */
#define NOTE_FD 1U
#define HEAD_WORDS 7U   /* up to rseq; one more with fdseq: so `self` stands at an odd word, or at an even one */
#define READER_BACK 4U  /* from rseq to who reads: its goroutine, or a small number */
#define BESIDE_WORDS 4U /* rseq, wseq and the two deadlines */
#define TIMER_MIN 9U
#define ALIGN_BITS 3U

bool go_descriptors_line(const char *line, int *ret_fd, uint64_t *ret_data)
{
	return sscanf(line, "tfd: %d events: %*x data: %" SCNx64, ret_fd, ret_data) == 2;
}

static uint64_t due_of(uint64_t deadline)
{
	return (int64_t)deadline < 0 ? 1 : deadline;
}

static bool note_at(uint32_t pid, int fd, uint64_t at, struct go_descriptor *ret)
{
	uint64_t w[NOTE_WORDS];

	if (at == 0 || at % sizeof(uint64_t) != 0 || !process_memory_read(pid, at, w, sizeof(w)) || w[NOTE_FD] != (uint64_t)fd)
		return false;
	for (size_t self = HEAD_WORDS + BESIDE_WORDS + 2 * TIMER_MIN; self < NOTE_WORDS; self++) {
		const size_t head = HEAD_WORDS + (self + HEAD_WORDS + BESIDE_WORDS) % 2, timer = (self - head - BESIDE_WORDS) / 2;

		if (w[self] != at)
			continue;
		*ret = (struct go_descriptor){.fd = fd, .read_due = due_of(w[head + 1 + timer]), .write_due = due_of(w[self - 1])};
		ret->reader_known = go_goroutine_callers(pid, w[head - READER_BACK], ret->callers);
		return true;
	}
	return false;
}

bool go_descriptors_read(uint32_t pid, int fd, uint64_t data, struct go_descriptor *ret)
{
	/* Bits of an address: 48 up to Go 1.25, then 49; the rest is a number that tells uses of one note apart. */
	static const unsigned int tags[] = {64 - 48 + ALIGN_BITS, 64 - 49 + ALIGN_BITS};

	if (note_at(pid, fd, data, ret))
		return true;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (note_at(pid, fd, data >> tags[i] << ALIGN_BITS, ret))
			return true;
	return false;
}

static void each_of(uint32_t pid, const char *epoll, go_descriptors_fn fn, void *ctx)
{
	struct go_descriptor d;
	char path[64], *line = NULL;
	size_t size = 0;
	uint64_t data;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%.16s", pid, epoll);

	FILE *f = fopen(path, "re");

	while (f != NULL && getline(&line, &size, f) > 0)
		if (go_descriptors_line(line + strspn(line, " "), &fd, &data) && go_descriptors_read(pid, fd, data, &d))
			fn(ctx, &d);
	free(line);
	if (f != NULL)
		fclose(f);
}

void go_descriptors_each(uint32_t pid, go_descriptors_fn fn, void *ctx)
{
	const struct dirent *entry;
	char path[64], link[512], what[32];

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);

	DIR *d = opendir(path);

	while (d != NULL && (entry = readdir(d)) != NULL) {
		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		const ssize_t n = readlink(link, what, sizeof(what) - 1);

		what[n > 0 ? n : 0] = '\0';
		if (strcmp(what, "anon_inode:[eventpoll]") == 0)
			each_of(pid, entry->d_name, fn, ctx);
	}
	if (d != NULL)
		closedir(d);
}
