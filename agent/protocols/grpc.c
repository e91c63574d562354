/*
 * gRPC's statuses and names. See grpc.h.
 */
#include "protocols/grpc.h"

#include <string.h>

#include "protocols/talk.h"

enum {
	OK,
	CANCELLED,
	UNKNOWN,
	DEADLINE_EXCEEDED = 4,
	PERMISSION_DENIED = 7,
	RESOURCE_EXHAUSTED,
	ABORTED = 10,
	INTERNAL = 13,
	UNAVAILABLE
};

void grpc_name(struct request *r)
{
	const char *path = r->path[0] == '/' ? r->path + 1 : r->path;

	r->area = AREA_RPC;
	r->system = "grpc";
	talk_text(r->target, sizeof(r->target), (const uint8_t *)path, strlen(path));
	memcpy(r->summary, r->target, sizeof(r->target));
}

void grpc_status(struct request *r, int status)
{
	static const char *const names[] = {
		"OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
		"NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
		"ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
		"DATA_LOSS", "UNAUTHENTICATED"};
	const char *name = names[status >= 0 && status < (int)(sizeof(names) / sizeof(names[0])) ? status : UNKNOWN];

	if (r->area != AREA_RPC)
		grpc_name(r);
	memcpy(r->status_text, name, strlen(name) + 1);
	r->failed = status != OK;
	r->transient = status == UNAVAILABLE || status == DEADLINE_EXCEEDED || status == RESOURCE_EXHAUSTED || status == ABORTED;
	r->status = status;
}

/* The deadline that a request states was reckoned some time before it was sent, and began then. */
static bool is_late(const struct request *r, uint64_t now_ns)
{
	return r->deadline_ns > 0 && now_ns > r->t_start && now_ns - r->t_start >= (uint64_t)r->deadline_ns / 10 * 9;
}

void grpc_reset(struct request *r, uint32_t code, bool by_client, uint64_t now_ns)
{
	/* The other codes, and those that are to come, are INTERNAL. */
	static const uint8_t statuses[] = {[7] = UNAVAILABLE, [8] = CANCELLED, [11] = RESOURCE_EXHAUSTED, [12] = PERMISSION_DENIED};
	int status = code < sizeof(statuses) && statuses[code] ? statuses[code] : INTERNAL;

	/* Some clients give up with NO_ERROR. */
	if (by_client && (status == CANCELLED || code == 0))
		status = is_late(r, now_ns) ? DEADLINE_EXCEEDED : CANCELLED;
	grpc_status(r, status);
}
