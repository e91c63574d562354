/*
 * Network addresses of clients: public IPv4 and IPv6, and MAC addresses. Private, local and documentation ranges are clean
 * (RFC 1918, RFC 5737, RFC 6598, RFC 3849 and the special-purpose registries).
 */
#include "scan/validators.h"

#define VERSION_FIRST 16U
#define VERSION_REST 32U

static bool v4_public(const unsigned int *o)
{
	if (o[0] == 0 || o[0] == 10 || o[0] == 127 || o[0] >= 224)
		return false;
	if ((o[0] == 169 && o[1] == 254) || (o[0] == 172 && o[1] >= 16 && o[1] < 32) || (o[0] == 192 && o[1] == 168))
		return false;
	if ((o[0] == 100 && o[1] >= 64 && o[1] < 128) || (o[0] == 198 && (o[1] == 18 || o[1] == 19)))
		return false;
	return !((o[0] == 192 && o[1] == 0 && (o[2] == 0 || o[2] == 2)) || (o[0] == 198 && o[1] == 51 && o[2] == 100) ||
		 (o[0] == 203 && o[1] == 0 && o[2] == 113));
}

static bool v4_at(const struct text *t, size_t at, struct span *ret)
{
	unsigned int octet[4] = {0};
	size_t i = at;
	for (unsigned int n = 0; n < 4; n++) {
		size_t first = i;
		for (; is_digit(text_at(t, i)) && i - first < 3; i++)
			octet[n] = octet[n] * 10 + (unsigned int)(t->bytes[i] - '0');
		if (i == first || octet[n] > 255 || (n < 3 && text_at(t, i++) != '.'))
			return false;
	}
	uint8_t after = text_at(t, i);
	if (is_word(after) || ((after == '.' || after == '-') && is_alnum(text_at(t, i + 1))) || !v4_public(octet))
		return false;
	*ret = (struct span){at, i};
	return true;
}

bool version_like(const struct text *t, const struct span *ip)
{
	unsigned int value = 0, n = 0;
	for (size_t i = ip->start; i <= ip->end; i++) {
		uint8_t c = i < ip->end ? t->bytes[i] : '.';
		if (is_digit(c)) {
			value = value * 10 + (unsigned int)(c - '0');
			continue;
		}
		if (c != '.' || value >= (n == 0 ? VERSION_FIRST : VERSION_REST))
			return false;
		value = 0;
		n++;
	}
	return n == 4;
}

static bool v6_at(const struct text *t, size_t at, struct span *ret)
{
	unsigned int groups = 0, first = 0;
	bool gap = false;
	size_t i = at;
	while (groups < 8) {
		size_t begin = i;
		unsigned int value = 0;
		for (; is_hex(text_at(t, i)) && i - begin < 4; i++) {
			uint8_t c = lower(t->bytes[i]);
			value = value * 16 + (unsigned int)(is_digit(c) ? c - '0' : c - 'a' + 10);
		}
		if (i == begin)
			break;
		if (groups++ == 0)
			first = value;
		if (groups == 8 || text_at(t, i) != ':')
			break;
		if (text_at(t, i + 1) == ':') {
			if (gap)
				return false;
			gap = true;
			i += 2;
		} else if (is_hex(text_at(t, i + 1))) {
			i++;
		} else {
			break;
		}
	}
	if (is_word(text_at(t, i)) || (gap ? groups < 2 || groups > 7 : groups != 8))
		return false;
	/* ::1, local ones that are in use (RFC 4193), link-local, multicast, documentation */
	if (first == 0 || (first & 0xff00) == 0xfd00 || (first & 0xffc0) == 0xfe80 || (first & 0xff00) == 0xff00 ||
	    (first == 0x2001 && text_is(t, at, "2001:db8")))
		return false;
	*ret = (struct span){at, i};
	return true;
}

bool public_ip_at(const struct text *t, size_t at, struct span *ret)
{
	if (text_at(t, at) == '[')
		at++;
	return v4_at(t, at, ret) || v6_at(t, at, ret);
}

bool mac_at(const struct text *t, size_t at, struct span *ret)
{
	uint8_t separator = text_at(t, at + 2);
	if (separator != ':' && separator != '-')
		return false;
	bool same = true;
	for (size_t i = 0; i < 17; i++) {
		uint8_t c = text_at(t, at + i);
		if (i % 3 == 2 ? c != separator : !is_hex(c))
			return false;
		same = same && (i % 3 == 2 || c == text_at(t, at));
	}
	if (same || is_word(text_at(t, at + 17)) || text_at(t, at + 17) == separator)
		return false;
	*ret = (struct span){at, at + 17};
	return true;
}
