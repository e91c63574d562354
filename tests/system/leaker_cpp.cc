/*
 * The same in C++, by operators new and delete, containers and a library's strings: see leaker.c.
 */
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#define NOINLINE __attribute__((noinline))

namespace {
constexpr unsigned long large = 3000, text = 1500, work = 2000;
struct order {
	char bytes[large];
};
} // namespace

NOINLINE void leak_order()
{
	order *o = new order;
	__asm__ volatile("" : : "r"(o) : "memory");
}

NOINLINE void leak_string()
{
	auto *s = new (std::nothrow) char[text];
	__asm__ volatile("" : : "r"(s) : "memory");
}

NOINLINE void give_back()
{
	std::vector<char> v(work);
	__asm__ volatile("" : : "r"(v.data()) : "memory");
	std::string s(work, 'x');
	__asm__ volatile("" : : "r"(s.data()) : "memory");
}

int main(int argc, char **argv)
{
	const unsigned long n = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;

	for (unsigned long i = 0; i < n; i++) {
		leak_order();
		leak_string();
		for (int k = 0; k < 4; k++)
			give_back();
		for (volatile int k = 0; k < 5000; k = k + 1) /* a program that does something else, too, and lives for a while */
			;
	}
	/* An exception of the allocator passes through what watches it: of one that throws. */
	try {
		if (argc > 2 && argv[2][0] == '0')
			throw std::bad_alloc();
		volatile size_t huge = static_cast<size_t>(1) << 60;
		char *p = new char[huge];
		__asm__ volatile("" : : "r"(p) : "memory");
	} catch (const std::bad_alloc &) {
		std::printf("leak_order %lu %lu\nleak_string %lu %lu\ngive_back %lu 0\n", n * large, n * large, n * text, n * text,
			    n * 4 * (2 * work + 1));
	}
	return 0;
}
