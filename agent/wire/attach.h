/*
 * How the agent speaks to a shim that it has put into a running process: by calling its two entries with one struct.
 *
 * May be included by preload/, agent/attach and their tests.
 *
 * The entries are found through an ELF note of the library (in memory and in the file), not through its exports, which are the hook
 * table and nothing else: name WIRE_ATTACH_NOTE_NAME, type WIRE_ATTACH_NOTE_TYPE, contents struct wire_attach_note.
 */
#ifndef GAPSCOPE_WIRE_ATTACH_H
#define GAPSCOPE_WIRE_ATTACH_H

#include <stdint.h>

#define WIRE_ATTACH_NOTE_NAME "gapscope"
#define WIRE_ATTACH_NOTE_TYPE 2U /* another one when what follows changes: an older resident copy is then left alone */

/* Each value is the distance from its own address to the entry: void entry(struct wire_attach *). */
struct wire_attach_note {
	int32_t attach;
	int32_t detach;
};

#define WIRE_ATTACH_UNSET 1 /* `result` until an entry has set it */

struct wire_attach {
	int32_t fd;         /* in: the session's memory, open in the target; it stays the caller's to close */
	int32_t result;     /* out: 0 or -errno */
	uint32_t slots;     /* out: GOT slots that point to hooks now, or that were restored */
	uint32_t pid_ns;    /* in: for wire_process.pid_ns */
	char session[64];   /* in: value of GAPSCOPE_SESSION for programs that the target starts; "" = they are not watched */
	char library[1024]; /* in: the library's file, as the agent has it; "" = none */
};

#endif
