/*
 * How fast the scanner reads: MB/s of thread CPU time, called line by line and with many lines at once, as the sinks and `gapscope scan` do.
 * The text is read in rounds, and of each part of it the best round counts: so what else the machine does is felt less. What memchr() takes
 * to find the lines, which is a part of the time by line, says what the machine gives.
 *
 * usage: scan_speed [FILE…]; without a file over log lines made here. With BENCH_STRICT=1 it fails below 900 MB/s by line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scan/scan.h"

#define ROUNDS 15
#define PART_BYTES 32768U /* and the rest of the line */
#define STRICT_MB 900.0

static double cpu_seconds(void)
{
	struct timespec t;
	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
		abort();
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint8_t *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	long size = f != NULL && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
	uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;
	if (bytes != NULL) {
		rewind(f);
		*ret_len = fread(bytes, 1, (size_t)size, f);
	}
	if (f != NULL)
		(void)fclose(f);
	return bytes;
}

/* Lines as services write them: times, levels, key=value pairs, JSON, access logs. */
static uint8_t *make_lines(size_t *ret_len)
{
	static const char *const forms[] = {
		"2024-05-07T10:%02u:30.%03uZ level=info ts=2024 caller=http.go:194 msg=\"POST /push.v1.Push (200) 2.%u ms\" "
		"trace=%u\n",
		"81.169.1.%u - - [17/May/2015:10:05:%02u +0000] \"GET /images/kibana-%u.png HTTP/1.1\" 200 %u \"-\" \"Mozilla/5.0 "
		"(X11; Linux)\"\n",
		"081109 %u %u INFO dfs.DataNode$PacketResponder: PacketResponder %u for block blk_38865049%u terminating\n",
		"{\"time\":\"2024-04-16T14:%02u:27Z\",\"level\":\"debug\",\"n\":%u,\"msg\":\"check "
		"capacity\",\"shard\":%u,\"took\":0.%u}\n",
	};
	size_t size = 8U << 20, n = 0;
	char *text = malloc(size);
	uint32_t random = 1;
	while (text != NULL && n + 256 < size) {
		random = random * 1664525 + 1013904223;
		unsigned int a = random >> 8 & 63, b = random >> 16 & 63, c = random >> 20, d = random >> 12;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n += (size_t)snprintf(text + n, size - n, forms[random >> 30], a, b, c, d);
#pragma GCC diagnostic pop
	}
	*ret_len = n;
	return (uint8_t *)text;
}

enum way { BY_LINE, MANY, SPLIT, WAYS };

/* Bytes, and the seconds that the best rounds took. */
struct sum {
	double bytes, seconds[WAYS];
};

static size_t line_end(const uint8_t *bytes, size_t len, size_t i)
{
	const uint8_t *feed = i < len ? memchr(bytes + i, '\n', len - i) : NULL;
	return feed != NULL ? (size_t)(feed - bytes) : len;
}

/* Matches, or of SPLIT the lines. */
static size_t read_once(enum way way, struct scanner *s, const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	if (way == MANY)
		return scan_text(s, bytes, len, NULL, NULL);
	for (size_t i = 0; i < len;) {
		size_t end = line_end(bytes, len, i);
		n += way == BY_LINE ? scan_text(s, bytes + i, end - i, NULL, NULL) : 1;
		i = end + 1;
	}
	return n;
}

/* One round; best has the seconds of each part. Returns what was counted. */
static size_t one_round(enum way way, struct scanner *s, const uint8_t *bytes, size_t len, double *best)
{
	size_t counted = 0;
	for (size_t from = 0, part = 0; from < len; part++) {
		size_t to = line_end(bytes, len, from + PART_BYTES);
		double t = cpu_seconds();
		counted += read_once(way, s, bytes + from, to - from);
		t = cpu_seconds() - t;
		best[part] = best[part] > 0 && best[part] < t ? best[part] : t;
		from = to + 1;
	}
	return counted;
}

static double measure(struct scanner *s, const char *name, const uint8_t *bytes, size_t len, struct sum *sum)
{
	size_t parts = len / PART_BYTES + 1, counted[WAYS] = {0};
	double *best = calloc(WAYS * parts, sizeof(*best)), mb[WAYS];
	if (best == NULL)
		abort();
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t way = 0; way < WAYS; way++)
			counted[way] = one_round((enum way)way, s, bytes, len, best + way * parts);
	}
	for (size_t way = 0; way < WAYS; way++) {
		double seconds = 0;
		for (size_t part = 0; part < parts; part++)
			seconds += best[way * parts + part];
		sum->seconds[way] += seconds;
		mb[way] = (double)len / seconds / 1e6;
	}
	free(best);
	sum->bytes += (double)len;
	printf("%-40.40s %9zu bytes %8zu lines %7.0f MB/s by line %7.0f MB/s many lines %7.0f MB/s memchr %7zu matches\n", name,
	       len, counted[SPLIT], mb[BY_LINE], mb[MANY], mb[SPLIT], counted[BY_LINE]);
	return mb[BY_LINE];
}

int main(int argc, char **argv)
{
	const char *strict = getenv("BENCH_STRICT");
	struct scanner *s = scanner_new(NULL);
	double slowest = 1e9;
	struct sum sum = {0};
	for (int i = 1; i < (argc > 1 ? argc : 2); i++) {
		size_t len = 0;
		uint8_t *bytes = argc > 1 ? read_file(argv[i], &len) : make_lines(&len);
		if (s == NULL || bytes == NULL) {
			fprintf(stderr, "scan_speed: cannot read %s\n", argc > 1 ? argv[i] : "made lines");
			free(bytes);
			scanner_free(s);
			return 2;
		}
		double mb = measure(s, argc > 1 ? argv[i] : "made lines", bytes, len, &sum);
		slowest = mb < slowest ? mb : slowest;
		free(bytes);
	}
	if (argc > 2)
		printf("all of them: %.0f bytes, %.0f MB/s by line, %.0f many lines, %.0f memchr\n", sum.bytes,
		       sum.bytes / sum.seconds[BY_LINE] / 1e6, sum.bytes / sum.seconds[MANY] / 1e6,
		       sum.bytes / sum.seconds[SPLIT] / 1e6);
	scanner_free(s);
	return strict != NULL && strict[0] == '1' && slowest < STRICT_MB;
}
