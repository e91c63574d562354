/* What many_sites.c and sites.c must agree on. */
#ifndef GAPSCOPE_TESTS_PRELOAD_MANY_SITES_H
#define GAPSCOPE_TESTS_PRELOAD_MANY_SITES_H

#define SITES 200

#endif
