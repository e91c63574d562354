/*
 * script.c and script_names.c: frames and code objects laid out as each version of CPython does lead to the right places, and to copies of what
 * names them, each sent once. This program is the interpreter. A layout is chosen once in a process, so each version has a child of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/call.h"
#include "wire/cpython.h"

#define RING (1U << 20)
#define CHECK(what) \
	do { \
		if (!(what)) \
			return __LINE__; \
	} while (0)

struct shim shim;
__thread struct shim_tls shim_tls;

static struct wire_thread slot;
static uint8_t ring[RING];

/* What the interpreter has. */
static struct {
	_Alignas(8) uint8_t state[512], step[64], frames[2][128], code[2][512], name[2][4096], file[1024], lines[2][64];
} heap;
static char version[64];
static bool ending;

const char *Py_GetVersion(void);
void *PyGILState_GetThisThreadState(void);
int Py_IsFinalizing(void);
extern uint8_t PyCode_Type[64];

uint8_t PyCode_Type[64];

const char *Py_GetVersion(void)
{
	return version;
}

void *PyGILState_GetThisThreadState(void)
{
	return heap.state;
}

int Py_IsFinalizing(void)
{
	return ending;
}

uint32_t emit_copy(const struct shim_tls *t, uint64_t at, uintptr_t from_address, uint32_t len)
{
	return script_copy(t->ring.bytes + at, from_address, len) ? len : 0;
}

static void put(uint8_t *to, const void *value, size_t bytes)
{
	memcpy(to, value, bytes);
}

static void put_address(uint8_t *to, const void *value)
{
	put(to, &value, sizeof(value));
}

static void put_string(const struct cpython *l, uint8_t *object, const char *text)
{
	const uint32_t how = 1U << 2 | 32U | 64U;
	const uint64_t length = strlen(text);

	put(object + CPYTHON_SIZE_AT, &length, sizeof(length));
	put(object + CPYTHON_STATE_AT, &how, sizeof(how));
	put(object + l->ascii, text, length);
}

/* charge() called by main(), both of shop.py. */
static void lay_out(const struct cpython *l)
{
	static const char *const names[] = {"charge", "main"};
	const uint64_t table = 4;

	memset(&heap, 0, sizeof(heap));
	put_address(PyCode_Type + CPYTHON_TYPE_NAME_AT, "code");
	put_string(l, heap.file, "/srv/app/shop.py");
	for (unsigned int i = 0; i < 2; i++) {
		const uintptr_t at = (uintptr_t)heap.code[i] + 200 + 2 * i;
		const uint32_t number = 10 + i;

		put_address(heap.code[i] + CPYTHON_TYPE_AT, PyCode_Type);
		put_address(heap.code[i] + l->name, heap.name[i]);
		put_address(heap.code[i] + l->file, heap.file);
		put_address(heap.code[i] + l->lines, heap.lines[i]);
		put(heap.lines[i] + CPYTHON_SIZE_AT, &table, sizeof(table));
		put_string(l, heap.name[i], names[i]);
		put_address(heap.frames[i] + l->code, heap.code[i]);
		if (l->number)
			put(heap.frames[i] + l->at, &number, sizeof(number));
		else
			put(heap.frames[i] + l->at, &at, sizeof(at));
	}
	put_address(heap.frames[0] + l->back, heap.frames[1]);
	if (l->second == CPYTHON_NO_STEP) {
		put_address(heap.state + l->state_first, heap.frames[0]);
	} else {
		put_address(heap.state + l->state_first, heap.step);
		put_address(heap.step + l->second, heap.frames[0]);
	}
}

static void begin(const char *said)
{
	snprintf(version, sizeof(version), "%s", said);
	shim.pid = (int32_t)getpid();
	shim.tls_at = (int32_t)((uintptr_t)&shim_tls - cpu_thread_pointer());
	shim_tls.main_thread = true;
	shim_tls.ring = (struct wire_ring){.thread = &slot, .bytes = ring, .mask = RING - 1};
	script_begin();
}

/* The next piece: is it a copy of what lies at `address`? Returns where the one behind it is, 0 if not. */
static uint32_t piece_is(uint32_t at, const void *address, bool is_code)
{
	struct wire_piece piece;

	memcpy(&piece, ring + at, sizeof(piece));
	if (piece.address != (uintptr_t)address || piece.is_code != is_code || piece.bytes == 0 ||
	    memcmp(ring + at + sizeof(piece), address, piece.bytes) != 0)
		return 0;
	return at + (uint32_t)sizeof(piece) + piece.bytes;
}

static int check_version(const struct cpython *l)
{
	struct wire_script_frame frames[4];
	char said[64], longest[3000];
	uint32_t bytes, at = 0;

	snprintf(said, sizeof(said), "3.%u.7 (main, Jan  1 2026)", l->version & 0xffU);
	lay_out(l);
	begin(said);
	CHECK(shim.script == l->version && shim.hot_fds == 0);
	/* The first look makes sure that it is what it seems. */
	CHECK(script_site(1) == 1);
	CHECK(script_site(1) != 1 && script_site(1) == script_site(1));
	CHECK(script_frames(frames, 1) == 1);
	CHECK(script_frames(frames, 4) == 2);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(frames[i].code == (uintptr_t)heap.code[i]);
		CHECK(frames[i].at == (l->number ? 10 + i : (uintptr_t)heap.code[i] + 200 + 2 * i));
	}

	bytes = script_names(&shim_tls, 0, frames, 2);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK((at = piece_is(at, heap.code[i], true)) != 0);
		CHECK((at = piece_is(at, heap.name[i], false)) != 0);
		CHECK((at = piece_is(at, heap.file, false)) != 0);
		CHECK((at = piece_is(at, heap.lines[i], false)) != 0);
	}
	CHECK(at == bytes);
	CHECK(script_names(&shim_tls, 0, frames, 2) == 0); /* once is enough … */
	shim.pid++;                                        /* … but not for a forked child, … */
	CHECK(script_names(&shim_tls, 0, frames, 0) == 0);
	shim.pid--;
	script_begin(); /* … nor for a new session */
	CHECK(script_names(&shim_tls, 0, frames, 2) == bytes);

	/* What is no code, what cannot be read, and what has too long a name is not sent; the others are. */
	script_begin();
	put_address(heap.code[0] + CPYTHON_TYPE_AT, heap.step);
	CHECK(script_names(&shim_tls, 0, frames, 2) < bytes && piece_is(0, heap.code[1], true) != 0);
	script_begin();
	lay_out(l);
	put_address(heap.code[0] + l->name, (void *)4096);
	CHECK(script_names(&shim_tls, 0, frames, 2) < bytes && piece_is(0, heap.code[1], true) != 0);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	lay_out(l);
	put_string(l, heap.name[0], longest);
	CHECK(script_names(&shim_tls, 0, frames, 1) == 0);

	/* Other threads ask whether the interpreter ends. */
	shim_tls.main_thread = false;
	CHECK(script_frames(frames, 4) == 2 && !script_is_over());
	ending = true;
	CHECK(script_is_over() && script_frames(frames, 4) == 0 && script_site(1) == 1);
	return 0;
}

/* An interpreter that is not known, and one whose frames are not where they are thought to be. */
static int check_unknown(const char *said)
{
	struct wire_script_frame frames[4];

	lay_out(&cpythons[0]);
	begin(said);
	CHECK(shim.script == 0);
	frames[0].code = (uintptr_t)heap.code[0];
	CHECK(script_names(&shim_tls, 0, frames, 1) == 0);
	return 0;
}

static int check_doubtful(void)
{
	struct wire_script_frame frames[4];
	const struct cpython *l = cpython_find(0x30d);

	lay_out(l);
	put_address(PyCode_Type + CPYTHON_TYPE_NAME_AT, "function");
	begin("3.13.1 (main)");
	CHECK(script_site(1) == 1 && script_site(1) == 1);
	CHECK(script_frames(frames, 4) == 0);
	return 0;
}

/* The line of the check that fails in a process of its own, 0 if none does. */
static int in_child(const struct cpython *l, const char *said)
{
	int status = 0, line = 0, fd[2];
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		line = l ? check_version(l) : said ? check_unknown(said) : check_doubtful();
		_exit(write(fd[1], &line, sizeof(line)) == sizeof(line) ? 0 : 1);
	}
	close(fd[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(fd[0], &line, sizeof(line)), sizeof(line));
	close(fd[0]);
	return line;
}

static void each_version_tells_frames_and_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cpythons) / sizeof(cpythons[0]); i++) {
		const int line = in_child(&cpythons[i], NULL);

		if (line)
			fail_msg("3.%u: the check in line %d", cpythons[i].version & 0xffU, line);
	}
}

static void others_are_left_alone(void **state)
{
	static const char *const others[] = {"2.7.18 (default)",
					     "3.7.1 (main)",
					     "3.99.0 (main)",
					     "3.10.5+cinder (main)",
					     "3.13.0 experimental free-threading build (main)",
					     ""};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(in_child(NULL, others[i]), 0);
}

static void what_leads_to_no_code_is_not_believed(void **state)
{
	(void)state;
	assert_int_equal(in_child(NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_tells_frames_and_names),
		cmocka_unit_test(others_are_left_alone),
		cmocka_unit_test(what_leads_to_no_code_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
