/*
 * The shim's end of wire/handover.h.
 */
#ifndef GAPSCOPE_PRELOAD_HANDOVER_H
#define GAPSCOPE_PRELOAD_HANDOVER_H

/* Ask the agent of this session for its memory. A descriptor of ours, or -errno; waits WIRE_HANDOVER_WAIT_MS at most. */
int handover_ask(const char *session);

#endif
