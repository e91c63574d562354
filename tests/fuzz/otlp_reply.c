/* Whatever a receiver may answer: protobuf, JSON, gzip, gRPC headers and trailers. The first byte says which reader gets the rest. */
#include <stdlib.h>
#include <string.h>

#include "exporters/grpc_answer.h"
#include "exporters/gzip.h"
#include "exporters/otlp_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "name value" lines are headers until an empty one; the rest is the body, in two parts. */
static void grpc(const uint8_t *data, size_t size)
{
	struct grpc_answer a = {0};
	struct otlp_reply reply;
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end != NULL ? (size_t)(end - data) : size;
		const uint8_t *space = memchr(data, ' ', len);
		if (space == NULL) {
			size_t skip = end != NULL ? len + 1 : len;
			data += skip;
			size -= skip;
			break;
		}
		size_t name = (size_t)(space - data);
		grpc_answer_header(&a, (const char *)data, name, (const char *)space + 1, len - name - 1);
		data += end != NULL ? len + 1 : len;
		size -= end != NULL ? len + 1 : len;
	}
	grpc_answer_body(&a, data, size / 2);
	grpc_answer_body(&a, data + size / 2, size - size / 2);
	grpc_answer_judge(&a, &reply);
	if (reply.verdict == OTLP_ABORTED || memchr(reply.why, '\0', sizeof reply.why) == NULL)
		abort();
	if (reply.verdict != OTLP_RETRY && reply.retry_after_ms != 0)
		abort();
	if (reply.retry_after_ms > OTLP_RETRY_AFTER_MAX_MS)
		abort();
	grpc_answer_done(&a);
}

static void unzip(const uint8_t *data, size_t size)
{
	const struct bytes in = {.data = (uint8_t *)data, .len = size};
	struct bytes out;
	if (gzip_unpack(&in, 1U << 16, &out) != 0)
		return;
	if (out.len > 1U << 16)
		abort();
	free(out.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] & 3) {
	case 0:
		otlp_decode_rejected(data + 1, size - 1);
		break;
	case 1:
		otlp_json_rejected(data + 1, size - 1);
		break;
	case 2:
		grpc(data + 1, size - 1);
		break;
	default:
		unzip(data + 1, size - 1);
		break;
	}
	return 0;
}
