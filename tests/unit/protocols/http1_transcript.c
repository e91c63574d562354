/* HTTP/1.1 as a transcript: whole, split at each byte, with each record lost, and from the middle on. http1.c has the rest. */
#include "protocols/transcript.h"

static const struct step steps[] = {
	CLIENT("GET /cart HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer s3cr3t\r\n\r\n"),
	SERVER("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello s3cr3t"),
	CLIENT("POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 14\r\n\r\n{\"n\":\"s3cr3t\"}"),
	SERVER("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ns3cr3t\r\n3\r\nabc\r\n0\r\n\r\n"),
	CLIENT("HEAD /cart HTTP/1.1\r\nHost: shop\r\n\r\n"),
	SERVER("HTTP/1.1 404 Not Found\r\nContent-Length: 512\r\n\r\n"),
	CLIENT("PUT /cart HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ns3cr3t\r\n0\r\n\r\n"),
	SERVER("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n"),
	CLIENT("DELETE /cart HTTP/1.1\r\nHost: shop\r\n\r\n"),
	SERVER("HTTP/1.1 204 No Content\r\n\r\n"),
};

static const struct transcript transcript = {
	.protocol = "http",
	.type = SOCK_STREAM,
	.steps = steps,
	.n = sizeof(steps) / sizeof(steps[0]),
	.last = 8,
	.expect = "GET /cart 200 done\n"
		  "POST /orders 201 done\n"
		  "HEAD /cart 404 done\n"
		  "PUT /cart 503 done\n"
		  "DELETE /cart 204 done\n",
};

TEST_MAIN(TRANSCRIPT_TESTS)
