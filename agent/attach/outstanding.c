/* A file of its own: linux/tcp.h, which has all fields, does not go together with netinet/tcp.h. See outstanding.h. */
#include "attach/outstanding.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define NS_PER_MS 1000000ULL
#define STATE_ESTABLISHED 1

enum outstanding outstanding(int fd, uint64_t *ret_ago_ns)
{
	struct tcp_info i = {0};
	socklen_t len = sizeof(i);
	bool fresh;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) < 0 || len < offsetof(struct tcp_info, tcpi_bytes_sent) + 8 ||
	    i.tcpi_state != STATE_ESTABLISHED)
		return OUTSTANDING_NOT;
	fresh = i.tcpi_bytes_sent == 0 && i.tcpi_bytes_received == 0;
	if (!fresh && (i.tcpi_bytes_sent == 0 || (i.tcpi_bytes_received != 0 && i.tcpi_last_data_recv <= i.tcpi_last_data_sent)))
		return OUTSTANDING_NOT;
	/* What was never received counts from the handshake on. */
	*ret_ago_ns = (fresh ? i.tcpi_last_data_recv : i.tcpi_last_data_sent) * NS_PER_MS;
	return fresh ? OUTSTANDING_FRESH : OUTSTANDING_ASKED;
}
