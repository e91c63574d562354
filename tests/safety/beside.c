/* Made into another preloaded library that counts write(): both it and ours must see every call. GS_BESIDE_COUNT tells how many. */
#include <dlfcn.h>

#include "claim.h"

static _Atomic unsigned long writes;
static ssize_t (*real_write)(int, const void *, size_t);

unsigned long beside_count(void);
unsigned long beside_count(void)
{
	return writes;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	if (real_write == NULL)
		*(void **)&real_write = dlsym(RTLD_NEXT, "write");
	writes++;
	return real_write(fd, bytes, length);
}
