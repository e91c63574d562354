/* Frames cut from a stream: split, with gaps, lost and found again. */
#include "test.h"

#include "model/script.h"
#include "protocols/frames.h"

static char log_text[512];

/* "!", a length of one byte, and as much. */
static uint64_t size_of(struct frames *f, const uint8_t *head)
{
	(void)f;
	return head[0] == '!' ? 2U + head[1] : 0;
}

static void on_frame(struct frames *f, const uint8_t *bytes, size_t len, uint64_t size)
{
	size_t used = strlen(log_text);

	(void)f;
	snprintf(log_text + used, sizeof(log_text) - used, "%.*s/%u ", (int)len - 2, (const char *)bytes + 2, (unsigned int)size);
}

static bool begins(struct frames *f, const uint8_t *bytes, size_t len)
{
	return len >= 2 && size_of(f, bytes);
}

static void on_lost(struct frames *f)
{
	(void)f;
	strcat(log_text, "lost ");
}

static const struct frames_ops ops = {.size = size_of, .frame = on_frame, .begins = begins, .lost = on_lost};

static void feed(struct frames *f, const char *text, size_t gap)
{
	frames_feed(f, (const uint8_t *)text, strlen(text), gap);
}

static void cut_and_found(void **state)
{
	struct counters counters = {0};
	struct talk t = {.counters = &counters};
	struct frames f = {.ops = &ops, .t = &t, .client = true, .head = 2};

	(void)state;
	feed(&f, "!\3abc!\1x!", 0);
	feed(&f, "\2y", 0);
	feed(&f, "z", 0);
	feed(&f, "!\6ab", 4); /* its end was not captured */
	feed(&f, "!\3ab", 9); /* nor the start of the next */
	feed(&f, "noise", 0);
	feed(&f, "!\1q", 0);
	feed(&f, "?\1q", 0);
	feed(&f, "!\1r", 0);
	assert_string_equal(log_text, "abc/5 x/3 yz/4 ab/8 ab/5 lost q/3 lost r/3 ");
	assert_int_equal(counters.protocol_resync, 2);
}

/* "!" and a length below ten, behind whatever. */
static size_t seek(struct frames *f, const uint8_t *bytes, size_t len)
{
	(void)f;
	for (size_t at = 1; at + 1 < len; at++) {
		if (bytes[at] == '!' && bytes[at + 1] < 10)
			return at;
	}
	return len;
}

static void found_within(void **state)
{
	static const struct frames_ops seeking = {
		.size = size_of, .frame = on_frame, .begins = begins, .seek = seek, .lost = on_lost};
	struct counters counters = {0};
	struct talk t = {.counters = &counters};
	struct frames f = {.ops = &seeking, .t = &t, .client = true, .head = 2};

	(void)state;
	log_text[0] = '\0';
	feed(&f, "!\6ab", 9);
	feed(&f, "noise", 0);
	feed(&f, "no!se!\1q!\2", 0);
	feed(&f, "yz", 0);
	assert_string_equal(log_text, "ab/8 lost q/3 yz/4 ");
}

TEST_MAIN(cmocka_unit_test(cut_and_found), cmocka_unit_test(found_within))
