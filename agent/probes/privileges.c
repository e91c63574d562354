/* Capabilities by the kernel's own calls, for which libc has no names: see privileges.h. */
#include "probes/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned int kept[] = {CAP_SYS_PTRACE, CAP_KILL, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH};

struct sets {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static int sets_get(struct sets *s)
{
	*s = (struct sets){.head = {.version = _LINUX_CAPABILITY_VERSION_3}};
	return syscall(SYS_capget, &s->head, s->data) < 0 ? -errno : 0;
}

bool privileges_have(unsigned int capability)
{
	struct sets s;

	return sets_get(&s) == 0 && (s.data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
}

int privileges_drop(void)
{
	uint32_t keep[_LINUX_CAPABILITY_U32S_3] = {0};
	struct sets s;
	int e = sets_get(&s);

	if (e < 0)
		return e;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		keep[CAP_TO_INDEX(kept[i])] |= CAP_TO_MASK(kept[i]);
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		s.data[i].effective &= keep[i];
		s.data[i].permitted &= keep[i];
	}
	return syscall(SYS_capset, &s.head, s.data) < 0 ? -errno : 0;
}
