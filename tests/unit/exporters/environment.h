/* An environment for tests: pairs of name and value, ended by NULL, read by env_of_test. */
#ifndef GAPSCOPE_TESTS_EXPORTERS_ENVIRONMENT_H
#define GAPSCOPE_TESTS_EXPORTERS_ENVIRONMENT_H

#include <string.h>

static const char *const *environment;

static inline char *env_of_test(const char *name)
{
	for (const char *const *e = environment; e != NULL && *e != NULL; e += 2)
		if (strcmp(e[0], name) == 0)
			return (char *)e[1];
	return NULL;
}

#define ENVIRONMENT(...) (environment = (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

#endif
