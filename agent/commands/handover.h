/*
 * The agent's end of wire/handover.h: gives the session's memory to descendants that run as another user.
 */
#ifndef GAPSCOPE_COMMANDS_HANDOVER_H
#define GAPSCOPE_COMMANDS_HANDOVER_H

/* Listen for the session path. A non-blocking descriptor, or -errno. */
int handover_listen(const char *session);
/* Answer everybody who is waiting on `listener`: descendants of this process get `memory`, others nothing. Returns how many got it. */
unsigned int handover_answer(int listener, int memory);

#endif
