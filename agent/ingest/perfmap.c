/* /tmp/perf-PID.map: see perfmap.h. */
#include "ingest/perfmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"

struct range {
	uint64_t start, end;
	const char *name; /* into text */
	size_t number;    /* later lines win */
};

struct perfmap {
	uint32_t pid;
	off_t size; /* of the file when it was read */
	char *text;
	size_t n, room;
	struct range *ranges; /* by start, then number */
};

struct perfmap *perfmap_new(uint32_t pid)
{
	struct perfmap *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->pid = pid;
	return p;
}

void perfmap_free(struct perfmap *p)
{
	if (p == NULL)
		return;
	free(p->text);
	free(p->ranges);
	free(p);
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

int perfmap_parse(struct perfmap *p, char *text)
{
	char *rest = NULL;

	p->n = 0;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		char *at = line;
		const uint64_t start = strtoull(at, &at, 16);
		const uint64_t size = *at == ' ' ? strtoull(at, &at, 16) : 0;

		if (size == 0 || *at != ' ' || start + size < start)
			continue;
		if (p->n == p->room) {
			const size_t room = p->room > 0 ? p->room * 2 : 256;
			struct range *ranges = reallocarray(p->ranges, room, sizeof(*ranges));

			if (ranges == NULL)
				return -ENOMEM;
			p->ranges = ranges;
			p->room = room;
		}
		p->ranges[p->n] = (struct range){.start = start, .end = start + size, .name = at + 1, .number = p->n};
		p->n++;
	}
	if (p->n > 0)
		qsort(p->ranges, p->n, sizeof(*p->ranges), by_start);
	return 0;
}

static void load(struct perfmap *p)
{
	char path[96];
	struct stat st;
	size_t got = 0;
	ssize_t k = 1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/root/tmp/perf-%u.map", p->pid, p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == p->size || st.st_size > (off_t)LIMIT_PERF_MAP_BYTES)
		goto done;
	free(p->text);
	p->n = 0;
	p->size = st.st_size;
	p->text = malloc((size_t)st.st_size + 1);
	if (p->text == NULL)
		goto done;
	while (k > 0 && got < (size_t)st.st_size) {
		k = read(fd, p->text + got, (size_t)st.st_size - got);
		got += k > 0 ? (size_t)k : 0;
	}
	p->text[got] = '\0';
	perfmap_parse(p, p->text);
done:
	close(fd);
}

static const char *find(const struct perfmap *p, uint64_t address)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (p->ranges[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && address < p->ranges[low - 1].end ? p->ranges[low - 1].name : NULL;
}

const char *perfmap_find(struct perfmap *p, uint64_t address)
{
	const char *name = find(p, address);

	if (name != NULL)
		return name;
	load(p);
	return find(p, address);
}
