/*
 * An agent that is killed leaves no program and no link in the kernel, whichever of the probes it had loaded: probes.c (also at functions), tcp.c,
 * tls.c, lead.c.
 */
#include <bpf/bpf.h>
#include <dirent.h>

#include "probed.h"
#include "probes/lead.h"
#include "probes/tcp.h"
#include "probes/tls.h"

#define IDS_MAX 128U
#define KERNEL_PATIENCE 12000 /* times 5 ms: it waits until each processor has been idle or switched */

/* In a process of its own: everything that a session of this kind holds. False: it cannot be loaded here. */
static bool load_calls(uint64_t function)
{
	(void)function;
	return open_probes(true, 0) != NULL;
}

static bool load_alloc(uint64_t function)
{
	struct probes *p = open_probes(false, 0);

	return p != NULL && probes_alloc(p, "/proc/self/exe", function, ALLOC_MALLOC) == 0 &&
	       probes_alloc(p, "/proc/self/exe", function, ALLOC_FREE) == 0;
}

static bool load_go(uint64_t function)
{
	struct probes *p = open_probes(false, 0);

	return p != NULL && probes_go(p, "/proc/self/exe", function, GO_NEW_TIMER) == 0;
}

static bool load_tcp(uint64_t function)
{
	struct tcp_probes *p;
	char why[256];

	(void)function;
	return tcp_probes_open(&p, why, sizeof(why)) == 0;
}

static bool load_tls(uint64_t function)
{
	struct tls_probes *p;
	char why[256];

	return tls_probes_open(&p, why, sizeof(why)) == 0 && tls_probes_stand(p, "/proc/self/exe", function, TLS_PROBE_FREE) == 0;
}

static bool load_lead(uint64_t function)
{
	struct lead *l;
	char why[256];

	(void)function;
	return lead_open(&l, why, sizeof(why)) == 0;
}

struct set {
	const char *name;
	bool (*load)(uint64_t function);
	size_t programs; /* at least */
	pid_t pid;
	uint32_t program_ids[IDS_MAX], link_ids[IDS_MAX];
	size_t programs_n, links_n;
};

static struct set sets[] = {
	{.name = "system calls", .load = load_calls, .programs = 5},
	{.name = "allocations", .load = load_alloc, .programs = 7},
	{.name = "Go", .load = load_go, .programs = 6},
	{.name = "TCP", .load = load_tcp, .programs = 5},
	{.name = "TLS", .load = load_tls, .programs = 3},
	{.name = "leading", .load = load_lead, .programs = 6},
};

static size_t note_id(const char *line, const char *name, uint32_t *ids, size_t n)
{
	char format[32];

	snprintf(format, sizeof(format), "%s: %%u", name);
	return n < IDS_MAX && sscanf(line, format, &ids[n]) == 1 ? n + 1 : n;
}

/* The programs and links that its descriptors hold. */
static void note_held(struct set *s)
{
	char path[300], line[128];
	const struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)s->pid);
	d = opendir(path);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)s->pid, entry->d_name);
		f = fopen(path, "re");
		while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
			s->programs_n = note_id(line, "prog_id", s->program_ids, s->programs_n);
			s->links_n = note_id(line, "link_id", s->link_ids, s->links_n);
		}
		if (f != NULL)
			fclose(f);
	}
	closedir(d);
}

static size_t still_there(int (*open_id)(uint32_t id), const uint32_t *ids, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		const int fd = open_id(ids[i]);

		left += fd >= 0 ? 1 : 0;
		if (fd >= 0)
			close(fd);
	}
	return left;
}

static size_t left_of(const struct set *s)
{
	return still_there(bpf_prog_get_fd_by_id, s->program_ids, s->programs_n) +
	       still_there(bpf_link_get_fd_by_id, s->link_ids, s->links_n);
}

static bool start(struct set *s)
{
	uint64_t function = 0;
	char byte = 0;
	int ready[2];

	dl_iterate_phdr(find_marked, &function);
	assert_true(function != 0);
	assert_int_equal(pipe(ready), 0);
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], s->load(function) ? "y" : "n", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return byte == 'y';
}

static void a_killed_agent_leaves_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct set *s = &sets[i];
		const bool loaded = start(s);
		char why[256];

		if (loaded) {
			note_held(s);
			assert_true(s->programs_n >= s->programs);
			assert_true(s->links_n > 0);
			assert_int_equal(left_of(s), s->programs_n + s->links_n);
		} else { /* a root's must load on the machines that this is tested on */
			assert_true(geteuid() != 0 || probes_check(why, sizeof(why)) < 0);
		}
		kill(s->pid, SIGKILL);
		assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
	}
	/* The kernel takes its time: a worker of it frees them. */
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		const struct set *s = &sets[i];
		size_t left = left_of(s);

		for (int n = 0; n < KERNEL_PATIENCE && left > 0; n++) {
			poll(NULL, 0, 5);
			left = left_of(s);
		}
		print_message("%s: %zu programs and %zu links while it lived, %zu afterwards\n", s->name, s->programs_n, s->links_n,
			      left);
		assert_int_equal(left, 0);
	}
}

TEST_MAIN(cmocka_unit_test(a_killed_agent_leaves_nothing))
