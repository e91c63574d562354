/*
 * The memory profile: unpacked again, it says what the report did, and each function, place and module is there once.
 */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/gzip.h"
#include "exporters/pprof.h"
#include "profile.pb-c.h"

static const char report[] = "{\"heap\":{\"mean_bytes\":524288,\"time_ns\":17,\"duration_ns\":5,\"sites\":["
			     "{\"alloc_objects\":1,\"alloc_bytes\":20,\"live_objects\":3,\"live_bytes\":40,\"stack\":["
			     "{\"function\":\"leak\",\"module\":\"shop\",\"file\":\"shop.c\",\"line\":7,\"offset\":4660},"
			     "{\"function\":\"main\",\"module\":\"shop\",\"file\":\"shop.c\",\"line\":9,\"offset\":22136}]},"
			     "{\"alloc_objects\":5,\"alloc_bytes\":6,\"live_objects\":0,\"live_bytes\":0,\"stack\":["
			     "{\"function\":null,\"module\":\"libx.so\",\"file\":null,\"line\":0,\"offset\":16},"
			     "{\"function\":\"main\",\"module\":\"shop\",\"file\":\"shop.c\",\"line\":9,\"offset\":22136}]}]}}";

static const char *text(const Pprof__Profile *p, int64_t at)
{
	assert_in_range(at, 0, p->n_string_table - 1);
	return p->string_table[at];
}

static const char *function(const Pprof__Profile *p, uint64_t location)
{
	const Pprof__Location *l = p->location[location - 1];

	assert_int_equal(l->id, location);
	return text(p, p->function[l->line[0]->function_id - 1]->name);
}

static void test_profile(void **state)
{
	struct bytes packed = {0}, plain = {0};
	json_t *json = json_loads(report, 0, NULL);

	(void)state;
	assert_non_null(json);
	assert_int_equal(pprof_encode(json, &packed), 0);
	assert_int_equal(gzip_unpack(&packed, 1 << 20, &plain), 0);
	Pprof__Profile *p = pprof__profile__unpack(NULL, plain.len, plain.data);
	assert_non_null(p);
	assert_string_equal(text(p, 0), "");
	assert_int_equal(p->n_sample_type, 4);
	assert_string_equal(text(p, p->sample_type[3]->type), "inuse_space");
	assert_string_equal(text(p, p->sample_type[3]->unit), "bytes");
	assert_string_equal(text(p, p->default_sample_type), "inuse_space");
	assert_int_equal(p->period, 524288);
	assert_int_equal(p->n_sample, 2);
	assert_int_equal(p->sample[0]->value[1], 20);
	assert_int_equal(p->sample[0]->value[3], 40);
	assert_int_equal(p->n_location, 3); /* main once */
	assert_int_equal(p->n_mapping, 2);
	assert_string_equal(function(p, p->sample[0]->location_id[0]), "leak");
	assert_string_equal(function(p, p->sample[0]->location_id[1]), "main");
	assert_string_equal(function(p, p->sample[1]->location_id[0]), "libx.so+0x10");
	assert_int_equal(p->sample[0]->location_id[1], p->sample[1]->location_id[1]);
	const Pprof__Location *leak = p->location[p->sample[0]->location_id[0] - 1];
	assert_int_equal(leak->line[0]->line, 7);
	assert_string_equal(text(p, p->mapping[leak->mapping_id - 1]->filename), "shop");
	pprof__profile__free_unpacked(p, NULL);
	free(packed.data);
	free(plain.data);
	json_decref(json);
}

static void test_nothing(void **state)
{
	struct bytes packed = {0};
	json_t *json = json_object();

	(void)state;
	assert_int_equal(pprof_encode(json, &packed), -ENODATA);
	assert_null(packed.data);
	json_decref(json);
}

TEST_MAIN(cmocka_unit_test(test_profile), cmocka_unit_test(test_nothing))
