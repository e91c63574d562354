/* A file of its own: linux/tcp.h, which has all fields, does not go together with netinet/tcp.h. See outstanding.h. */
#include "attach/outstanding.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define NS_PER_MS 1000000ULL
#define STATE_ESTABLISHED 1
/* A peer that has nothing to say acknowledges after 40 to 200 ms (TCP_DELACK_MIN, TCP_DELACK_MAX), more a tick of the kernel's. */
#define BARE_ACK_MAX_MS 250U

/* Does the peer acknowledge each question at once, by a segment without data? It does until it has answered one quickly (pingpong mode). The first
 * segment without data belongs to the handshake. */
static bool acknowledges_at_once(const struct tcp_info *i)
{
	return i->tcpi_data_segs_out >= 2 && i->tcpi_segs_in - i->tcpi_data_segs_in > i->tcpi_data_segs_out;
}

/*
 * The kernel counts in ticks: what was received and what was sent last may be of the same one. An answer acknowledges its question, as each segment
 * does (RFC 9293, 3.10.7.4). So a question that is not acknowledged yet has none, nor has one whose acknowledgement came by itself: later than
 * both, or, from a peer that always does so, perhaps at once.
 */
enum outstanding outstanding_state(const struct tcp_info *i)
{
	const uint32_t sent = i->tcpi_last_data_sent, received = i->tcpi_last_data_recv,
		       acknowledged = i->tcpi_last_ack_recv; /* ms ago */

	if (i->tcpi_bytes_sent == 0)
		return i->tcpi_bytes_received == 0 ? OUTSTANDING_FRESH : OUTSTANDING_NOT;
	if (i->tcpi_bytes_received == 0)
		return OUTSTANDING_FIRST;
	if (received != sent)
		return received > sent ? OUTSTANDING_ASKED : OUTSTANDING_NOT;
	if (i->tcpi_unacked || (acknowledged < sent && sent - acknowledged <= BARE_ACK_MAX_MS))
		return OUTSTANDING_ASKED;
	return acknowledged == sent && acknowledges_at_once(i) ? OUTSTANDING_EITHER : OUTSTANDING_NOT;
}

enum outstanding outstanding(int fd, uint64_t *ret_ago_ns)
{
	struct tcp_info i = {0};
	socklen_t len = sizeof(i);
	enum outstanding state;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) < 0 || len < offsetof(struct tcp_info, tcpi_bytes_sent) + 8 ||
	    i.tcpi_state != STATE_ESTABLISHED)
		return OUTSTANDING_NOT;
	state = outstanding_state(&i);
	/* What was never received counts from the handshake on. */
	*ret_ago_ns = (state == OUTSTANDING_FRESH ? i.tcpi_last_data_recv : i.tcpi_last_data_sent) * NS_PER_MS;
	return state;
}
