/* See connecting.h. */
#include "attach/connecting.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOUBLED_MAX 16U /* the kernel's pauses end at two minutes (TCP_RTO_MAX) */
#define NS_PER_US 1000U
#define NS_PER_S 1000000000ULL
#define TIMER_RETRANSMITS 1U

/*
 * RFC 6298, 5.5: the pause doubles each time; Linux keeps the first few as they are (tcp_syn_linear_timeouts). So before the pause that runs now
 * there were again - doubled + 1 of the first length, and one each of 2, 4, … times as much.
 */
uint64_t connecting_age_ns(const struct connecting *c)
{
	const unsigned int doubled = c->doubled < DOUBLED_MAX ? c->doubled : DOUBLED_MAX;
	const uint64_t first = c->pause_ns >> doubled;
	const uint64_t firsts = c->again > doubled ? c->again - doubled : 0;

	return first * (firsts + (1ULL << doubled) - 1) + (c->left_ns < c->pause_ns ? c->pause_ns - c->left_ns : 0);
}

/* What the table of the process's network says of this socket's timer: its line ends in what is left of it. Unknown: nothing is. */
static bool timer_left(pid_t pid, const char *table, uint64_t inode, uint64_t *ret_ns)
{
	const long ticks = sysconf(_SC_CLK_TCK);
	char path[64], line[256];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, table);

	FILE *f = fopen(path, "re");

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		unsigned int timer;
		uint64_t left, its_inode;

		/* sl local remote st tx:rx tr:when retransmits uid timeout inode: proc_pid_net(5) */
		if (sscanf(line, "%*s %*s %*s %*s %*s %x:%" SCNx64 " %*s %*s %*s %" SCNu64, &timer, &left, &its_inode) != 3 ||
		    its_inode != inode)
			continue;
		found = true;
		*ret_ns = timer == TIMER_RETRANSMITS && ticks > 0 ? left * (NS_PER_S / (uint64_t)ticks) : 0;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

bool connecting(pid_t pid, int fd, struct sockaddr_storage *ret_peer, socklen_t *ret_len, uint64_t *ret_age_ns)
{
	struct sockaddr_storage peer = {0};
	struct tcp_info i = {0};
	int domain = 0;
	socklen_t len = sizeof(i), domain_len = sizeof(domain);
	struct stat st;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) < 0 || i.tcpi_state != TCP_SYN_SENT || fstat(fd, &st) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) < 0)
		return false;
	/* getpeername does not say before the answer came; and of SO_PEERNAME no more may be asked for than there is. */
	len = domain == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &peer, &len) < 0)
		return false;

	struct connecting c = {
		.again = i.tcpi_retransmits, .doubled = i.tcpi_backoff, .pause_ns = (uint64_t)i.tcpi_rto * NS_PER_US};

	if (!timer_left(pid, domain == AF_INET6 ? "tcp6" : "tcp", (uint64_t)st.st_ino, &c.left_ns))
		c.left_ns = c.pause_ns; /* at least so long */
	*ret_peer = peer;
	*ret_len = len;
	*ret_age_ns = connecting_age_ns(&c);
	return true;
}
