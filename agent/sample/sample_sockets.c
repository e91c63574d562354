/*
 * TCP sockets of watched processes as the kernel sees them (sock_diag(7)): queues of listeners, sockets in CLOSE_WAIT, segments sent again.
 * One dump a network namespace; one of another namespace needs the right to enter it, else it is left out.
 *
 * A dump walks the kernel's table of connections, megabytes of it, however few there are. The request of today walks it for one family; the older
 * one, without a family, tells both in one walk.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample/private.h"

#define ANSWER_BYTES 32768U

static int by_inode(const void *a, const void *b)
{
	const struct sample_link *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* The first of the descriptors of a socket; NULL: it is nobody's whom we watch. */
static const struct sample_link *link_of(const struct sampler *s, uint64_t inode)
{
	size_t low = 0, high = s->links_n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (s->links[mid].inode < inode)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->links_n && s->links[low].inode == inode ? &s->links[low] : NULL;
}

/* How often a queue was full in this process's network namespace. */
static uint64_t read_overflows(const struct sampler *s, uint32_t pid)
{
	char path[64], text[SAMPLE_TEXT];

	snprintf(path, sizeof path, "/proc/%u/net/netstat", pid);
	return read_text(s->root, path, text, sizeof text) == 0 ? read_number_of_column(text, "TcpExt:", "ListenOverflows")
								: SAMPLE_UNKNOWN;
}

static void tell(struct sampler *s, const struct sample_link *l, uint64_t state, const struct sample_socket *out)
{
	sample_tell(s, (struct event){.id = WIRE_SAMPLE_SOCKET, .pid = l->pid, .fd = l->fd, .a0 = state, .a1 = l->inode}, out,
		    sizeof *out);
}

static void tell_listeners(struct sampler *s, uint64_t overflows)
{
	for (size_t i = 0; i < s->listeners_n; i++) {
		struct sample_listener *l = &s->listeners[i];

		l->socket.net_overflows = overflows;
		l->socket.net_drops = s->drops;
		tell(s, l->link, SAMPLE_LISTEN, &l->socket);
	}
}

static void tell_socket(struct sampler *s, const struct sample_net *net, const struct nlmsghdr *m)
{
	const struct inet_diag_msg *d = NLMSG_DATA(m);
	const struct sample_link *l = link_of(s, d->idiag_inode);
	struct sample_socket out = {
		.queue = d->idiag_rqueue,
		.queue_max = d->idiag_state == SAMPLE_LISTEN ? d->idiag_wqueue : 0,
		.drops = SAMPLE_UNKNOWN,
		.port = ntohs(d->id.idiag_sport),
		.net_overflows = SAMPLE_UNKNOWN,
		.net_drops = SAMPLE_UNKNOWN,
	};
	size_t left = m->nlmsg_len - NLMSG_LENGTH(sizeof *d);

	if (!l && d->idiag_state != SAMPLE_LISTEN)
		return;
	if (l && s->found)
		s->found(s->found_ctx, &(struct sample_found){
					       .pid = l->pid,
					       .net = (uint32_t)net->inode,
					       .cookie = (uint64_t)d->id.idiag_cookie[1] << 32 | d->id.idiag_cookie[0],
					       .port = (uint16_t)out.port,
					       .state = d->idiag_state,
				       });
	for (const struct rtattr *a = (const void *)(d + 1); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == INET_DIAG_SKMEMINFO && RTA_PAYLOAD(a) >= (SK_MEMINFO_DROPS + 1) * sizeof(uint32_t))
			out.drops = ((const uint32_t *)RTA_DATA(a))[SK_MEMINFO_DROPS];
		if (a->rta_type == INET_DIAG_INFO &&
		    RTA_PAYLOAD(a) >= offsetof(struct tcp_info, tcpi_total_retrans) + sizeof(uint32_t))
			out.retransmits = ((const struct tcp_info *)RTA_DATA(a))->tcpi_total_retrans;
	}
	if (d->idiag_state == SAMPLE_LISTEN && out.drops != SAMPLE_UNKNOWN)
		s->drops += out.drops;
	if (!l || ((d->idiag_state == SAMPLE_ESTABLISHED || d->idiag_state == SAMPLE_SYN_SENT) && out.retransmits == 0))
		return;
	if (d->idiag_state == SAMPLE_LISTEN && s->listeners_n < SAMPLE_LISTENERS)
		s->listeners[s->listeners_n++] = (struct sample_listener){.link = l, .socket = out};
	else
		tell(s, l, d->idiag_state, &out);
}

/* False: the dump has ended. */
static bool answer(struct sampler *s, const struct sample_net *net, const char *bytes, size_t len)
{
	for (const struct nlmsghdr *m = (const void *)bytes; NLMSG_OK(m, len); m = NLMSG_NEXT(m, len)) {
		if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR)
			return false;
		if (m->nlmsg_type == TCPDIAG_GETSOCK && m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
			tell_socket(s, net, m);
	}
	return true;
}

static void dump(struct sampler *s, const struct sample_net *net)
{
	static _Alignas(struct nlmsghdr) char bytes[ANSWER_BYTES];
	const struct {
		struct nlmsghdr head;
		struct inet_diag_req body;
	} ask = {
		.head = {.nlmsg_len = sizeof ask, .nlmsg_type = TCPDIAG_GETSOCK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_SKMEMINFO - 1),
			 .idiag_states =
				 1U << SAMPLE_ESTABLISHED | 1U << SAMPLE_SYN_SENT | 1U << SAMPLE_CLOSE_WAIT | 1U << SAMPLE_LISTEN},
	};
	ssize_t n;

	if (send(net->fd, &ask, sizeof ask, 0) < 0)
		return;
	while ((n = recv(net->fd, bytes, sizeof bytes, 0)) > 0 && answer(s, net, bytes, (size_t)n))
		;
}

/* A socket in the namespace that `path` names; -errno if we may not. */
static int open_in(const char *path, bool own)
{
	int back = -1, there = -1, fd = -1;

	if (!own) {
		back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		there = open(path, O_RDONLY | O_CLOEXEC);
		if (back < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0) {
			fd = -errno;
			goto out;
		}
	}
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	fd = fd < 0 ? -errno : fd;
	if (!own && setns(back, CLONE_NEWNET) < 0 && fd >= 0) {
		close(fd); /* cannot be: it is where we came from */
		fd = -EPERM;
	}
out:
	if (back >= 0)
		close(back);
	if (there >= 0)
		close(there);
	return fd;
}

static struct sample_net *net_of(struct sampler *s, uint32_t pid)
{
	char path[512];
	struct stat theirs, ours;

	snprintf(path, sizeof path, "%s/proc/%u/ns/net", s->root, pid);
	if (stat(path, &theirs) < 0)
		return NULL;
	for (size_t i = 0; i < SAMPLE_NETS; i++) {
		if (s->nets[i].inode == theirs.st_ino)
			return &s->nets[i];
		if (s->nets[i].inode != 0)
			continue;
		const bool own = stat("/proc/thread-self/ns/net", &ours) == 0 && ours.st_ino == theirs.st_ino;
		s->nets[i] = (struct sample_net){.inode = theirs.st_ino, .fd = open_in(path, own)};
		return &s->nets[i];
	}
	return NULL;
}

void sample_sockets(struct sampler *s, const uint32_t *pids, size_t n)
{
	bool done[SAMPLE_NETS] = {false};

	if (s->links_n == 0)
		return;
	qsort(s->links, s->links_n, sizeof *s->links, by_inode);
	for (size_t i = 0; i < n; i++) {
		const struct sample_net *net = net_of(s, pids[i]);

		if (!net || done[net - s->nets])
			continue;
		done[net - s->nets] = true;
		if (net->fd < 0)
			continue;
		s->listeners_n = 0;
		s->drops = 0;
		dump(s, net);
		tell_listeners(s, read_overflows(s, pids[i]));
	}
}

void sample_sockets_done(struct sampler *s)
{
	for (size_t i = 0; i < SAMPLE_NETS; i++) {
		if (s->nets[i].inode != 0 && s->nets[i].fd >= 0)
			close(s->nets[i].fd);
	}
}
