/*
 * See sniff.h. TLS records: RFC 8446, section 5.1; HTTP/1 framing: RFC 9112, section 6.
 */
#include "prove/sniff.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RECORD_HANDSHAKE 22
#define RECORD_DATA 23

bool sniff_is_tls(const uint8_t *data, size_t len)
{
	return len >= 3 && data[0] == RECORD_HANDSHAKE && data[1] == 3 && data[2] <= 4;
}

void sniff_tls(struct sniff_tls *s, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (s->skip) {
			const size_t n = s->skip < len - i ? s->skip : len - i;

			s->skip -= (uint32_t)n;
			i += n;
			continue;
		}
		s->head[s->have++] = data[i++];
		s->data = s->data || s->head[0] == RECORD_DATA;
		if (s->have == sizeof(s->head)) {
			s->have = 0;
			s->skip = (uint32_t)s->head[3] << 8 | s->head[4];
		}
	}
}

bool sniff_is_http_request(const uint8_t *data, size_t len)
{
	const uint8_t *end = memchr(data, '\n', len);
	static const char version[] = " HTTP/1.";
	size_t method = 0;

	while (method < len && data[method] >= 'A' && data[method] <= 'Z')
		method++;
	return method >= 3 && method < len && data[method] == ' ' && end &&
	       memmem(data, (size_t)(end - data), version, sizeof(version) - 1) != NULL;
}

size_t sniff_http_head(const uint8_t *data, size_t len)
{
	const uint8_t *end = memmem(data, len, "\r\n\r\n", 4);

	return end ? (size_t)(end - data) + 4 : 0;
}

/* The value of a header of the head, or NULL. */
static const char *header(const char *head, const char *name)
{
	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, strlen(name)) == 0)
			return line + 2 + strlen(name);
	return NULL;
}

bool sniff_http_whole(const uint8_t *data, size_t len)
{
	const size_t head = sniff_http_head(data, len);
	char text[4096];

	if (head == 0)
		return false;
	if (head >= sizeof(text))
		return true;
	memcpy(text, data, head);
	text[head] = '\0';

	const char *length = header(text, "content-length:");

	if (length)
		return len - head >= strtoul(length, NULL, 10);
	if (header(text, "transfer-encoding:"))
		return len - head >= 5 && memcmp(data + len - 5, "0\r\n\r\n", 5) == 0;
	return true;
}
