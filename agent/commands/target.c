/*
 * Finds and classifies the program that is to run. Main thread; keeps nothing.
 */
#include "commands/target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "ingest/gopclntab.h"

#define BETWEEN_WORDS " \t\n;|&()<>'\"="
#define SCRIPT_DEPTH 4 /* as the kernel: a script's interpreter may be a script */

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#else
#error "which ELF machine is this?"
#endif

const char *target_why(enum target_kind kind)
{
	static const char *const why[] = {
		[TARGET_WATCHABLE] = NULL,
		[TARGET_STATIC] = "it is statically linked: a preloaded library is never loaded into it",
		[TARGET_SETUID] =
			"it gains privileges when it starts (setuid, setgid or file capabilities): the loader ignores LD_PRELOAD",
		[TARGET_FOREIGN] = "it is built for another processor or word size than gapscope",
		[TARGET_GO] = "it is a Go program: its system calls do not go through libc",
		[TARGET_MUSL] = "it does not use glibc's loader: the shim is built for glibc",
		[TARGET_ALLOCATOR] = "it has its allocator linked into itself, and the shim cannot see its calls",
		[TARGET_OTHER] = "it is neither an ELF program nor a script with an interpreter line",
	};

	return why[kind];
}

bool target_launches(const struct target *t)
{
	static const char *const launchers[] = {"sh",     "dash", "bash",      "ash",       "busybox", "zsh",   "ksh",
						"mksh",   "env",  "tini",      "dumb-init", "nohup",   "nice",  "ionice",
						"setsid", "time", "timeout",   "stdbuf",    "taskset", "chrt",  "runuser",
						"su",     "sudo", "catatonit", "setpriv",   "xargs",   "flock", "prlimit"};
	const char *slash = strrchr(t->binary, '/');

	for (size_t i = 0; i < sizeof(launchers) / sizeof(launchers[0]); i++)
		if (strcmp(slash ? slash + 1 : t->binary, launchers[i]) == 0)
			return true;
	return false;
}

bool target_probes(enum target_kind kind)
{
	return kind == TARGET_STATIC || kind == TARGET_GO || kind == TARGET_MUSL || kind == TARGET_SETUID ||
	       kind == TARGET_ALLOCATOR;
}

/* One candidate path: 0 if it can be executed, else -errno. */
static int check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return access(path, X_OK) < 0 ? -errno : 0;
}

static int search_path(const char *program, char *path, size_t size)
{
	const char *dirs = getenv("PATH");
	int worst = -ENOENT;

	if (!dirs)
		dirs = "/usr/local/bin:/usr/bin:/bin";
	while (*dirs) {
		size_t n = strcspn(dirs, ":");
		int len = n ? snprintf(path, size, "%.*s/%s", (int)n, dirs, program) : snprintf(path, size, "./%s", program);
		if (len > 0 && (size_t)len < size) {
			int e = check(path);
			if (e == 0)
				return 0;
			if (e == -EACCES)
				worst = e;
		}
		dirs += n + (dirs[n] == ':');
	}
	return worst;
}

static enum target_kind classify_elf(int fd, const unsigned char *head, size_t len)
{
	Elf64_Ehdr ehdr;

	if (head[EI_CLASS] != ELFCLASS64 || len < sizeof(ehdr))
		return TARGET_FOREIGN;
	memcpy(&ehdr, head, sizeof(ehdr));
	if (ehdr.e_machine != OUR_MACHINE)
		return TARGET_FOREIGN;
	for (unsigned int i = 0; i < ehdr.e_phnum && i < 128; i++) {
		Elf64_Phdr ph;
		off_t at = (off_t)ehdr.e_phoff + (off_t)i * ehdr.e_phentsize;
		if (pread(fd, &ph, sizeof(ph), at) != (ssize_t)sizeof(ph))
			break;
		if (ph.p_type != PT_INTERP)
			continue;
		char loader[256] = "";
		ssize_t n = pread(fd, loader, sizeof(loader) - 1, (off_t)ph.p_offset);
		return n > 0 && strstr(loader, "ld-linux") ? TARGET_WATCHABLE : TARGET_MUSL;
	}
	return TARGET_STATIC;
}

/* The interpreter of a `#!` line into path; false if there is none. */
static bool script_interpreter(const char *head, char *path, size_t size)
{
	if (strncmp(head, "#!", 2) != 0)
		return false;
	head += 2 + strspn(head + 2, " \t");
	size_t n = strcspn(head, " \t\r\n");
	if (!n || n >= size)
		return false;
	memcpy(path, head, n);
	path[n] = 0;
	if (strcmp(path, "/usr/bin/env") != 0)
		return true;
	/* `env NAME`: what runs in the end is NAME. Flags of env are left alone. */
	head += n + strspn(head + n, " \t");
	n = strcspn(head, " \t\r\n");
	char name[256];
	if (!n || n >= sizeof(name) || head[0] == '-' || memchr(head, '=', n))
		return true;
	memcpy(name, head, n);
	name[n] = 0;
	char found[PATH_MAX];
	if (search_path(name, found, sizeof(found)) == 0)
		snprintf(path, size, "%s", found);
	return true;
}

static bool is_go(int fd)
{
	struct gopclntab *table = NULL;
	const bool is = gopclntab_open(fd, &table) == 0;

	gopclntab_free(table);
	return is;
}

static enum target_kind classify(struct target *t)
{
	for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
		unsigned char head[512] = {0};
		struct stat st;
		int fd = open(t->binary, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return TARGET_WATCHABLE; /* executable but not readable: let it run and see */
		ssize_t n = read(fd, head, sizeof(head) - 1);
		enum target_kind kind = TARGET_OTHER;
		bool elf = n >= 16 && memcmp(head, ELFMAG, SELFMAG) == 0;
		if (elf) {
			kind = classify_elf(fd, head, (size_t)n);
			bool privileged = fstat(fd, &st) == 0 && (((st.st_mode & S_ISUID) && st.st_uid != geteuid()) ||
								  ((st.st_mode & S_ISGID) && st.st_gid != getegid()));
			if (kind == TARGET_WATCHABLE &&
			    (privileged || (geteuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)))
				kind = TARGET_SETUID;
			if (kind == TARGET_WATCHABLE && is_go(fd))
				kind = TARGET_GO;
		}
		close(fd);
		if (elf || !script_interpreter((char *)head, t->binary, sizeof(t->binary)))
			return kind;
	}
	return TARGET_OTHER;
}

int target_find(const char *program, struct target *ret, char *err, size_t err_size)
{
	struct target t;
	int e;

	if (strchr(program, '/')) {
		e = snprintf(t.path, sizeof(t.path), "%s", program) >= (int)sizeof(t.path) ? -ENAMETOOLONG : check(program);
	} else {
		e = *program ? search_path(program, t.path, sizeof(t.path)) : -ENOENT;
	}
	if (e == -ENOENT)
		snprintf(err, err_size, "%s: no such program; check the name%s", program,
			 strchr(program, '/') ? " and the path" : ", or give its path");
	else if (e == -EACCES)
		snprintf(err, err_size, "%s: not executable by this user; check its mode with `ls -l`", program);
	else if (e < 0)
		snprintf(err, err_size, "%s: cannot be run: %s", program, strerror(-e));
	if (e < 0)
		return e;
	memcpy(t.binary, t.path, sizeof(t.binary));
	t.kind = classify(&t);
	*ret = t;
	return 0;
}

void target_each(char *const *argv, void (*fn)(void *ctx, const struct target *t), void *ctx)
{
	struct target t;
	char err[256], words[PATH_MAX];

	for (size_t i = 0; argv[i] != NULL; i++) {
		char *rest = NULL;

		/* What a shell is to run may be in the middle of a text. */
		if (snprintf(words, sizeof(words), "%s", argv[i]) >= (int)sizeof(words))
			continue;
		for (const char *word = strtok_r(words, BETWEEN_WORDS, &rest); word != NULL;
		     word = strtok_r(NULL, BETWEEN_WORDS, &rest))
			if (target_find(word, &t, err, sizeof(err)) == 0)
				fn(ctx, &t);
	}
}
