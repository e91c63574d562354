/* A file of its own: linux/tcp.h, which has all fields, does not go together with netinet/tcp.h. See outstanding.h. */
#include "attach/outstanding.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define NS_PER_MS 1000000ULL
#define STATE_ESTABLISHED 1
/* A peer that has nothing to say acknowledges after 40 to 200 ms (TCP_DELACK_MIN, TCP_DELACK_MAX), less and more a tick of the kernel's. */
#define BARE_ACK_MIN_MS 20U
#define BARE_ACK_MAX_MS 250U

/* The kernel counts in ticks: what was received and what was sent then may be of the same one. An acknowledgement that came later, without data, is
 * of a question: an answer brings its own along. */
static enum outstanding state_of(const struct tcp_info *i)
{
	const uint32_t sent = i->tcpi_last_data_sent, acknowledged = i->tcpi_last_ack_recv; /* ms ago */

	if (i->tcpi_bytes_sent == 0)
		return i->tcpi_bytes_received == 0 ? OUTSTANDING_FRESH : OUTSTANDING_NOT;
	if (i->tcpi_bytes_received == 0 || i->tcpi_last_data_recv > sent)
		return OUTSTANDING_ASKED;
	if (i->tcpi_last_data_recv < sent)
		return OUTSTANDING_NOT;
	return sent < acknowledged + BARE_ACK_MIN_MS || sent > acknowledged + BARE_ACK_MAX_MS ? OUTSTANDING_EITHER
											      : OUTSTANDING_ASKED;
}

enum outstanding outstanding(int fd, uint64_t *ret_ago_ns)
{
	struct tcp_info i = {0};
	socklen_t len = sizeof(i);
	enum outstanding state;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) < 0 || len < offsetof(struct tcp_info, tcpi_bytes_sent) + 8 ||
	    i.tcpi_state != STATE_ESTABLISHED)
		return OUTSTANDING_NOT;
	state = state_of(&i);
	/* What was never received counts from the handshake on. */
	*ret_ago_ns = (state == OUTSTANDING_FRESH ? i.tcpi_last_data_recv : i.tcpi_last_data_sent) * NS_PER_MS;
	return state;
}
