/*
 * What the processor holds of a thread: its registers, its floating point and vector state. x86-64 only, like all of agent/attach.
 *
 * For a thread that is stopped under ptrace by the caller.
 */
#ifndef GAPSCOPE_ATTACH_REGS_H
#define GAPSCOPE_ATTACH_REGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#define REGS_XSTATE_BYTES 16384U /* the largest today (AMX) takes 11 KiB */

struct regs {
	struct user_regs_struct general;
	size_t xstate_len;
	uint8_t xstate[REGS_XSTATE_BYTES];
	uint64_t mask; /* blocked signals */
};

/* 0 or -errno. */
int regs_save(pid_t tid, struct regs *ret);
/* All but the signal mask. */
int regs_restore(pid_t tid, const struct regs *r, const struct user_regs_struct *general);
int regs_get(pid_t tid, struct user_regs_struct *ret);
int regs_set(pid_t tid, const struct user_regs_struct *r);
int regs_set_mask(pid_t tid, uint64_t mask);

/* Was this thread interrupted in a system call, as `general` shows it at the stop? */
bool regs_in_syscall(const struct user_regs_struct *general);
/* Registers with which the thread makes the interrupted system call again, as if nobody had disturbed it. */
void regs_rewind(struct user_regs_struct *general);

#endif
