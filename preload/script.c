/*
 * Where a script is: CPython's frames of the calling thread, without which all calls of a Python program come from the same place, sock_recv.
 *
 * Runs on any thread of the watched process, inside a hook. A thread's frames change only while it runs Python, and in a hook it does not.
 * Other threads free them in one case: the interpreter ends while a daemon thread is in a call. So only the main thread looks without asking first
 * whether it does. Layouts are known by version (the offsets are those of CPython's own headers, and checked against a running process
 * by tests/system/python_sites.py); what they lead to is looked at once through the kernel, which cannot fault, before it is believed.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "preload/call.h"
#include "wire/cpython.h"

enum belief { BELIEF_NONE, BELIEF_TRUE, BELIEF_FALSE };

static const struct cpython *layout;
static void *(*thread_state)(void); /* PyGILState_GetThisThreadState: no lock, a look at the thread's own memory */
static int (*is_ending)(void);      /* a look at one word */
static _Atomic uint32_t belief;

/* "3.11.2 (main, …", not "3.10.5+cinder", nor "3.13.0 experimental free-threading build": their objects are laid out in other ways. */
static uint16_t version_of(const char *text)
{
	char *end;
	const long major = strtol(text, &end, 10);
	const long minor = *end == '.' ? strtol(end + 1, &end, 10) : -1;

	if (major != 3 || minor < 0 || minor > 99 || *end != '.')
		return 0;
	(void)strtol(end + 1, &end, 10);
	end += *end == '+';
	return *end == ' ' && !strstr(end, "free-threading") ? (uint16_t)(0x300 + minor) : 0;
}

void script_begin(void)
{
	const char *(*const text)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT, "Py_GetVersion");
	uint16_t version;

	if (!text || layout)
		goto out;
	thread_state = (void *(*)(void))dlsym(RTLD_DEFAULT, "PyGILState_GetThisThreadState");
	is_ending = (int (*)(void))dlsym(RTLD_DEFAULT, "Py_IsFinalizing"); /* its name since 3.13 */
	if (!is_ending)
		is_ending = (int (*)(void))dlsym(RTLD_DEFAULT, "_Py_IsFinalizing");
	/* Objects of a build that traces references have two more words in front. */
	if (!thread_state || !is_ending || dlsym(RTLD_DEFAULT, "_Py_PrintReferences"))
		return;
	version = version_of(text());
	layout = cpython_find(version);
out:
	shim.script = layout ? layout->version : 0;
	script_names_begin(layout);
	/* The short way knows no scripts. */
	if (shim.script)
		shim.hot_fds = 0;
}

bool script_copy(void *to, uintptr_t from, size_t bytes)
{
	const struct iovec local = {to, bytes}, remote = {(void *)from, bytes};

	return cpu_syscall(SYS_process_vm_readv, shim.pid, (long)&local, 1, (long)&remote, 1, 0) == (long)bytes;
}

static inline uintptr_t word(uintptr_t at)
{
	return *(const uintptr_t *)at;
}

/* The innermost frame as the layout has it, looked up with care. 0: there is none, before the first script begins. */
static uintptr_t doubtful(uintptr_t state)
{
	uintptr_t frame = 0;

	if (!script_copy(&frame, state + layout->state_first, sizeof(frame)) || !frame || layout->second == CPYTHON_NO_STEP)
		return frame;
	return script_copy(&frame, frame + layout->second, sizeof(frame)) ? frame : 0;
}

/* Does it lead to a code object? */
static bool leads_to_code(uintptr_t frame)
{
	uintptr_t p = 0;
	char name[8] = "";

	return script_copy(&p, frame + layout->code, sizeof(p)) && script_copy(&p, p + CPYTHON_TYPE_AT, sizeof(p)) &&
	       script_copy(&p, p + CPYTHON_TYPE_NAME_AT, sizeof(p)) && script_copy(name, p, sizeof("code")) &&
	       memcmp(name, "code", sizeof("code")) == 0;
}

bool script_is_over(void)
{
	return !shim_self()->main_thread && is_ending();
}

/* The innermost frame of the calling thread, 0 if it runs no script. */
static uintptr_t innermost(uintptr_t *ret_state)
{
	const uint32_t known = atomic_load_explicit(&belief, memory_order_relaxed);
	uintptr_t state, frame;

	if (known == BELIEF_FALSE || script_is_over())
		return 0;
	state = (uintptr_t)thread_state();
	if (!state)
		return 0;
	if (unlikely(known == BELIEF_NONE)) {
		frame = atomic_load_explicit(&shim.quiet, memory_order_relaxed) ? 0 : doubtful(state);
		if (frame)
			atomic_store_explicit(&belief, leads_to_code(frame) ? BELIEF_TRUE : BELIEF_FALSE, memory_order_relaxed);
		return 0;
	}
	*ret_state = state;
	frame = word(state + layout->state_first);
	return frame && layout->second != CPYTHON_NO_STEP ? word(frame + layout->second) : frame;
}

static uint64_t place(uintptr_t frame)
{
	return layout->number ? (uint64_t)(uint32_t) * (const int32_t *)(frame + layout->at) : word(frame + layout->at);
}

uint32_t script_site(uint32_t site)
{
	uintptr_t state = 0;
	const uintptr_t frame = innermost(&state);
	uint64_t h;

	if (!frame)
		return site;
	h = (word(frame + layout->code) ^ place(frame) << 7) * 0x9e3779b97f4a7c15ULL;
	/* How deep the script is stands for who called, as the depth of the stack does where each of its calls is one of C. */
	if (layout->depth)
		h ^= (word(state + layout->depth) - word(state + layout->depth - sizeof(uintptr_t))) * 0xc2b2ae3d27d4eb4fULL;
	return (site ^ (uint32_t)(h >> 32)) | 1;
}

uint32_t script_frames(struct wire_script_frame *to, uint32_t most)
{
	uintptr_t state = 0;
	uint32_t n = 0;

	for (uintptr_t f = innermost(&state); f && n < most; f = word(f + layout->back))
		to[n++] = (struct wire_script_frame){.code = word(f + layout->code), .at = place(f)};
	return n;
}
