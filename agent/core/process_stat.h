/*
 * What the kernel says of a process or a thread in /proc/PID/stat (proc(5)): one line of numbers behind a name in brackets, which may hold
 * anything, brackets and spaces too. Any thread.
 */
#ifndef GAPSCOPE_CORE_PROCESS_STAT_H
#define GAPSCOPE_CORE_PROCESS_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Fields by proc(5)'s numbers, of those that are asked for. */
enum process_stat_field {
	STAT_STATE = 3,
	STAT_PARENT = 4,
	STAT_USER = 14,   /* clock ticks */
	STAT_SYSTEM = 15, /* clock ticks */
	STAT_THREADS = 20,
	STAT_START = 22,     /* clock ticks since the machine's start */
	STAT_VIRTUAL = 23,   /* bytes */
	STAT_RESIDENT = 24,  /* pages */
	STAT_PROCESSOR = 39, /* that it last ran on */
	STAT_FIELDS = 40,
};

struct process_stat {
	char state; /* 'R', 'S', 'Z' ... */
	uint64_t
		fields[STAT_FIELDS]; /* by their numbers; those before STAT_PARENT, and those that the line does not reach, are 0 */
	unsigned int n;              /* the number of the last one that the line holds */
};

/* Read the line `text`. False: it is none. */
bool process_stat_parse(const char *text, struct process_stat *ret);

/* Read the file `path`. 0, or -errno: -ENOENT or -ESRCH where the process is gone, -EBADMSG where it is no such line. */
int process_stat_read(const char *path, struct process_stat *ret);
/* The same of the process `pid`. */
int process_stat_of(pid_t pid, struct process_stat *ret);
/* 0 if it is gone. */
pid_t process_parent(pid_t pid);

#endif
