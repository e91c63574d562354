/* What the loaders of probes share. May be included by agent/probes only. */
#ifndef GAPSCOPE_PROBES_PRIVATE_H
#define GAPSCOPE_PROBES_PRIVATE_H

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stddef.h>

/* libbpf prints nothing: what went wrong is returned. */
int probes_say_nothing(enum libbpf_print_level level, const char *format, va_list ap);

/* Programs could not be loaded: one line on what is missing, or else on what the kernel said, -e. */
void probes_say_why(int e, char *why, size_t size);

#endif
