/* The durable queue: order, limits, damage, two agents, and what one leaves for the next. */
#include "test.h"

#include <errno.h>
#include <sys/stat.h>

#include "exporters/folder.h"
#include "exporters/otlp_store.h"

static char err[256];

static struct otlp_store *open_store(uint64_t size_max)
{
	struct otlp_store *s = NULL;
	assert_int_equal(otlp_store_open(dir, "q", size_max, &s, err, sizeof err), 0);
	return s;
}

static uint64_t put(struct otlp_store *s, const char *text, uint64_t weight)
{
	const struct otlp_item item = {.bytes = {.data = (uint8_t *)text, .len = strlen(text)}, .weight = weight};
	uint64_t dropped = 0;
	assert_int_equal(otlp_store_put(s, &item, 1, &dropped), 0);
	return dropped;
}

/* Take up to a weight; the texts one behind the other. */
static void expect_taken(struct otlp_store *s, uint64_t weight, const char *want)
{
	struct otlp_item *items;
	uint64_t dropped = 0;
	char text[256] = "";
	ssize_t n = otlp_store_take(s, weight, 1U << 20, &items, &dropped);
	assert_true(n >= 0);
	for (ssize_t i = 0; i < n; i++) {
		strncat(text, (char *)items[i].bytes.data, items[i].bytes.len);
		free(items[i].bytes.data);
	}
	if (n > 0)
		free(items);
	assert_string_equal(text, want);
	assert_int_equal(dropped, 0);
}

static void oldest_first(void **state)
{
	(void)state;
	struct otlp_store *s = open_store(1 << 20);
	assert_string_equal(err, "");
	expect_taken(s, 100, "");
	put(s, "a", 1);
	put(s, "b", 2);
	put(s, "c", 3);
	assert_int_equal(otlp_store_weight(s), 6);
	expect_taken(s, 3, "ab"); /* whole batches up to the weight */
	otlp_store_settle(s, false);
	expect_taken(s, 1, "a");
	assert_int_equal(otlp_store_weight(s), 6); /* what was taken is still there */
	otlp_store_settle(s, true);
	assert_int_equal(otlp_store_weight(s), 5);
	expect_taken(s, 100, "bc");
	otlp_store_settle(s, true);
	expect_taken(s, 100, "");
	otlp_store_close(s);
}

static void it_outlives_the_agent(void **state)
{
	(void)state;
	struct otlp_store *s = open_store(1 << 20);
	put(s, "a", 4);
	put(s, "b", 5);
	otlp_store_close(s);
	s = open_store(1 << 20);
	assert_int_equal(otlp_store_weight(s), 9);
	expect_taken(s, 4, "a");
	otlp_store_close(s); /* without a word of what became of it: it is sent again */
	s = open_store(1 << 20);
	expect_taken(s, 100, "ab");
	otlp_store_settle(s, true);
	otlp_store_close(s);
	s = open_store(1 << 20);
	assert_int_equal(otlp_store_weight(s), 0);
	otlp_store_close(s);
	struct stat st;
	char path[128];
	snprintf(path, sizeof path, "%s/q.db", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
}

static void the_oldest_go_first(void **state)
{
	(void)state;
	struct otlp_store *s = open_store(30); /* an item's head is 8 bytes: three fit */
	assert_int_equal(put(s, "aa", 1), 0);
	assert_int_equal(put(s, "bb", 2), 0);
	assert_int_equal(put(s, "cc", 4), 0);
	assert_int_equal(put(s, "dd", 8), 1);
	assert_int_equal(otlp_store_weight(s), 14);
	expect_taken(s, 2, "bb");
	assert_int_equal(put(s, "ee", 16), 4); /* bb is on its way: cc goes */
	otlp_store_settle(s, true);
	expect_taken(s, 100, "ddee");
	otlp_store_settle(s, true);
	assert_int_equal(otlp_store_weight(s), 0);
	otlp_store_close(s);
}

static void two_agents(void **state)
{
	(void)state;
	struct otlp_store *first = open_store(1 << 20), *second = open_store(1 << 20);
	put(first, "a", 1);
	put(second, "b", 2);
	assert_int_equal(otlp_store_weight(first), 1);
	assert_int_equal(otlp_store_weight(second), 2);
	otlp_store_close(second);
	otlp_store_close(first);
	/* the next one has what both left */
	first = open_store(1 << 20);
	expect_taken(first, 100, "ab");
	otlp_store_settle(first, true);
	otlp_store_close(first);
	first = open_store(1 << 20);
	assert_int_equal(otlp_store_weight(first), 0);
	otlp_store_close(first);
}

static void overwrite(const char *name, const char *with, long from, size_t len)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, from, SEEK_SET), 0);
	for (size_t i = 0; i < len; i++)
		fputc(with[i % strlen(with)], f);
	fclose(f);
}

static void a_damaged_file_is_set_aside(void **state)
{
	(void)state;
	struct otlp_store *s = open_store(1 << 20);
	put(s, "a", 1);
	otlp_store_close(s);
	overwrite("q.db", "garbage", 0, 4096);
	s = open_store(1 << 20);
	assert_non_null(strstr(err, "q.db.damaged"));
	assert_int_equal(otlp_store_weight(s), 0);
	put(s, "b", 1);
	expect_taken(s, 100, "b");
	otlp_store_close(s);
}

static void a_damaged_batch_is_never_sent(void **state)
{
	(void)state;
	struct otlp_store *s = open_store(1 << 20);
	char text[3000];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	put(s, text, 7);
	put(s, "good", 1);
	otlp_store_close(s);
	char path[128];
	snprintf(path, sizeof path, "%s/q.db", dir);
	FILE *f = fopen(path, "r");
	static char file[1 << 20];
	size_t len = fread(file, 1, sizeof file, f);
	fclose(f);
	const char *at = memmem(file, len, "xxxxxxxxxxxxxxxx", 16);
	assert_non_null(at);
	overwrite("q.db", "y", at - file + 100, 1);
	s = open_store(1 << 20);
	struct otlp_item *items;
	uint64_t dropped = 0;
	assert_int_equal(otlp_store_take(s, 100, 1U << 20, &items, &dropped), 1);
	assert_int_equal(dropped, 7);
	assert_memory_equal(items[0].bytes.data, "good", 4);
	free(items[0].bytes.data);
	free(items);
	otlp_store_settle(s, true);
	assert_int_equal(otlp_store_weight(s), 0);
	otlp_store_close(s);
}

static void a_folder_that_cannot_be(void **state)
{
	(void)state;
	struct otlp_store *s = NULL;
	assert_true(otlp_store_open("/proc/nowhere", "q", 1 << 20, &s, err, sizeof err) < 0);
	assert_non_null(strstr(err, "/proc/nowhere"));
	assert_null(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
TEST_MAIN(TEST(oldest_first), TEST(it_outlives_the_agent), TEST(the_oldest_go_first), TEST(two_agents),
	  TEST(a_damaged_file_is_set_aside), TEST(a_damaged_batch_is_never_sent), cmocka_unit_test(a_folder_that_cannot_be))
