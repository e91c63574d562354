/*
 * A library of C++ for alloc_languages.py: one function is exported, the others have names only in the table that `strip` removes.
 */
#include <cstdlib>

namespace shop {
namespace {
template <typename T> __attribute__((noinline)) T *make(unsigned long count)
{
	T *made = new T[count];
	__asm__ volatile("" : : "r"(made) : "memory");
	return made;
}
} // namespace

__attribute__((noinline)) void leak_order(unsigned long rounds)
{
	for (unsigned long i = 0; i < rounds; i++) {
		(void)make<char>(3000);
		for (int k = 0; k < 4; k++)
			delete[] make<long>(250);
	}
}
} // namespace shop

extern "C" void library_work(unsigned long rounds)
{
	shop::leak_order(rounds);
	__asm__ volatile("");
}
