/*
 * Probes for features, never for versions (host.h). Main thread; keeps nothing.
 */
#include "commands/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "commands/shim.h"
#include "probes/privileges.h"
#include "probes/probes.h"
#include "probes/tcp.h"
#include "wire/shared.h"

static enum check_result kernel(char *text, size_t size)
{
	struct utsname u;

	if (uname(&u) < 0)
		return CHECK_FAILED;
	snprintf(text, size, "%s %s %s", u.sysname, u.release, u.machine);
	return CHECK_OK;
}

static enum check_result shim(char *text, size_t size)
{
	char path[PATH_MAX];
	char dir[PATH_MAX];
	struct stat st;

	if (shim_find(path, sizeof(path), text, size) < 0)
		return CHECK_FAILED;
	/* A service may change its user and start programs: these load the shim too, if they can reach it. */
	snprintf(dir, sizeof(dir), "%s", path);
	for (char *slash = strrchr(dir, '/'); slash && slash != dir; slash = strrchr(dir, '/')) {
		*slash = 0;
		if (stat(dir, &st) == 0 && !(st.st_mode & S_IXOTH)) {
			snprintf(text, size,
				 "%s; but other users cannot enter %s: a service that changes its user cannot load it again", path,
				 dir);
			return CHECK_NOTE;
		}
	}
	snprintf(text, size, "%s", path);
	return CHECK_OK;
}

static enum check_result memory(char *text, size_t size)
{
	int fd = memfd_create("gapscope-doctor", MFD_CLOEXEC);
	enum check_result result = CHECK_FAILED;

	if (fd < 0) {
		snprintf(text, size, "no memfd: %s; gapscope cannot share memory with a service here", strerror(errno));
		return CHECK_FAILED;
	}
	off_t want = (off_t)WIRE_THREAD_MAX_DEFAULT * WIRE_RING_BYTES_DEFAULT;
	void *map = MAP_FAILED;
	if (ftruncate(fd, want) == 0)
		map = mmap(NULL, (size_t)want, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		snprintf(text, size, "cannot map %lld MiB (RLIMIT_AS?): use fewer --rings or a smaller --ring-size",
			 (long long)want >> 20);
	} else {
		snprintf(text, size, "memfd works; %lld MiB are mapped, and used only as far as threads need them",
			 (long long)want >> 20);
		munmap(map, (size_t)want);
		result = CHECK_OK;
	}
	close(fd);
	return result;
}

/* A watched program opens the session through /proc/<agent>/fd. */
static enum check_result proc_fd(char *text, size_t size)
{
	char path[64];
	int fd = memfd_create("gapscope-doctor", MFD_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), fd);
	int again = open(path, O_RDWR | O_CLOEXEC);
	int e = errno;
	if (again >= 0)
		close(again);
	if (fd >= 0)
		close(fd);
	if (again < 0) {
		snprintf(text, size, "cannot open %s: %s; mount /proc", path, strerror(e));
		return CHECK_FAILED;
	}
	snprintf(text, size, "a program of the same user can open the session through /proc");
	return CHECK_OK;
}

static bool cpu_flag(const char *flag)
{
	char line[8192];
	FILE *f = fopen("/proc/cpuinfo", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strncmp(line, "flags", 5) == 0 && strstr(line, flag);
	if (f)
		fclose(f);
	return found;
}

static enum check_result timestamps(char *text, size_t size)
{
#if defined(__x86_64__)
	if (!cpu_flag(" constant_tsc") || !cpu_flag(" nonstop_tsc")) {
		snprintf(text, size, "the time stamp counter is not invariant: clock_gettime is used, about 20 ns more a call");
		return CHECK_NOTE;
	}
	snprintf(text, size, "invariant time stamp counter");
#else
	(void)cpu_flag;
	snprintf(text, size, "the processor's virtual counter");
#endif
	return CHECK_OK;
}

/* First line of a small file; false if there is none. */
static bool first_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(line, size, f);

	if (f)
		fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = 0;
	return ok;
}

static enum check_result ptrace_scope(char *text, size_t size)
{
	char line[16];

	if (!first_line("/proc/sys/kernel/yama/ptrace_scope", line, (int)sizeof(line)))
		line[0] = '0';
	if (line[0] == '3') {
		snprintf(text, size, "kernel.yama.ptrace_scope is 3: `attach` works for nobody until the next boot; `run` does");
		return CHECK_NOTE;
	}
	if (line[0] > '0' && !privileges_have(CAP_SYS_PTRACE)) {
		snprintf(text, size,
			 "kernel.yama.ptrace_scope is %c: `attach` needs CAP_SYS_PTRACE, or `sysctl kernel.yama.ptrace_scope=0`; "
			 "`run` "
			 "works",
			 line[0]);
		return CHECK_NOTE;
	}
	snprintf(text, size, "`attach` may enter processes of %s",
		 privileges_have(CAP_SYS_PTRACE) ? "every user" : "this user; others need CAP_SYS_PTRACE");
	return CHECK_OK;
}

static enum check_result memfd_exec(char *text, size_t size)
{
	char line[16];

	if (!first_line("/proc/sys/vm/memfd_noexec", line, (int)sizeof(line)) || line[0] != '2') {
		snprintf(text, size, "`attach` can deliver the shim in memory");
		return CHECK_OK;
	}
	snprintf(
		text, size,
		"vm.memfd_noexec is 2: `attach` cannot deliver the shim; `sysctl vm.memfd_noexec=0` (or 1) allows it; `run` works");
	return CHECK_NOTE;
}

/* What each capability would add; `run` of a program that the shim can watch needs none of them. */
static enum check_result capabilities(char *text, size_t size)
{
	static const struct {
		unsigned int capability;
		const char *name;
	} used[] = {
		{CAP_SYS_PTRACE, "CAP_SYS_PTRACE (attach to other users' processes)"},
		{CAP_KILL, "CAP_KILL (end another user's session)"},
		{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH (names of call sites in files of other users)"},
		{CAP_BPF, "CAP_BPF and"},
		{CAP_PERFMON, "CAP_PERFMON (probes in the kernel)"},
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]) && n < size; i++)
		if (!privileges_have(used[i].capability))
			n += (size_t)snprintf(text + n, size - n, "%s %s", n ? "," : "not held:", used[i].name);
	if (!n)
		snprintf(text, size, "all that are used are held; `attach` gives the others up once it watches");
	return n ? CHECK_NOTE : CHECK_OK;
}

static enum check_result pidfd(char *text, size_t size)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	snprintf(text, size, fd >= 0 ? "pidfds work" : "no pidfds; `run` works without them");
	if (fd >= 0)
		close(fd);
	return CHECK_OK;
}

static enum check_result bpf(char *text, size_t size)
{
	char why[256];

	if (probes_check(why, sizeof(why)) == 0) {
		snprintf(text, size, "probes in the kernel can be loaded: static, Go and musl programs are watched by them");
		return CHECK_OK;
	}
	snprintf(text, size, "no probes in the kernel: %s; static, Go and musl programs cannot be watched", why);
	return CHECK_NOTE;
}

/* Loads them: that is the only way to know. */
static enum check_result tcp_events(char *text, size_t size)
{
	struct tcp_probes *p = NULL;
	char why[256];

	if (tcp_probes_open(&p, why, sizeof(why)) == 0) {
		tcp_probes_free(p);
		snprintf(text, size,
			 "the kernel counts changes of connections, segments sent again, and processes, for any service");
		return CHECK_OK;
	}
	snprintf(text, size, "the kernel's counts of TCP and processes are not had: %s; segments sent again are sampled instead",
		 why);
	return CHECK_NOTE;
}

static enum check_result otlp(char *text, size_t size)
{
	const char *endpoint = getenv("OTEL_EXPORTER_OTLP_ENDPOINT");

	if (!endpoint || !*endpoint) {
		snprintf(text, size, "OTEL_EXPORTER_OTLP_ENDPOINT is not set: nothing is exported unless --export is given");
		return CHECK_OK;
	}
	if (strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0) {
		snprintf(text, size, "OTEL_EXPORTER_OTLP_ENDPOINT is no http:// or https:// address; set it as http://HOST:4318");
		return CHECK_FAILED;
	}
	/* An address may carry a user and a password. */
	const char *host = strstr(endpoint, "://") + 3;
	const char *at = strchr(host, '@');
	snprintf(text, size, "on, to %.*s%s", (int)(host - endpoint), endpoint, at ? at + 1 : host);
	return CHECK_OK;
}

static enum check_result preload(char *text, size_t size)
{
	const char *set = getenv("LD_PRELOAD");

	if (set && *set)
		snprintf(text, size, "LD_PRELOAD is set: the shim is added behind what stands there");
	else
		snprintf(text, size, "LD_PRELOAD is free");
	return CHECK_OK;
}

const struct check host_checks[] = {
	{"kernel", kernel},
	{"shim", shim},
	{"shared memory", memory},
	{"session path", proc_fd},
	{"time stamps", timestamps},
	{"preload", preload},
	{"ptrace", ptrace_scope},
	{"memory code", memfd_exec},
	{"capabilities", capabilities},
	{"pidfd", pidfd},
	{"eBPF", bpf},
	{"TCP events", tcp_events},
	{"OTLP", otlp},
	{NULL, NULL},
};
