/*
 * Names that C++ and Rust compilers write into programs, as their sources have them: without parameters, return types and hashes. Pure; any
 * thread.
 */
#ifndef GAPSCOPE_INGEST_DEMANGLE_H
#define GAPSCOPE_INGEST_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

/* "_ZN4shop5orderEi" → "shop::order", in place; what is too long is cut. Other names stay as they are. */
void demangle(char *name, size_t size);
/* Does the language's own library have this (demangled) name? Templates and all of Rust's library lie in the program itself. */
bool demangled_is_library(const char *name);

#endif
