/*
 * Runs a self-checking program twice, bare and under the shim, and compares: same exit status, same bytes on stdout. Stands in for
 * the agent: it makes the session's memory, drains the rings in a thread, checks every record, and balances the account:
 * what the rings' counters say was published is what was drained, and what the program says it called was published or counted lost.
 *
 *   watch [--ring BYTES] [--threads N] [--processes N] [--fds N] [--alloc MEAN] [--opens] [--frozen] [--unwatched] [--env NAME=VALUE] [--below LIB] LIB PROGRAM [ARGS…]
 *
 * --below: a library that is preloaded both times, behind ours. --frozen: the rings are never drained and the agent's heart does not beat. --unwatched: no process may claim a slot.
 * The program writes its claims, lines `EVENT calls`, into the file named by GS_CLAIMS (claim.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wire/ring.h"
#include "wire/shared.h"

#define EVENTS_MAX 256

static struct {
	uint32_t ring_bytes;
	uint32_t threads;
	uint32_t processes;
	uint32_t fds;
	bool opens;     /* have what is opened for reading only told, too */
	uint32_t alloc; /* sample allocations every so many bytes; 0 = watch none */
	bool frozen;
	bool unwatched;
	const char *env[8];
	size_t env_count;
	const char *lib;
	const char *below;
	char **program;
} opt = {.ring_bytes = 1U << 20, .threads = 512, .processes = 256, .fds = WIRE_POLICY_FDS};

static struct wire_header *header;
static uint64_t header_size;
static int session_fd;
static uint64_t drained;
static uint64_t drained_of[EVENTS_MAX];
static uint64_t seq_gaps;
static uint64_t bad_records;
static uint32_t last_seq[65536];
static uint32_t last_generation[65536];
static _Atomic int stop_draining;

static uint64_t ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
#endif
}

static uint64_t up_to_page(uint64_t n)
{
	return (n + 4095) & ~4095ULL;
}

static int make_session(void)
{
	const uint64_t process_off = 4096;
	const uint64_t thread_off = up_to_page(process_off + opt.processes * sizeof(struct wire_process));
	const uint64_t policy_off = up_to_page(thread_off + opt.threads * sizeof(struct wire_thread));
	const uint64_t renewed_off = up_to_page(policy_off + (uint64_t)opt.processes * opt.fds);
	const uint64_t ring_off = up_to_page(renewed_off + (uint64_t)opt.processes * WIRE_RENEWED * sizeof(uint64_t));

	header_size = ring_off + (uint64_t)opt.threads * opt.ring_bytes;
	session_fd = memfd_create("gapscope-safety", MFD_CLOEXEC);
	if (session_fd < 0 || ftruncate(session_fd, (off_t)header_size) != 0)
		return -errno;
	header = mmap(NULL, header_size, PROT_READ | PROT_WRITE, MAP_SHARED, session_fd, 0);
	if (header == MAP_FAILED)
		return -errno;
	*header = (struct wire_header)
	{
		.magic = WIRE_MAGIC, .version = WIRE_VERSION,
#if defined(__x86_64__)
		.clock = WIRE_CLOCK_TSC,
#else
		.clock = WIRE_CLOCK_MONOTONIC,
#endif
		.size_bytes = header_size, .process_max = opt.processes, .thread_max = opt.threads, .ring_bytes = opt.ring_bytes,
		.policy_fds = opt.fds, .process_off = process_off, .thread_off = thread_off, .policy_off = policy_off,
		.renewed_off = renewed_off, .ring_off = ring_off, .enabled = 1, .stacks = 1, .heartbeat = ticks(),
		.stale_ticks = 600000000000ULL, .slow_ticks = 3000000ULL, .policy_socket = WIRE_POLICY_HEAD_256,
		.policy_stdio = WIRE_POLICY_SINK, .policy_logfile = WIRE_POLICY_SINK, .policy_pipe = WIRE_POLICY_SIZES,
		.agent_pid = (uint32_t)getpid(), .alloc_mean = opt.alloc,
	};
	return 0;
}

/* One record at the tail of slot i; returns its length in bytes, 0 if it is not valid. */
static uint64_t take_record(uint32_t i, struct wire_thread *t, uint64_t ready)
{
	struct wire_record r;
	struct wire_stack stack;
	uint32_t stack_len = 0;
	uint32_t data_len;

	wire_ring_get(t, wire_ring_at(header, i), opt.ring_bytes - 1, 0, &r, sizeof r);
	data_len = r.data_len;
	if (r.units == 0 || (uint64_t)r.units * WIRE_UNIT > ready || data_len > WIRE_DATA_MAX || r.event == 0 ||
	    r.event >= EVENTS_MAX || r.t1 < r.t0)
		return 0;
	if (r.flags & WIRE_F_STACK) {
		const uint64_t at = WIRE_UNIT + (data_len + WIRE_UNIT - 1U) / WIRE_UNIT * (uint64_t)WIRE_UNIT;

		wire_ring_get(t, wire_ring_at(header, i), opt.ring_bytes - 1, at, &stack, sizeof stack);
		if (stack.bytes_len > WIRE_STACK_BYTES)
			return 0;
		stack_len = (uint32_t)sizeof stack + stack.bytes_len;
	}
	if (wire_units(data_len, stack_len) != r.units)
		return 0;
	if (last_generation[i] == t->generation && last_generation[i] != 0)
		seq_gaps += r.seq - last_seq[i] - 1;
	last_generation[i] = t->generation;
	last_seq[i] = r.seq;
	drained_of[r.event]++;
	drained++;
	return (uint64_t)r.units * WIRE_UNIT;
}

static bool drain_slot(uint32_t i)
{
	struct wire_thread *t = wire_thread_at(header, i);
	const uint32_t state = atomic_load(&t->state);
	bool any = false;
	uint64_t ready;

	if (state != WIRE_SLOT_LIVE && state != WIRE_SLOT_DRAIN)
		return false;
	while ((ready = wire_ring_ready(t)) > 0) {
		const uint64_t bytes = take_record(i, t, ready);

		if (bytes == 0) {
			bad_records++;
			wire_ring_consume(t, ready);
			break;
		}
		wire_ring_consume(t, bytes);
		any = true;
	}
	if (state == WIRE_SLOT_DRAIN && wire_ring_ready(t) == 0)
		atomic_store(&t->state, WIRE_SLOT_FREE);
	return any;
}

/* Slots whose process is gone are emptied and freed, as the agent does. */
static void reap(void)
{
	for (uint32_t i = 0; i < opt.threads; i++) {
		struct wire_thread *t = wire_thread_at(header, i);

		if (atomic_load(&t->state) == WIRE_SLOT_LIVE && kill((pid_t)t->pid, 0) != 0 && errno == ESRCH) {
			drain_slot(i);
			atomic_store(&t->state, WIRE_SLOT_FREE);
		}
	}
	for (uint32_t i = 0; i < opt.processes; i++) {
		struct wire_process *p = (struct wire_process *)((char *)header + header->process_off) + i;
		const uint32_t state = atomic_load(&p->state);

		if ((state == WIRE_SLOT_LIVE || state == WIRE_SLOT_DRAIN) && kill((pid_t)p->pid, 0) != 0 && errno == ESRCH)
			atomic_store(&p->state, WIRE_SLOT_FREE);
	}
}

static void *drain(void *unused)
{
	unsigned int round = 0;

	(void)unused;
	for (;;) {
		const int last = atomic_load(&stop_draining);
		bool any = false;

		if (!opt.frozen)
			atomic_store(&header->heartbeat, ticks());
		for (uint32_t i = 0; i < opt.processes && opt.opens; i++)
			atomic_store(&wire_process_at(header, i)->tell_opens, 1);
		for (uint32_t i = 0; i < opt.threads && !(opt.frozen && !last); i++)
			any |= drain_slot(i);
		if (++round % 64 == 0 && !opt.frozen)
			reap();
		if (last)
			return NULL;
		if (!any)
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
}

/* Starts the program with its stdout in a temporary file; returns the wait status. */
static int run(bool watched, int out_fd, const char *claims)
{
	char session[64];
	int status = -1;
	pid_t child;

	snprintf(session, sizeof session, "/proc/%d/fd/%d", getpid(), session_fd);
	child = fork();
	if (child == 0) {
		dup2(out_fd, 1);
		setenv("GS_CLAIMS", claims, 1);
		setenv("GS_WATCHED", watched ? "1" : "0", 1);
		for (size_t i = 0; i < opt.env_count; i++)
			putenv((char *)opt.env[i]);
		if (opt.below != NULL)
			setenv("LD_PRELOAD", opt.below, 1);
		if (watched) {
			char preload[PATH_MAX * 2];
			const char *joined = opt.below != NULL ? NULL : getenv("LD_PRELOAD");

			snprintf(preload, sizeof preload, "%s%s%s%s%s", joined != NULL ? joined : "", joined != NULL ? ":" : "",
				 opt.lib, opt.below != NULL ? ":" : "", opt.below != NULL ? opt.below : "");
			setenv("LD_PRELOAD", preload, 1);
			setenv(WIRE_ENV_SESSION, session, 1);
		}
		execvp(opt.program[0], opt.program);
		fprintf(stderr, "watch: cannot run %s: %s\n", opt.program[0], strerror(errno));
		_exit(127);
	}
	if (child > 0)
		waitpid(child, &status, 0);
	return status;
}

static int temporary(void)
{
	return memfd_create("gapscope-out", MFD_CLOEXEC);
}

static bool same_bytes(int a, int b)
{
	char x[4096], y[4096];
	off_t at = 0;
	ssize_t n, m;

	do {
		n = pread(a, x, sizeof x, at);
		m = pread(b, y, sizeof y, at);
		if (n < 0 || n != m || memcmp(x, y, (size_t)n) != 0)
			return false;
		at += n;
	} while (n > 0);
	return true;
}

static const char *name_of(unsigned int event)
{
	switch (event) {
#define EVENT(number, name, family, text) \
	case (number): \
		return #name;
#include "wire/events.def"
#undef EVENT
	default:
		return "?";
	}
}

static int check_claims(const char *path, uint64_t lost)
{
	char name[32];
	unsigned long calls;
	FILE *in = fopen(path, "re");
	int bad = 0;

	if (in == NULL)
		return 0;
	while (fscanf(in, "%31s %lu", name, &calls) == 2) {
		uint64_t seen = 0;

		for (unsigned int e = 0; e < EVENTS_MAX; e++)
			if (strcmp(name_of(e), name) == 0)
				seen += drained_of[e];
		printf("  %-14s called %lu, published %lu\n", name, calls, (unsigned long)seen);
		if (seen > calls || seen + lost < calls) {
			printf("watch: FAILED: %s: the account does not balance (%lu records lost in all)\n", name,
			       (unsigned long)lost);
			bad = 1;
		}
	}
	fclose(in);
	return bad;
}

static int check_account(const char *claims)
{
	uint64_t published = 0, lost = 0;
	uint32_t claimed = 0;
	int bad = 0;

	for (unsigned int c = 0; c < WIRE_LOSS_SLOTS; c++) {
		uint64_t sum = atomic_load(&header->lost[c]);

		for (uint32_t i = 0; i < opt.threads; i++)
			sum += atomic_load(&wire_thread_at(header, i)->lost[c]);
		for (uint32_t i = 0; i < opt.processes; i++)
			sum += atomic_load(&((struct wire_process *)((char *)header + header->process_off))[i].lost[c]);
		if (sum > 0)
			printf("  lost by cause %u: %lu\n", c, (unsigned long)sum);
		lost += c != WIRE_LOSS_ASIDE ? sum : 0; /* an account of descriptors that are not the program's */
	}
	for (uint32_t i = 0; i < opt.threads; i++)
		published += wire_thread_at(header, i)->published;
	for (uint32_t i = 0; i < opt.processes; i++)
		claimed += ((struct wire_process *)((char *)header + header->process_off))[i].generation > 0;
	printf("  published %lu, drained %lu, lost %lu, process slots used %u\n", (unsigned long)published, (unsigned long)drained,
	       (unsigned long)lost, claimed);
	if (bad_records > 0)
		printf("watch: FAILED: %lu invalid records\n", (unsigned long)bad_records), bad = 1;
	if (published != drained)
		printf("watch: FAILED: published and drained differ\n"), bad = 1;
	if (seq_gaps > lost)
		printf("watch: FAILED: %lu sequence numbers are missing but only %lu losses counted\n", (unsigned long)seq_gaps,
		       (unsigned long)lost),
			bad = 1;
	if (opt.unwatched && claimed > 0)
		printf("watch: FAILED: the program must not be watched\n"), bad = 1;
	if (!opt.unwatched && claimed == 0)
		printf("watch: FAILED: the program was not watched\n"), bad = 1;
	return bad | check_claims(claims, lost);
}

static int parse(char **argv)
{
	for (argv++; *argv != NULL && strncmp(*argv, "--", 2) == 0; argv++) {
		if (strcmp(*argv, "--frozen") == 0)
			opt.frozen = true;
		else if (strcmp(*argv, "--opens") == 0)
			opt.opens = true;
		else if (strcmp(*argv, "--unwatched") == 0)
			opt.unwatched = true;
		else if (argv[1] == NULL)
			return -EINVAL;
		else if (strcmp(*argv, "--ring") == 0)
			opt.ring_bytes = (uint32_t)strtoul(*++argv, NULL, 10);
		else if (strcmp(*argv, "--threads") == 0)
			opt.threads = (uint32_t)strtoul(*++argv, NULL, 10);
		else if (strcmp(*argv, "--processes") == 0)
			opt.processes = (uint32_t)strtoul(*++argv, NULL, 10);
		else if (strcmp(*argv, "--fds") == 0)
			opt.fds = (uint32_t)strtoul(*++argv, NULL, 10);
		else if (strcmp(*argv, "--alloc") == 0)
			opt.alloc = (uint32_t)strtoul(*++argv, NULL, 10);
		else if (strcmp(*argv, "--below") == 0)
			opt.below = *++argv;
		else if (strcmp(*argv, "--env") == 0 && opt.env_count < sizeof opt.env / sizeof opt.env[0])
			opt.env[opt.env_count++] = *++argv;
		else
			return -EINVAL;
	}
	if (argv[0] == NULL || argv[1] == NULL)
		return -EINVAL;
	opt.lib = argv[0];
	opt.program = argv + 1;
	return 0;
}

int main(int argc, char **argv)
{
	char claims[] = "/tmp/gapscope-claims-XXXXXX";
	int out_bare, out_watched, status_bare, status_watched, bad = 0;
	pthread_t drainer;

	(void)argc;
	if (parse(argv) != 0 || opt.threads > 65536) {
		fprintf(stderr, "watch: usage: see watch.c\n");
		return 2;
	}
	out_bare = temporary();
	out_watched = temporary();
	if (make_session() != 0 || out_bare < 0 || out_watched < 0) {
		perror("watch");
		return 2;
	}
	close(mkstemp(claims));
	status_bare = run(false, out_bare, claims);
	if (WIFEXITED(status_bare) && WEXITSTATUS(status_bare) == 77) {
		unlink(claims);
		return 77;
	}
	if (truncate(claims, 0) != 0)
		bad = 1;
	pthread_create(&drainer, NULL, drain, NULL);
	status_watched = run(true, out_watched, claims);
	atomic_store(&stop_draining, 1);
	pthread_join(drainer, NULL);
	reap();

	printf("  status bare %#x, watched %#x\n", (unsigned int)status_bare, (unsigned int)status_watched);
	if (status_bare != 0)
		printf("watch: FAILED: the program fails by itself\n"), bad = 1;
	if (status_watched != status_bare)
		printf("watch: FAILED: another exit status under the shim\n"), bad = 1;
	if (!same_bytes(out_bare, out_watched))
		printf("watch: FAILED: other bytes on stdout under the shim\n"), bad = 1;
	bad |= check_account(claims);
	unlink(claims);
	return bad;
}
