/* recording_writer.c: what was written is read back, field by field; errors of the disk come out. */
#include <errno.h>
#include <sys/stat.h>

#include "ingest/recording_file.h"

#define MANY 5000U /* several blocks */

struct check {
	uint32_t n;
	uint32_t stack;
};

static void compare(void *ctx, const struct event *e)
{
	struct check *c = ctx;
	uint8_t data[64];
	const struct event want = recording_file_event(c->n++, c->stack, data);

	assert_int_equal(e->id, want.id);
	assert_int_equal(e->flags, want.flags);
	assert_int_equal(e->err, want.err);
	assert_int_equal(e->t0, want.t0);
	assert_int_equal(e->t1, want.t1);
	assert_int_equal(e->ret, want.ret);
	assert_int_equal(e->a0, want.a0);
	assert_int_equal(e->a1, want.a1);
	assert_int_equal(e->pid, want.pid);
	assert_int_equal(e->tid, want.tid);
	assert_int_equal(e->fd, want.fd);
	assert_int_equal(e->stack, want.stack);
	assert_int_equal(e->data_len, want.data_len);
	if (want.data_len > 0)
		assert_memory_equal(e->data, want.data, want.data_len);
	else
		assert_null(e->data);
}

static void what_is_written_is_read(void **state)
{
	struct stacks *s = stacks_new();
	struct recording_info info;
	struct recording_totals totals;
	struct check c = {.stack = 2};
	char path[64], err[200] = "";
	const struct frame *f;
	struct stat st;
	size_t n;

	(void)state;
	recording_file_write(path, sizeof(path), MANY);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 300000);
	assert_int_equal(recording_read(path, &info, s, compare, &c, &totals, err, sizeof(err)), 0);
	assert_string_equal(err, "");
	assert_int_equal(c.n, MANY);
	assert_int_equal(info.start_ns, recording_file_info.start_ns);
	assert_int_equal(info.seed, recording_file_info.seed);
	assert_string_equal(info.service, recording_file_info.service);
	assert_false(info.raw_logs);
	assert_int_equal(totals.events, MANY);
	assert_int_equal(totals.published, 77);
	assert_int_equal(totals.truncated_bytes, 3);
	assert_int_equal(totals.end_ns, recording_file_totals.end_ns);
	assert_memory_equal(totals.lost, recording_file_totals.lost, sizeof(totals.lost));

	assert_int_equal(stacks_count(s), 2);
	f = stacks_frames(s, 1, &n);
	assert_int_equal(n, 1);
	assert_string_equal(f->function, "main");
	assert_string_equal(f->file, "shop.c");
	assert_int_equal(f->line, 12);
	assert_int_equal(f->offset, 0x1139);
	assert_false(f->runtime);
	f = stacks_frames(s, 2, &n);
	assert_int_equal(n, 2);
	assert_null(f[0].function);
	assert_true(f[0].runtime);
	assert_string_equal(f[1].function, "charge");
	assert_null(f[1].file);
	unlink(path);
	stacks_free(s);
}

static void the_same_events_give_the_same_bytes(void **state)
{
	char a[64], b[64];
	uint8_t *bytes_a, *bytes_b;
	size_t len_a, len_b;

	(void)state;
	recording_file_write(a, sizeof(a), 100);
	recording_file_write(b, sizeof(b), 100);
	bytes_a = recording_file_load(a, &len_a);
	bytes_b = recording_file_load(b, &len_b);
	assert_int_equal(len_a, len_b);
	assert_memory_equal(bytes_a, bytes_b, len_a);
	free(bytes_a);
	free(bytes_b);
	unlink(a);
	unlink(b);
}

static void only_the_owner_may_read_it(void **state)
{
	struct stacks *s = stacks_new();
	struct recording_writer *w = NULL;
	char path[64];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/gapscope-mode-%d", getpid());
	assert_int_equal(recording_create(path, &recording_file_info, s, &w), 0);
	assert_int_equal(recording_close(w, &recording_file_totals), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(path);
	stacks_free(s);
}

static void errors_come_out(void **state)
{
	struct stacks *s = stacks_new();
	struct recording_writer *w = NULL;

	(void)state;
	assert_int_equal(recording_create("/nonexistent/x", &recording_file_info, s, &w), -ENOENT);
	assert_null(w);
	assert_int_equal(recording_create("/dev/full", &recording_file_info, s, &w), -ENOSPC);
	assert_null(w);
	assert_int_equal(recording_close(NULL, &recording_file_totals), 0);
	stacks_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_same_events_give_the_same_bytes),
		cmocka_unit_test(only_the_owner_may_read_it),
		cmocka_unit_test(errors_come_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
