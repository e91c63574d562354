/*
 * One row a reason. The order is that of certainty: what cannot be looked at any further comes first. See check.h.
 */
#include "attach/check.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "attach/resident.h"

#define STATUS_BYTES 8192

struct look {
	pid_t pid;
	char status[STATUS_BYTES];
	char *why;
	size_t size;
};

static ssize_t read_proc(pid_t pid, const char *name, void *to, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);

	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;

	const ssize_t n = read(fd, to, size);
	const int e = errno;

	close(fd);
	return n < 0 ? -e : n;
}

/* A field of /proc/PID/status, behind its colon and blanks; "" if it is not there. */
static const char *field(const struct look *l, const char *name)
{
	char key[32];

	snprintf(key, sizeof(key), "\n%s:", name);

	const char *at = strstr(l->status, key);

	if (!at)
		return "";
	at += strlen(key);
	return at + strspn(at, "\t ");
}

static bool read_status(struct look *l)
{
	const ssize_t n = read_proc(l->pid, "status", l->status, sizeof(l->status) - 1);

	l->status[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool gone(struct look *l)
{
	if (read_status(l))
		return false;
	snprintf(l->why, l->size, "no such process; `ps -e` lists them");
	return true;
}

static bool is_thread(struct look *l)
{
	if (atoi(field(l, "Tgid")) == l->pid)
		return false;
	snprintf(l->why, l->size, "it is a thread of process %d: name that one", atoi(field(l, "Tgid")));
	return true;
}

static bool zombie(struct look *l)
{
	if (!strchr("ZX", field(l, "State")[0]))
		return false;
	snprintf(l->why, l->size, "it has ended already (a zombie that its parent has not waited for)");
	return true;
}

/* Who traces any of its threads; 0: nobody. */
static int find_tracer(pid_t pid)
{
	struct look thread = {0};
	const struct dirent *entry;
	char path[64];
	int tracer = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);

	DIR *const d = opendir(path);

	while (d && !tracer && (entry = readdir(d))) {
		thread.pid = atoi(entry->d_name); /* a thread has a directory of its own, though none that is listed */
		if (thread.pid > 0 && read_status(&thread))
			tracer = atoi(field(&thread, "TracerPid"));
	}
	if (d)
		closedir(d);
	return tracer;
}

static bool traced(struct look *l)
{
	const int tracer = find_tracer(l->pid);

	if (tracer == 0)
		return false;
	snprintf(l->why, l->size, "process %d traces it (a debugger, strace): only one can; end that first", tracer);
	return true;
}

static bool stopped(struct look *l)
{
	if (!strchr("Tt", field(l, "State")[0]))
		return false;
	snprintf(l->why, l->size, "it is stopped; let it run on with `kill -CONT %d` first", (int)l->pid);
	return true;
}

static bool kernel_thread(struct look *l)
{
	if (*field(l, "VmSize"))
		return false;
	snprintf(l->why, l->size, "it is a thread of the kernel");
	return true;
}

static bool no_permission(struct look *l)
{
	char path[64], scope[8] = "";

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)l->pid);

	/* Who may read it may trace the process, too. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		if (read_proc(l->pid, "syscall", scope, sizeof(scope) - 1) >= 0)
			return false;
		errno = EACCES;
	}

	const int e = errno;
	const int f = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);

	if (f >= 0) {
		const ssize_t n = read(f, scope, sizeof(scope) - 1);

		scope[n > 0 ? n : 0] = '\0';
		close(f);
	}
	snprintf(l->why, l->size, "no permission (%s): %s", strerror(e),
		 scope[0] > '0' ? "kernel.yama.ptrace_scope forbids it without CAP_SYS_PTRACE"
				: "be its user or root, or have CAP_SYS_PTRACE");
	return true;
}

static bool seccomp(struct look *l)
{
	if (atoi(field(l, "Seccomp")) == 0)
		return false;
	snprintf(l->why, l->size, "a seccomp filter decides what it may call, and the shim's own calls could kill it");
	return true;
}

static bool privileged(struct look *l)
{
	Elf64_auxv_t aux[64] = {0};
	const ssize_t n = read_proc(l->pid, "auxv", aux, sizeof(aux));

	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(aux[0]); i++) {
		if (aux[i].a_type == AT_SECURE && aux[i].a_un.a_val) {
			snprintf(l->why, l->size, "it gained privileges when it started (setuid, setgid or file capabilities)");
			return true;
		}
	}
	return false;
}

static bool wrong_elf(struct look *l)
{
	uint8_t head[64] = {0};
	Elf64_Half machine;

	if (read_proc(l->pid, "exe", head, sizeof(head)) < (ssize_t)sizeof(head) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return false;
	memcpy(&machine, head + offsetof(Elf64_Ehdr, e_machine), sizeof(machine));
	if (head[EI_CLASS] == ELFCLASS64 && machine == EM_X86_64)
		return false;
	snprintf(l->why, l->size, "%s",
		 head[EI_CLASS] == ELFCLASS32 ? "it is a 32-bit program" : "it is built for another processor");
	return true;
}

static bool wrong_libc(struct look *l)
{
	struct resident r = {0};
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)l->pid);

	const int mem = open(path, O_RDONLY | O_CLOEXEC);
	const int e = mem < 0 ? -errno : resident_find(l->pid, mem, NULL, 0, &r);

	if (mem >= 0)
		close(mem);
	if (e == 0 && r.libc && !r.musl)
		return false;
	snprintf(l->why, l->size, "%s",
		 e < 0    ? "its mappings cannot be read"
		 : r.musl ? "it uses musl, and the shim is built for glibc"
			  : "it is statically linked: there is no libc in it that the shim could join");
	return true;
}

static bool no_memfd(struct look *l)
{
	char text[8] = "";
	const int fd = open("/proc/sys/vm/memfd_noexec", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		const ssize_t n = read(fd, text, sizeof(text) - 1);

		text[n > 0 ? n : 0] = '\0';
		close(fd);
	}
	if (text[0] != '2')
		return false;
	snprintf(l->why, l->size, "vm.memfd_noexec is 2: code cannot be delivered in memory; set it to 1 or 0");
	return true;
}

static bool watched(struct look *l)
{
	const pid_t agent = resident_agent(l->pid);

	if (!agent)
		return false;
	snprintf(l->why, l->size, "gapscope (process %d) watches it already", (int)agent);
	return true;
}

static const struct {
	bool (*refuses)(struct look *l);
	bool other_way; /* probes in the kernel do not mind */
} reasons[] = {
	{gone, false},      {is_thread, false},     {zombie, false},    {kernel_thread, false}, {traced, false},
	{stopped, false},   {no_permission, false}, {wrong_elf, false}, {seccomp, true},        {privileged, true},
	{wrong_libc, true}, {no_memfd, true},       {watched, false},
};

void check_process(pid_t pid, struct check_verdict *ret)
{
	struct check_verdict v = {.watchable = true};
	struct look l = {.pid = pid, .why = v.why, .size = sizeof(v.why)};

	for (size_t i = 0; v.watchable && i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].refuses(&l)) {
			v.watchable = false;
			v.other_way = reasons[i].other_way;
		}
	}
	*ret = v;
}
