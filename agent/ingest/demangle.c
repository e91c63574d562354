/* Names of C++ and Rust: see demangle.h. libiberty knows both; it is linked in, so that no machine has to have it. */
#include "ingest/demangle.h"

#include <libiberty/demangle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void demangle(char *name, size_t size)
{
	char *plain = NULL;

	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R'))
		return;
	plain = rust_demangle(name, DMGL_NO_OPTS); /* its older names look like C++'s */
	if (plain == NULL)
		plain = cplus_demangle_v3(name, DMGL_NO_OPTS);
	if (plain != NULL)
		snprintf(name, size, "%s", plain);
	free(plain);
}

bool demangled_is_library(const char *name)
{
	static const char *const spaces[] = {
		"std::", "__gnu_cxx::", "core::", "alloc::", "hashbrown::", "__rustc::", "operator new"};

	/* Rust: "<alloc::vec::Vec<T> as core::ops::Drop>::drop", "<&T as core::fmt::Debug>::fmt". */
	while (*name == '<' || *name == '&')
		name++;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		if (strncmp(name, spaces[i], strlen(spaces[i])) == 0)
			return true;
	}
	return strncmp(name, "T as core::", strlen("T as core::")) == 0;
}
