/* A library with hooked calls in its constructor and destructor is loaded and unloaded many times. */
#include <dlfcn.h>

#include "claim.h"

#define ROUNDS 200

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	for (int i = 0; i < ROUNDS; i++) {
		void *handle = dlopen(argv[1], i % 2 == 0 ? RTLD_NOW : RTLD_LAZY);
		int (*answer)(void);

		CHECK(handle != NULL);
		*(void **)&answer = dlsym(handle, "plugin_answer");
		CHECK(answer != NULL && answer() == 42);
		CHECK(dlclose(handle) == 0);
	}
	CHECK(dlopen("/no/such/library.so", RTLD_NOW) == NULL && dlerror() != NULL);
	claim("SOCKETPAIR", ROUNDS * 3);
	claim("READ", ROUNDS * 3);
	puts("done");
	return 0;
}
