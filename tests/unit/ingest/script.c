/* script.c: code objects laid out as each version does, in this process's own memory, get their names; what is none gets none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/script.h"

/* Offsets of the fields in CPython's headers. */
static const struct version {
	uint32_t version;
	size_t first, name, file, lines, code, ascii, compact;
} versions[] = {
	{0x308, 40, 112, 104, 120, 0, 48, 72},   {0x309, 40, 112, 104, 120, 0, 48, 72},   {0x30a, 40, 112, 104, 120, 0, 48, 72},
	{0x30b, 72, 120, 112, 136, 184, 48, 72}, {0x30c, 68, 120, 112, 136, 192, 40, 56}, {0x30d, 68, 120, 112, 136, 200, 40, 56},
};

#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

/* The objects of one function. */
static struct heap {
	_Alignas(8) uint8_t code[512], name[1024], file[1024], lines[64], type[64];
	char type_name[8];
} heap;

static void put(uint8_t *to, const void *value, size_t bytes)
{
	memcpy(to, value, bytes);
}

static void put_address(uint8_t *to, const void *value)
{
	const uint64_t address = (uint64_t)(uintptr_t)value;

	put(to, &address, sizeof(address));
}

/* A string of `width` bytes a character. */
static void put_string(const struct version *v, uint8_t *object, const void *text, uint64_t length, uint32_t width, bool ascii)
{
	const uint32_t how = width << 2 | 32U | (ascii ? 64U : 0);

	put(object + 16, &length, sizeof(length));
	put(object + 32, &how, sizeof(how));
	put(object + (ascii ? v->ascii : v->compact), text, length * width);
}

static void put_path(const struct version *v, const char *path)
{
	put_string(v, heap.file, path, strlen(path), 1, true);
}

/* charge() of /srv/app/shop.py, which begins in line 88 and whose second instruction is in line 90. */
static void lay_out(const struct version *v)
{
	static const uint8_t steps[] = {2, 2}, ranges[] = {2, 0, 8, 2},
			     locations[] = {0xf0, 0x00, 0x00, 0x00, 0x00, 0xdc, 0x00, 0x00};
	const uint8_t *table = v->version < 0x30a ? steps : v->version == 0x30a ? ranges : locations;
	const uint64_t len = v->version < 0x30a ? sizeof(steps) : v->version == 0x30a ? sizeof(ranges) : sizeof(locations);
	const uint32_t first = 88;

	memset(&heap, 0, sizeof(heap));
	memcpy(heap.type_name, "code", sizeof("code"));
	put_address(heap.type + 24, heap.type_name);
	put_address(heap.code + 8, heap.type);
	put_address(heap.code + v->name, heap.name);
	put_address(heap.code + v->file, heap.file);
	put_address(heap.code + v->lines, heap.lines);
	put(heap.code + v->first, &first, sizeof(first));
	put_string(v, heap.name, "charge", strlen("charge"), 1, true);
	put_path(v, "/srv/app/shop.py");
	put(heap.lines + 16, &len, sizeof(len));
	put(heap.lines + 32, table, len);
}

/* The second instruction. */
static struct wire_script_frame frame_of(const struct version *v)
{
	const uint64_t code = (uint64_t)(uintptr_t)heap.code;

	return (struct wire_script_frame){.code = code, .at = v->code > 0 ? code + v->code + 2 : v->version == 0x30a ? 1 : 2};
}

static bool look(struct script *s, const struct version *v, struct symbol *ret, char *module)
{
	const struct wire_script_frame f = frame_of(v);

	return script_find(s, v->version, &f, ret, module);
}

static void every_version_names_its_functions(void **state)
{
	(void)state;
	for (size_t i = 0; i < VERSIONS; i++) {
		struct script *s = script_new((uint32_t)getpid());
		char module[SYMBOL_TEXT];
		struct symbol found;

		lay_out(&versions[i]);
		assert_true(look(s, &versions[i], &found, module));
		assert_string_equal(found.function, "charge");
		assert_string_equal(found.file, "/srv/app/shop.py");
		assert_string_equal(module, "shop.py");
		assert_int_equal(found.line, versions[i].version < 0x30b ? 90 : 88 + 1);
		assert_false(found.runtime);
		script_free(s);
	}
}

static void what_was_installed_is_told_apart(void **state)
{
	const struct version *v = &versions[3];
	struct script *s = script_new((uint32_t)getpid());
	char module[SYMBOL_TEXT];
	struct symbol found;

	(void)state;
	lay_out(v);
	put_path(v, "/srv/venv/lib/python3.11/site-packages/requests/api.py");
	assert_true(look(s, v, &found, module) && found.runtime);
	assert_string_equal(module, "site-packages/requests");
	script_free(s);
	s = script_new((uint32_t)getpid());
	put_path(v, "/usr/lib/python3.11/socket.py");
	assert_true(look(s, v, &found, module) && found.runtime);
	assert_string_equal(module, "python3.11");
	script_free(s);
	s = script_new((uint32_t)getpid());
	put_path(v, "<frozen importlib._bootstrap>");
	assert_true(look(s, v, &found, module) && found.runtime);
	script_free(s);
}

static void an_address_may_come_to_hold_another_function(void **state)
{
	const struct version *v = &versions[4];
	struct script *s = script_new((uint32_t)getpid());
	static uint8_t other[128];
	char module[SYMBOL_TEXT];
	struct symbol found;

	(void)state;
	lay_out(v);
	assert_true(look(s, v, &found, module));
	put_string(v, other, "refund", strlen("refund"), 1, true);
	put_address(heap.code + v->name, other);
	assert_true(look(s, v, &found, module));
	assert_string_equal(found.function, "refund");
	script_free(s);
}

static void names_in_any_letters(void **state)
{
	static const uint8_t latin[] = {'z', 0xe4, 'h', 'l', 'e'};
	static const uint16_t wide[] = {0x652f, 0x6255};
	static const uint32_t widest[] = {0x1f4b3, 'x'};
	char module[SYMBOL_TEXT];
	struct symbol found;

	(void)state;
	for (size_t i = 0; i < VERSIONS; i++) {
		const struct version *v = &versions[i];
		static const char *const names[] = {"z\u00e4hle", "\u652f\u6255", "\U0001f4b3x"};

		for (unsigned int kind = 0; kind < 3; kind++) {
			struct script *s = script_new((uint32_t)getpid());

			lay_out(v);
			put_string(v, heap.name,
				   kind == 0   ? (const void *)latin
				   : kind == 1 ? (const void *)wide
					       : (const void *)widest,
				   kind == 0 ? 5 : 2, 1U << kind, false);
			assert_true(look(s, v, &found, module));
			assert_string_equal(found.function, names[kind]);
			script_free(s);
		}
	}
}

static void what_is_no_code_has_no_name(void **state)
{
	const struct version *v = &versions[5];
	struct script *s = script_new((uint32_t)getpid());
	const struct wire_script_frame nowhere = {.code = 4096, .at = 0}, odd = {.code = (uint64_t)(uintptr_t)heap.code + 1};
	char module[SYMBOL_TEXT], longer[600];
	struct symbol found;
	uint64_t huge = UINT64_MAX / 2;

	(void)state;
	lay_out(v);
	assert_false(script_find(s, v->version, &nowhere, &found, module));
	assert_false(script_find(s, v->version, &odd, &found, module));
	assert_false(script_find(s, 0x30e, &(struct wire_script_frame){.code = (uint64_t)(uintptr_t)heap.code}, &found, module));
	memcpy(heap.type_name, "None", sizeof("None"));
	assert_false(look(s, v, &found, module));
	memcpy(heap.type_name, "code", sizeof("code"));
	put(heap.name + 16, &huge, sizeof(huge));
	assert_false(look(s, v, &found, module));
	script_free(s);
	/* Of a path that is too long the end is kept; lines that cannot be read leave the first. */
	s = script_new((uint32_t)getpid());
	lay_out(v);
	memset(longer, 'd', sizeof(longer));
	snprintf(longer + 500, sizeof(longer) - 500, "/shop.py");
	put_path(v, longer);
	put(heap.lines + 16, &huge, sizeof(huge));
	assert_true(look(s, v, &found, module));
	assert_string_equal(module, "shop.py");
	assert_int_equal(found.line, 88);
	script_free(s);
	script_free(NULL);
	/* A process that is gone. */
	s = script_new(0x7ffffffe);
	assert_false(look(s, v, &found, module));
	script_free(s);
}

static size_t put_piece(uint8_t *to, const void *object, uint32_t bytes, bool is_code)
{
	const struct wire_piece piece = {.address = (uint64_t)(uintptr_t)object, .bytes = bytes, .is_code = is_code};

	memcpy(to, &piece, sizeof(piece));
	memcpy(to + sizeof(piece), object, bytes);
	return sizeof(piece) + bytes;
}

/* A process that is gone: what it told holds, as far as it is whole. */
static void what_was_told_outlives_the_process(void **state)
{
	(void)state;
	for (size_t i = 0; i < VERSIONS; i++) {
		const struct version *v = &versions[i];
		char module[SYMBOL_TEXT];
		struct symbol found;
		uint8_t told[1024];
		size_t len = 0, whole;

		lay_out(v);
		len += put_piece(told + len, heap.code, 208, true);
		len += put_piece(told + len, heap.name, 80, false);
		len += put_piece(told + len, heap.file, 96, false);
		whole = len;
		len += put_piece(told + len, heap.lines, 41, false);
		for (size_t cut = 0; cut <= len; cut++) {
			struct script *s = script_new(0x7ffffffe);

			assert_non_null(s);
			script_learn(s, v->version, told, cut);
			assert_int_equal(look(s, v, &found, module), cut >= whole);
			if (cut >= whole) {
				assert_string_equal(found.function, "charge");
				assert_string_equal(module, "shop.py");
				assert_int_equal(found.line, cut < len ? 88 : versions[i].version < 0x30b ? 90 : 89);
			}
			script_free(s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_names_its_functions),
		cmocka_unit_test(what_was_installed_is_told_apart),
		cmocka_unit_test(an_address_may_come_to_hold_another_function),
		cmocka_unit_test(names_in_any_letters),
		cmocka_unit_test(what_is_no_code_has_no_name),
		cmocka_unit_test(what_was_told_outlives_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
