/*
 * What kind of code a loaded object is, by its base name: the application's own, or some runtime's (modules.def).
 */
#ifndef GAPSCOPE_CORE_MODULE_KIND_H
#define GAPSCOPE_CORE_MODULE_KIND_H

enum module_kind {
	MODULE_APPLICATION, /* nothing known about it */
	MODULE_INTERPRETER, /* runs the application's code: python, ruby, JVM … */
	MODULE_LIBRARY,     /* a client or event library that the application calls */
	MODULE_LIBC,        /* C library, loader, language support, the shim */
};

/* Kind of a module by base name; NULL is MODULE_LIBC (nothing to name). */
enum module_kind module_kind(const char *module);

/* What the code is called that this runtime makes while a program runs, "[Java]"; NULL: it makes none, as far as is known. */
const char *module_generates(const char *module);

#endif
