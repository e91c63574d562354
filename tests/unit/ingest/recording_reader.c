/* recording_reader.c: every flipped byte and every truncation is found and named; hostile lengths do no harm. */
#include <errno.h>

#include "ingest/bytes.h"
#include "ingest/crc32c.h"
#include "ingest/recording_file.h"
#include "wire/recording_format.h"

#define EVENTS 40U

static void count(void *ctx, const struct event *e)
{
	(void)e;
	(*(uint32_t *)ctx)++;
}

static int parse(const uint8_t *bytes, size_t len, uint32_t *ret_events, char *err, size_t err_size)
{
	struct stacks *s = stacks_new();
	int r;

	assert_non_null(s);
	*ret_events = 0;
	err[0] = '\0';
	r = recording_parse(bytes, len, NULL, s, count, ret_events, NULL, err, err_size);
	stacks_free(s);
	return r;
}

static uint8_t *sample(size_t *ret_len)
{
	char path[64];
	uint8_t *bytes;

	recording_file_write(path, sizeof(path), EVENTS);
	bytes = recording_file_load(path, ret_len);
	unlink(path);
	return bytes;
}

static void every_flipped_byte_is_found(void **state)
{
	size_t len;
	uint8_t *bytes = sample(&len);
	char err[200];
	uint32_t n;

	(void)state;
	assert_int_equal(parse(bytes, len, &n, err, sizeof(err)), 0);
	assert_int_equal(n, EVENTS);
	for (size_t i = 0; i < len; i++) {
		for (unsigned int flip = 1; flip < 256; flip = flip * 2 + 1) {
			bytes[i] ^= (uint8_t)flip;
			assert_int_equal(parse(bytes, len, &n, err, sizeof(err)), -EBADMSG);
			assert_non_null(strstr(err, "at byte "));
			assert_null(strchr(err, '\n'));
			bytes[i] ^= (uint8_t)flip;
		}
	}
	free(bytes);
}

static void every_truncation_is_found(void **state)
{
	size_t len;
	uint8_t *bytes = sample(&len);
	char err[200], want[64];
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(parse(bytes, i, &n, err, sizeof(err)), -EBADMSG);
		snprintf(want, sizeof(want), "cut off at byte %zu", i);
		assert_non_null(strstr(err, want));
	}
	free(bytes);
}

static void events_before_the_damage_are_told(void **state)
{
	size_t len;
	uint8_t *bytes = sample(&len);
	char err[200];
	uint32_t n;

	(void)state;
	assert_int_equal(parse(bytes, len - 1, &n, err, sizeof(err)), -EBADMSG);
	assert_int_equal(n, EVENTS);
	free(bytes);
}

static void bytes_behind_the_end_are_found(void **state)
{
	size_t len;
	uint8_t *bytes = sample(&len);
	uint8_t *longer = calloc(1, len + 1);
	char err[200];
	uint32_t n;

	(void)state;
	assert_non_null(longer);
	memcpy(longer, bytes, len);
	assert_int_equal(parse(longer, len + 1, &n, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "behind its end"));
	free(longer);
	free(bytes);
}

/* A file head and one block with a right checksum, so that what is inside is looked at. */
static size_t forge(uint8_t *to, uint32_t type, uint32_t number, const uint8_t *payload, size_t len)
{
	uint8_t *at = to;
	uint32_t sum;

	at = bytes_put(at, type, 4);
	at = bytes_put(at, len, 4);
	at = bytes_put(at, number, 4);
	sum = crc32c(crc32c(0, to, 12), payload, len);
	at = bytes_put(at, sum, 4);
	at = bytes_put_raw(at, payload, len);
	return (size_t)(at - to);
}

static size_t forge_head(uint8_t *to)
{
	static const uint8_t head[22] = {0};
	uint8_t *at = bytes_put_raw(to, RECORDING_MAGIC, RECORDING_MAGIC_BYTES);

	at = bytes_put(at, RECORDING_VERSION, 4);
	at = bytes_put(at, ~RECORDING_VERSION, 4);
	return RECORDING_FILE_HEAD_BYTES + forge(at, RECORDING_HEAD, 0, head, sizeof(head));
}

static void hostile_items_are_refused(void **state)
{
	static const struct {
		uint8_t payload[RECORDING_EVENT_HEAD_BYTES];
		size_t len;
		const char *what;
	} cases[] = {
		{{9}, 1, "unknown kind"},
		{{RECORDING_EVENT, 0, 1}, 3, "event is malformed"},
		{{RECORDING_EVENT, [64] = 0xff, 0xff}, 68, "longer than its block"},
		{{RECORDING_EVENT, [64] = 0xff, 0xff, 0xff, 0xff}, 68, "event is malformed"},
		{{RECORDING_EVENT, [60] = 1}, 68, "event is malformed"}, /* a stack that was not given */
		{{RECORDING_STACK, 200, 1}, 6, "stack is malformed"},
		{{RECORDING_STACK, 1, 2}, 6, "stack is malformed"}, /* ids start at 1 */
		{{RECORDING_STACK, 1, 1, 0, 0, 0, 2, [19] = 0xff, 0xff}, 30, "stack is malformed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t file[300];
		size_t len = forge_head(file);
		char err[200];
		uint32_t n;

		len += forge(file + len, RECORDING_DATA, 1, cases[i].payload, cases[i].len);
		assert_int_equal(parse(file, len, &n, err, sizeof(err)), -EBADMSG);
		if (strstr(err, cases[i].what) == NULL)
			fail_msg("case %zu: %s", i, err);
	}
}

static void hostile_blocks_are_refused(void **state)
{
	static const uint8_t causes[36] = {[32] = 0xff, 0xff, 0xff, 0xff};
	uint8_t file[300];
	char err[200];
	uint32_t n;
	size_t head = forge_head(file), len;

	(void)state;
	len = head + forge(file + head, 0x12345678, 1, causes, 0);
	assert_int_equal(parse(file, len, &n, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "unknown type"));
	len = head + forge(file + head, RECORDING_END, 2, causes, 0);
	assert_int_equal(parse(file, len, &n, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "out of place"));
	len = head + forge(file + head, RECORDING_END, 1, causes, sizeof(causes));
	assert_int_equal(parse(file, len, &n, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "end mark"));
	len = head + forge(file + head, RECORDING_END, 1, causes, 0);
	memset(file + head + 4, 0xff, 4); /* 4 GiB */
	assert_int_equal(parse(file, len, &n, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "longer than any"));
}

static void other_files_are_named(void **state)
{
	struct recording_info info;
	char err[200];
	uint32_t n;

	(void)state;
	assert_int_equal(recording_info("/nonexistent/x", &info, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent/x"));
	assert_int_equal(recording_info("/", &info, err, sizeof(err)), -EISDIR);
	assert_int_equal(parse((const uint8_t *)"#!/bin/sh\necho hello\n", 21, &n, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "no gapscope recording"));
}

static void head_is_read_alone(void **state)
{
	struct recording_info info = {0};
	char path[64], err[200];

	(void)state;
	recording_file_write(path, sizeof(path), 3);
	assert_int_equal(recording_info(path, &info, err, sizeof(err)), 0);
	assert_int_equal(info.seed, recording_file_info.seed);
	assert_string_equal(info.service, recording_file_info.service);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flipped_byte_is_found),
		cmocka_unit_test(every_truncation_is_found),
		cmocka_unit_test(events_before_the_damage_are_told),
		cmocka_unit_test(bytes_behind_the_end_are_found),
		cmocka_unit_test(hostile_items_are_refused),
		cmocka_unit_test(hostile_blocks_are_refused),
		cmocka_unit_test(other_files_are_named),
		cmocka_unit_test(head_is_read_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
