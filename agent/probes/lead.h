/*
 * Leads the connections of programs that the shim cannot enter to the relay of proof mode (bpf/lead.bpf.c): static programs, Go, musl.
 *
 * The programs belong to this process's descriptors: when it ends, however it does, the kernel takes them off. After lead_open no call here needs
 * a privilege. Owner: a command; its main thread.
 */
#ifndef GAPSCOPE_PROBES_LEAD_H
#define GAPSCOPE_PROBES_LEAD_H

#include <stddef.h>
#include <stdint.h>

#include "wire/fault.h"

struct lead;

/* Load, and attach to the root of the control groups that are visible here. 0, or -errno with one line in why. */
int lead_open(struct lead **ret, char *why, size_t size);
void lead_free(struct lead *l);
/* The faults' words: memory that processes forked from now on share. */
struct wire_fault *lead_fault(struct lead *l);
/* A process of the service, and what it forks from now on. */
void lead_watch(struct lead *l, uint32_t pid);
/* What this process starts from now on. */
void lead_watch_children(struct lead *l);

#endif
