/*
 * What AddressSanitizer's runtime asks for before it has set anything up: its options, of whoever in the process has them.
 *
 * A runtime that is a library ends the program if another library was loaded in front of it, as a preloaded one is. It need not: its functions
 * are behind our hooks then, and are called by them. A program that answers itself is asked in our place.
 */
const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "verify_asan_link_order=0";
}
