/* See go_context.h. */
#include "commands/go_context.h"

#include <string.h>

#define NS_PER_S 1000000000ULL
#define WORD 8U
#define TIMER_CTX_FIRST 64U /* the deadline does not begin before: in front of it are a cancelCtx and a pointer */
/* time.Time with a monotonic reading: a bit that says so, 33 bits of seconds since 1885, 30 bits of nanoseconds. */
#define HAS_MONOTONIC (1ULL << 63)
#define WALL_SECONDS(wall) ((wall) << 1 >> 31)
#define WALL_NS(wall) ((wall) & ((1U << 30) - 1))
#define SECONDS_1885_TO_1970 2682288000ULL
#define SECONDS_1_TO_1970 62135596800ULL
#define PLAUSIBLE_S (10ULL * 366 * 86400) /* a deadline is not further off */

const char *go_function(const struct gopclntab *t, uint64_t bias, uint64_t address)
{
	struct gopclntab_place p;

	return address >= bias && gopclntab_find(t, address - bias, &p) ? p.function : "";
}

/* What a time.Time says, in ns since 1970; 0 if these two words are none that could be a deadline. */
static uint64_t time_of(uint64_t wall, uint64_t ext, uint64_t now_s)
{
	uint64_t s;

	if (wall & HAS_MONOTONIC)
		s = WALL_SECONDS(wall) - SECONDS_1885_TO_1970;
	else if (wall < NS_PER_S && ext > SECONDS_1_TO_1970)
		s = ext - SECONDS_1_TO_1970;
	else
		return 0;
	if (s + PLAUSIBLE_S < now_s || s > now_s + PLAUSIBLE_S)
		return 0;
	return s * NS_PER_S + WALL_NS(wall);
}

/* The deadline in a timerCtx; 0 if there is none, so that it is just a cancelCtx. */
static uint64_t deadline_in(const struct probe_go_node *n, uint64_t now_s)
{
	for (size_t at = TIMER_CTX_FIRST; at + 3 * WORD <= sizeof(n->bytes); at += WORD) {
		uint64_t wall, ext, when;

		memcpy(&wall, n->bytes + at, sizeof(wall));
		memcpy(&ext, n->bytes + at + WORD, sizeof(ext));
		if ((when = time_of(wall, ext, now_s)) != 0)
			return when;
	}
	return 0;
}

enum node_kind { NODE_UNKNOWN, NODE_PASSES, NODE_ENDS, NODE_TIMER };

static enum node_kind kind_of(const char *method)
{
	static const struct {
		const char *type;
		enum node_kind kind;
	} kinds[] = {
		{"(*timerCtx)", NODE_TIMER},      {"(*cancelCtx)", NODE_PASSES},
		{"(*valueCtx)", NODE_PASSES},     {"(*stopCtx)", NODE_PASSES},
		{"(*afterFuncCtx)", NODE_PASSES}, {"stopCtx", NODE_PASSES},
		{"backgroundCtx", NODE_ENDS},     {"(*backgroundCtx)", NODE_ENDS},
		{"todoCtx", NODE_ENDS},           {"(*todoCtx)", NODE_ENDS},
		{"emptyCtx", NODE_ENDS},          {"(*emptyCtx)", NODE_ENDS},
		{"withoutCancelCtx", NODE_ENDS},  {"(*withoutCancelCtx)", NODE_ENDS},
	};
	static const char package[] = "context.";

	if (strncmp(method, package, sizeof(package) - 1) != 0)
		return NODE_UNKNOWN;
	method += sizeof(package) - 1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const size_t len = strlen(kinds[i].type);

		if (strncmp(method, kinds[i].type, len) == 0 && method[len] == '.')
			return kinds[i].kind;
	}
	return NODE_UNKNOWN;
}

enum go_chain_end go_chain_deadline(const struct probe_go_chain *c, const struct gopclntab *t, uint64_t bias, uint64_t wall_ns,
				    uint64_t *ret_due)
{
	const uint64_t now_s = wall_ns / NS_PER_S;
	enum node_kind kind = NODE_UNKNOWN;
	uint64_t due = 0;

	for (uint64_t i = 0; i < c->nodes_n && i < PROBE_GO_NODES; i++) {
		const struct probe_go_node *n = &c->nodes[i];
		uint64_t when;

		/* The first may be told without its type: then it is one of the two that Done belongs to. */
		kind = n->method != 0 ? kind_of(go_function(t, bias, n->method)) : i == 0 ? NODE_TIMER : NODE_UNKNOWN;
		if (kind == NODE_ENDS || kind == NODE_UNKNOWN)
			break;
		when = kind == NODE_TIMER ? deadline_in(n, now_s) : 0;
		if (when > wall_ns && (due == 0 || when - wall_ns < due))
			due = when - wall_ns;
	}
	if (due != 0)
		*ret_due = due;
	return due != 0 ? GO_CHAIN_DEADLINE : kind == NODE_ENDS ? GO_CHAIN_NO_DEADLINE : GO_CHAIN_UNKNOWN;
}

int go_conn_fd(const struct probe_go_conn *c, const struct gopclntab *t, uint64_t bias)
{
	static const char own[] = "net.(*", wraps[] = ".Close";

	for (size_t i = 0; i < 2; i++) {
		const char *method = go_function(t, bias, c->method[i]);
		const size_t len = strlen(method);

		if (strncmp(method, own, sizeof(own) - 1) == 0)
			return c->fd[i];
		if (len < sizeof(wraps) - 1 || strcmp(method + len - (sizeof(wraps) - 1), wraps) != 0)
			return -1;
	}
	return -1;
}
