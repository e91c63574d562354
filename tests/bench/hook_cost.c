/*
 * What a hooked call costs: thread CPU time added, in ns, for one call of each family.
 *
 *   hook_cost LIB [ROUNDS]                all families, then exec; exit 1 if a promise of the first rows is broken and BENCH_STRICT is set
 *   hook_cost --child FAMILY BATCHES      the measured program: prints ns a call, the 10th percentile of its batches
 *
 * Each round runs the same binary three times in turn: bare, watched, and watched but switched off. The differences within a round
 * are what is reported, so a machine that drifts does not matter. The parent empties the rings meanwhile, as the agent does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "preload/session_file.h"

#define BATCH 64
#define BATCHES 400
#define ROUNDS 31
#define ROUNDS_MAX 1000
#define BYTES 64

static int pair[2];
static int set;
static FILE *log_file;
static sem_t sem;
static char bytes[BATCH * BYTES];

static double thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Not through a hook: what is not measured must not fill the ring. */
static void bare_read(size_t n)
{
	long r;

#if defined(__x86_64__)
	__asm__ volatile("syscall" : "=a"(r) : "a"(SYS_read), "D"(pair[1]), "S"(bytes), "d"(n) : "rcx", "r11", "memory");
#else
	r = syscall(SYS_read, pair[1], bytes, n);
#endif
	if (r < 0)
		abort();
}

static void fill(void)
{
	if (write(pair[0], bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
		abort();
}

static void empty(void)
{
	bare_read(sizeof(bytes));
}

static void do_write(void)
{
	if (write(pair[0], bytes, BYTES) != BYTES)
		abort();
}

static void do_send(void)
{
	if (send(pair[0], bytes, BYTES, 0) != BYTES)
		abort();
}

static void do_read(void)
{
	if (read(pair[1], bytes, BYTES) != BYTES)
		abort();
}

static void do_writev(void)
{
	const struct iovec iov[2] = {{bytes, BYTES / 2}, {bytes + BYTES, BYTES / 2}};

	if (writev(pair[0], iov, 2) != BYTES)
		abort();
}

static void do_poll(void)
{
	struct pollfd p = {.fd = pair[1], .events = POLLIN};

	if (poll(&p, 1, 0) < 0)
		abort();
}

static void do_epoll(void)
{
	struct epoll_event e;

	if (epoll_wait(set, &e, 1, 0) < 0)
		abort();
}

static void do_setsockopt(void)
{
	const int size = 1;

	if (setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, &size, sizeof(size)) < 0)
		abort();
}

static void do_socket(void)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || close(fd) < 0)
		abort();
}

static void do_open(void)
{
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || close(fd) < 0)
		abort();
}

static void do_sem(void)
{
	sem_post(&sem);
	sem_wait(&sem);
}

static void do_fwrite(void)
{
	if (fwrite(bytes, 1, BYTES, log_file) != BYTES)
		abort();
}

static void do_fprintf(void)
{
	if (fprintf(log_file, "request %d took %s ms\n", 17, "230") < 0)
		abort();
}

static void do_plain_file(void)
{
	if (pread(set + 1000, bytes, BYTES, 0) < 0)
		abort();
}

struct family {
	const char *name;
	const char *text;
	void (*before)(void);
	void (*call)(void);
	void (*after)(void);
	double limit_on; /* promised; 0 = none */
	double limit_off;
};

static const struct family families[] = {
	{"write", "write, 64 bytes, socketpair", NULL, do_write, empty, 30, 2},
	{"send", "send, 64 bytes, socketpair", NULL, do_send, empty, 0, 0},
	{"read", "read, 64 bytes, socketpair", fill, do_read, NULL, 0, 0},
	{"writev", "writev, 2 × 32 bytes", NULL, do_writev, empty, 0, 0},
	{"poll", "poll, one descriptor, no wait", NULL, do_poll, NULL, 0, 0},
	{"epoll", "epoll_wait, no wait", NULL, do_epoll, NULL, 0, 0},
	{"setsockopt", "setsockopt", NULL, do_setsockopt, NULL, 0, 0},
	{"socket", "socket + close", NULL, do_socket, NULL, 0, 0},
	{"open", "open + close", NULL, do_open, NULL, 0, 0},
	{"sem", "sem_post + sem_wait, free", NULL, do_sem, NULL, 0, 0},
	{"fwrite", "fwrite, 64 bytes, log", NULL, do_fwrite, NULL, 0, 0},
	{"fprintf", "fprintf, 2 arguments, log", NULL, do_fprintf, NULL, 0, 0},
	{"file", "pread of a file (not recorded)", NULL, do_plain_file, NULL, 0, 0},
};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int child(const char *name, int batches)
{
	static double ns[ROUNDS_MAX * 10];
	const struct family *f = NULL;
	char log_path[] = "/tmp/gapscope-bench-XXXXXX.log";
	int fd;

	for (size_t i = 0; i < FAMILIES; i++) {
		if (strcmp(families[i].name, name) == 0)
			f = &families[i];
	}
	if (!f || batches < 1 || batches > ROUNDS_MAX * 10)
		return 2;
	fd = mkstemps(log_path, 4);
	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || sem_init(&sem, 0, 0) < 0)
		return 2;
	log_file = fopen(log_path, "a");
	unlink(log_path);
	set = epoll_create1(0);
	if (!log_file || dup2(fd, set + 1000) < 0)
		return 2;
	for (int b = 0; b < batches; b++) {
		double t;

		if (f->before)
			f->before();
		t = thread_ns();
		for (int i = 0; i < BATCH; i++)
			f->call();
		ns[b] = (thread_ns() - t) / BATCH;
		if (f->after)
			f->after();
	}
	qsort(ns, (size_t)batches, sizeof(ns[0]), by_value);
	printf("%.3f\n", ns[batches / 10]);
	fflush(stdout);
	_exit(0);
}

enum way { BARE, WATCHED, OFF, WAYS };

static pid_t start(struct session_file *s, const char *lib, enum way way, char *const argv[], int out)
{
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (out >= 0)
		dup2(out, 1);
	if (way != BARE) {
		setenv("LD_PRELOAD", lib, 1);
		setenv(WIRE_ENV_SESSION, s->path, 1);
	}
	execv(argv[0], argv);
	_exit(127);
}

/* Empty the rings until the child is done; its status. */
static int attend(struct session_file *s, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		const struct timespec pause = {.tv_nsec = 200000};

		session_drain(s);
		nanosleep(&pause, NULL);
	}
	session_drain(s);
	for (uint32_t i = 0; i < s->header->thread_max; i++)
		atomic_store(&wire_thread_at(s->header, i)->state, WIRE_SLOT_FREE);
	for (uint32_t i = 0; i < s->header->process_max; i++)
		atomic_store(&wire_process_at(s->header, i)->state, WIRE_SLOT_FREE);
	return status;
}

static double measure(struct session_file *s, const char *lib, enum way way, const char *self, const char *family)
{
	char *const argv[] = {(char *)(uintptr_t)self, (char *)(uintptr_t) "--child", (char *)(uintptr_t)family,
			      (char *)(uintptr_t) "400", NULL};
	char text[64] = "";
	int out[2];
	pid_t pid;

	atomic_store(&s->header->enabled, way == WATCHED);
	if (pipe2(out, O_CLOEXEC) != 0)
		return -1;
	pid = start(s, lib, way, argv, out[1]);
	close(out[1]);
	if (pid < 0 || attend(s, pid) != 0 || read(out[0], text, sizeof(text) - 1) <= 0) {
		fprintf(stderr, "hook_cost: the child failed\n");
		exit(2);
	}
	close(out[0]);
	return atof(text);
}

/* Wall time of fork + exec + exit + wait, in ns. */
static double measure_exec(struct session_file *s, const char *lib, enum way way)
{
	char *const argv[] = {(char *)(uintptr_t) "/bin/true", NULL};
	struct timespec a, b;
	int status;
	pid_t pid;

	atomic_store(&s->header->enabled, way == WATCHED);
	clock_gettime(CLOCK_MONOTONIC, &a);
	pid = start(s, lib, way, argv, -1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "hook_cost: exec failed\n");
		exit(2);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	(void)attend(s, -2);
	return (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
}

static void cpu_name(char *to, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(to, size, "unknown processor");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
			snprintf(to, size, "%s", strchr(line, ':') + 2);
			to[strcspn(to, "\n")] = '\0';
			break;
		}
	}
	if (f)
		fclose(f);
}

static double row(const char *text, double *base, double *on, double *off, int rounds, double unit)
{
	double median_on;

	qsort(base, (size_t)rounds, sizeof(base[0]), by_value);
	qsort(on, (size_t)rounds, sizeof(on[0]), by_value);
	qsort(off, (size_t)rounds, sizeof(off[0]), by_value);
	median_on = on[rounds / 2] / unit;
	printf("%-32s %9.1f | %8.1f %8.1f %8.1f | %8.1f %8.1f %8.1f\n", text, base[rounds / 2] / unit, on[0] / unit,
	       on[rounds / 10] / unit, median_on, off[0] / unit, off[rounds / 10] / unit, off[rounds / 2] / unit);
	fflush(stdout);
	return median_on;
}

int main(int argc, char **argv)
{
	static double base[ROUNDS_MAX], on[ROUNDS_MAX], off[ROUNDS_MAX];
	struct session_file s;
	struct utsname u;
	char cpu[128];
	int broken = 0;
	int rounds;

	if (argc == 4 && strcmp(argv[1], "--child") == 0)
		return child(argv[2], atoi(argv[3]));
	rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
	if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX || session_open(&s, 16, 32, WIRE_RING_BYTES_DEFAULT) != 0)
		return 2;
	atomic_store(&s.header->stacks, 1);
	cpu_name(cpu, sizeof(cpu));
	uname(&u);
	printf("%s, %s %s, %d rounds, thread CPU time in ns a call\n", cpu, u.sysname, u.release, rounds);
	printf("%-32s %9s | %26s | %26s\n", "", "bare", "watched adds min/p10/median", "switched off adds");
	for (size_t f = 0; f < FAMILIES; f++) {
		double median;

		for (int r = 0; r < rounds; r++) {
			double got[WAYS];

			for (int k = 0; k < WAYS; k++) {
				const enum way way = (enum way)((k + r) % WAYS);

				got[way] = measure(&s, argv[1], way, argv[0], families[f].name);
			}
			base[r] = got[BARE];
			on[r] = got[WATCHED] - got[BARE];
			off[r] = got[OFF] - got[BARE];
		}
		median = row(families[f].text, base, on, off, rounds, 1);
		if (families[f].limit_on > 0 && (median > families[f].limit_on || off[rounds / 2] > families[f].limit_off))
			broken++;
	}
	for (int r = 0; r < rounds; r++) {
		double got[WAYS];

		for (int k = 0; k < WAYS; k++)
			got[(k + r) % WAYS] = measure_exec(&s, argv[1], (enum way)((k + r) % WAYS));
		base[r] = got[BARE];
		on[r] = got[WATCHED] - got[BARE];
		off[r] = got[OFF] - got[BARE];
	}
	if (row("fork + exec of /bin/true, µs wall", base, on, off, rounds, 1000) > 1000)
		broken++;
	if (s.corrupt)
		printf("corrupt records: %llu\n", (unsigned long long)s.corrupt);
	printf("%s\n", broken ? "a promise is broken: write <= 30 ns, switched off <= 2 ns, exec <= 1000 us (medians)"
			      : "promises kept: write <= 30 ns, switched off <= 2 ns, exec <= 1000 us (medians)");
	session_close(&s);
	return broken && getenv("BENCH_STRICT") ? 1 : 0;
}
