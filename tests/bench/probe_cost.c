/*
 * What the probes of TCP cost a connection, and those of TLS a call of the library: bare, with the probes in place and this process not watched,
 * watched, and after they are gone. Thread time, by turns in one run; the least of several rounds counts. What is asserted are ratios within the run.
 * Where probes cannot be loaded it says why, and is done.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probes/probes.h"
#include "probes/tcp.h"
#include "probes/tls.h"

#define ROUNDS 15
#define CONNECTIONS 200
#define CALLS 2000
#define SKIPPED 77

enum { BARE, BESIDE, WATCHED, AFTER, WAYS };

static int listener;
static struct sockaddr_in where;
static char session[512];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void listen_here(void)
{
	socklen_t len = sizeof(where);

	where = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (const struct sockaddr *)&where, len) < 0 || listen(listener, 16) < 0 ||
	    getsockname(listener, (struct sockaddr *)&where, &len) < 0)
		fail("a port to listen at");
}

/* A whole connection, both ends of it. */
static void connection(void)
{
	const struct linger at_once = {.l_onoff = 1}; /* or else the ports of a run would be used up */
	const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int server = -1;

	if (client < 0 || connect(client, (const struct sockaddr *)&where, sizeof(where)) < 0 ||
	    (server = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
		fail("a connection");
	setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(client);
	close(server);
}

/* In place of a function of a TLS library. Probes stand at instructions that the kernel does itself: so does this one. */
__attribute__((noinline)) static void library_call(void *of)
{
	__asm__ volatile("nop" : : "r"(of) : "memory");
}

static void call(void)
{
	library_call(session);
}

static void system_call(void)
{
	(void)syscall(SYS_getppid);
}

static double round_of(void (*fn)(void), int times)
{
	const double begun = now_ns();

	for (int i = 0; i < times; i++)
		fn();
	return (now_ns() - begun) / times;
}

static void keep_least(double *least, void (*fn)(void), int times)
{
	const double ns = round_of(fn, times);

	if (*least <= 0 || ns < *least)
		*least = ns;
}

static void tcp_rounds(double *least)
{
	struct tcp_probes *p;
	char why[256];

	keep_least(&least[BARE], connection, CONNECTIONS);
	if (tcp_probes_open(&p, why, sizeof(why)) < 0)
		fail(why);
	keep_least(&least[BESIDE], connection, CONNECTIONS);
	tcp_probes_watch(p, (uint32_t)getpid());
	keep_least(&least[WATCHED], connection, CONNECTIONS);
	tcp_probes_free(p);
	keep_least(&least[AFTER], connection, CONNECTIONS);
}

static int find_call(struct dl_phdr_info *info, size_t size, void *ret)
{
	const uint64_t at = (uint64_t)(uintptr_t)library_call - info->dlpi_addr;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && at >= p->p_vaddr && at - p->p_vaddr < p->p_filesz)
			*(uint64_t *)ret = at - p->p_vaddr + p->p_offset;
	}
	return 1; /* the program itself comes first */
}

static void hear(void *ctx, const struct tls_said *said, const uint8_t *data)
{
	(void)said;
	(void)data;
	(*(size_t *)ctx)++;
}

static size_t tls_rounds(double *least)
{
	struct tls_probes *p;
	uint64_t offset = 0;
	size_t told = 0;
	char why[256];

	dl_iterate_phdr(find_call, &offset);
	keep_least(&least[BARE], call, CALLS);
	if (tls_probes_open(&p, why, sizeof(why)) < 0 || tls_probes_stand(p, "/proc/self/exe", offset, TLS_PROBE_FREE) < 0)
		fail("probes of TLS");
	keep_least(&least[BESIDE], call, CALLS);
	if (tls_probes_watch(p, (uint32_t)getpid()) < 0)
		fail("to be watched");
	keep_least(&least[WATCHED], call, CALLS);
	tls_probes_read(p, hear, &told);
	tls_probes_free(p);
	keep_least(&least[AFTER], call, CALLS);
	return told;
}

static void say(const char *what, const double *least)
{
	printf("%-18s %8.0f ns bare, %+7.0f by probes that do not watch it, %+7.0f watched, %+7.0f once they are gone\n", what,
	       least[BARE], least[BESIDE] - least[BARE], least[WATCHED] - least[BARE], least[AFTER] - least[BARE]);
}

int main(void)
{
	double tcp[WAYS] = {0}, tls[WAYS] = {0}, trap = 0;
	char why[256];
	size_t told = 0;

	if (probes_check(why, sizeof(why)) < 0) {
		printf("what probes cost is NOT measured: %s\n", why);
		return getenv("CI") != NULL && geteuid() == 0 ? 1 : SKIPPED;
	}
	listen_here();
	for (int i = 0; i < ROUNDS; i++) {
		keep_least(&trap, system_call, CALLS);
		if (i % 3 == 0) /* loading them is what takes its time */
			tcp_rounds(tcp);
		else
			told += tls_rounds(tls);
	}
	say("a TCP connection", tcp);
	say("a call of TLS", tls);
	printf("a system call takes %.0f ns; a connection with probes %.3f times what it takes without; %zu calls were told\n",
	       trap, tcp[WATCHED] / tcp[BARE], told);
	if (told != (size_t)CALLS * (ROUNDS - (ROUNDS + 2) / 3)) {
		printf("FAILED: not all calls were told\n");
		return 1;
	}
	if (tcp[WATCHED] > 1.5 * tcp[BARE] || tls[WATCHED] - tls[BARE] > 3 * (tls[BESIDE] - tls[BARE]) ||
	    tls[AFTER] > 2 * tls[BARE] + trap) {
		printf("FAILED: a connection may take half as long again, telling of a call twice as long as the trap alone, and "
		       "nothing "
		       "may be slower once they are gone\n");
		return 1;
	}
	return 0;
}
