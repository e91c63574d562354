/*
 * The one place that picks a processor. Everything else in preload/ is plain C.
 */
#ifndef GAPSCOPE_PRELOAD_CPU_H
#define GAPSCOPE_PRELOAD_CPU_H

#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "wire/record.h"

#if defined(__x86_64__)
#include "preload/cpu_x86_64.h"
#elif defined(__aarch64__)
#include "preload/cpu_aarch64.h"
#else
#error "preload/ needs a cpu_*.h for this processor"
#endif

#endif
