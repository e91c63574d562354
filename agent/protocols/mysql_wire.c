/* What stands in MySQL's packets: see mysql_wire.h. */
#include "protocols/mysql_wire.h"

#include <string.h>

#include "protocols/talk.h"

#define CLIENT_PROTOCOL_41 0x200U

/* An integer of one to nine bytes; false if it is not all there. */
bool mysql_number(const uint8_t *b, size_t len, size_t *at, uint64_t *ret)
{
	static const uint8_t more[] = {[0xfc - 0xfc] = 2, [0xfd - 0xfc] = 3, [0xfe - 0xfc] = 8};

	if (*at >= len)
		return false;
	uint8_t first = b[(*at)++];
	if (first < 0xfb) {
		*ret = first;
		return true;
	}
	if (first < 0xfc || first == 0xff || len - *at < more[first - 0xfc])
		return false;
	*ret = 0;
	for (unsigned int i = 0; i < more[first - 0xfc]; i++)
		*ret |= (uint64_t)b[*at + i] << (8 * i);
	*at += more[first - 0xfc];
	return true;
}

/* Deadlock, lock wait, too many connections, shutdown, read-only: these pass. */
bool mysql_is_transient(unsigned int code)
{
	return code == 1213 || code == 1205 || code == 1040 || code == 1203 || code == 1053 || code == 1290 || code == 1226;
}

/* OK, or OK in EOF's clothes: are more results to follow? */
bool mysql_more_after_ok(const uint8_t *b, size_t len)
{
	size_t at = 5;
	uint64_t n;

	for (int i = 0; i < 2; i++) /* affected rows, last insert id */
		if (!mysql_number(b, len, &at, &n))
			return false;
	return at < len && (b[at] & MYSQL_MORE_RESULTS);
}

/* A server's greeting: packet 0, protocol 10, a version in digits. */
bool mysql_is_greeting(const uint8_t *b, size_t len)
{
	return len >= 8 && b[3] == 0 && b[4] == 10 && b[5] >= '1' && b[5] <= '9' && talk_le24(b) + 4 >= len && talk_le24(b) < 512;
}

/* A client's answer to it, as the first of what a TLS library encrypts: 23 bytes of it are zero, or all but MariaDB's four. */
bool mysql_is_login(const uint8_t *b, size_t len)
{
	static const uint8_t zeros[19];

	return len >= 36 && (b[3] == 1 || b[3] == 2) && (talk_le32(b + 4) & CLIENT_PROTOCOL_41) &&
	       !memcmp(b + 13, zeros, sizeof(zeros)) && talk_le24(b) + 4 >= len;
}
