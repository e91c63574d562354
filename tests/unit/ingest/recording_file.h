/*
 * A small recording in memory, for the tests of its writer and its reader. Header only.
 */
#ifndef GAPSCOPE_TESTS_RECORDING_FILE_H
#define GAPSCOPE_TESTS_RECORDING_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/recording.h"

static const struct recording_info recording_file_info = {
	.start_ns = 1700000000123456789ULL, .seed = 0xfeedfacecafebeefULL, .service = "shop \"one\""};
static const struct recording_totals recording_file_totals = {
	.published = 77, .truncated_bytes = 3, .end_ns = 1700000009000000000ULL, .lost = {1, 2, 3}};

/* Event number i of the recording; its data is `data`, 64 bytes or more. */
static inline struct event recording_file_event(uint32_t i, uint32_t stack, uint8_t *data)
{
	memset(data, (int)('a' + i % 26), 64);
	return (struct event){
		.id = (uint16_t)(i % 3 == 0 ? WIRE_READ : WIRE_TICK),
		.flags = (uint16_t)(i & 0x3ffU),
		.err = (uint16_t)(i % 130),
		.t0 = 1000 + i,
		.t1 = 2000 + i,
		.ret = -(int64_t)i,
		.a0 = UINT64_MAX - i,
		.a1 = i,
		.pid = 100 + i,
		.tid = 200 + i,
		.fd = (int32_t)i - 1,
		.stack = i % 2 == 0 ? stack : 0,
		.data_len = i % 65,
		.data = i % 65 > 0 ? data : NULL,
	};
}

/* Two stacks into s; returns the second one's id. */
static inline uint32_t recording_file_stacks(struct stacks *s)
{
	const struct frame one[] = {{.function = "main", .module = "shop", .file = "shop.c", .line = 12, .offset = 0x1139}};
	const struct frame two[] = {
		{.module = "libc.so.6", .offset = 0x2a4c0, .runtime = true},
		{.function = "charge", .module = "shop", .file = NULL, .offset = 0x1200},
	};

	assert_int_equal(stacks_add(s, one, 1), 1);
	assert_int_equal(stacks_add(s, two, 2), 2);
	return 2;
}

/* Write `events` of them into a file of the test's own; path is filled. */
static inline void recording_file_write(char *path, size_t size, uint32_t events)
{
	struct stacks *s = stacks_new();
	struct recording_writer *w = NULL;
	uint32_t stack;
	int fd;

	assert_non_null(s);
	snprintf(path, size, "/tmp/gapscope-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	stack = recording_file_stacks(s);
	assert_int_equal(recording_create(path, &recording_file_info, s, &w), 0);
	for (uint32_t i = 0; i < events; i++) {
		uint8_t data[64];
		const struct event e = recording_file_event(i, stack, data);

		assert_int_equal(recording_write(w, &e), 0);
	}
	assert_int_equal(recording_close(w, &recording_file_totals), 0);
	stacks_free(s);
}

/* The whole file; the caller frees it. */
static inline uint8_t *recording_file_load(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	long len;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	len = ftell(f);
	assert_true(len > 0);
	rewind(f);
	bytes = malloc((size_t)len);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)len, f), (size_t)len);
	fclose(f);
	*ret_len = (size_t)len;
	return bytes;
}

#endif
