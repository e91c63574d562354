/*
 * Put into a running process: the two entries that the agent calls in a thread that it holds (wire/attach.h), with a stack of the agent's
 * and all signals blocked.
 */
#include <dlfcn.h>
#include <link.h>

#include "preload/alloc.h"
#include "preload/got.h"
#include "wire/attach.h"

#pragma weak dladdr1 /* musl has none, and is never attached to (session.c) */

void attach_entry(struct wire_attach *a);
void detach_entry(struct wire_attach *a);

/* The note that leads the agent to the entries. The numbers are the lengths of the name (with its NUL) and of the contents, and WIRE_ATTACH_NOTE_TYPE. */
__asm__(".pushsection .note.gapscope, \"a\", %note\n"
	".balign 4\n"
	".long 9, 8, 2\n"
	".asciz \"" WIRE_ATTACH_NOTE_NAME "\"\n"
	".balign 4\n"
	".long attach_entry - .\n"
	".long detach_entry - .\n"
	".popsection\n");

/* Put in by way of a descriptor, the library has a name in the loader's list that debuggers would open in themselves: a pipe of their own,
 * where they wait for ever. It gets the name of its file. */
static void take_name(const char *library)
{
	static char name[sizeof(((struct wire_attach *)0)->library)] = "libgapscope.so";
	struct link_map *self = NULL;
	Dl_info info;

	if (library[0])
		memcpy(name, library, strnlen(library, sizeof(name) - 1) + 1);
	if (dladdr1 && dladdr1((void *)attach_entry, &info, (void **)&self, RTLD_DL_LINKMAP) && self)
		self->l_name = name;
}

__attribute__((visibility("hidden"), used)) void attach_entry(struct wire_attach *a)
{
	a->result = session_attach(a);
	if (a->result != 0)
		return;
	take_name(a->library);
	session_announce();
	if (alloc_wanted())
		alloc_table_clear();
	/* Slots change one after the other while other threads run: what the first ones lead to must not speak while the last ones do not, or a
	 * socket would be seen to be made, and not what was set of it. What is open when all speak, the agent looks up. */
	session_off();
	a->slots = got_patch();
	session_on();
	timers_announce();
	alloc_announce();
}

__attribute__((visibility("hidden"), used)) void detach_entry(struct wire_attach *a)
{
	session_off(); /* all at once, too */
	a->slots = got_restore();
	session_detach();
	a->result = 0;
}
