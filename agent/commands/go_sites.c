/* See go_sites.h. Beginnings of functions as Go's compiler makes them for x86-64. */
#include "commands/go_sites.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "attach/loaded.h"

#define CODE_BYTES 32U
#define RETURNS_MAX 32U
#define RET 0xc3

static const struct {
	const char *function;
	enum probe_go_what what;
	enum probe_go_what done; /* at its returns; 0: nothing */
} wanted[] = {
	{.function = "time.newTimer", .what = GO_NEW_TIMER},
	{.function = "time.startTimer", .what = GO_START_TIMER},
	{.function = "time.stopTimer", .what = GO_STOP_TIMER},
	{.function = "time.resetTimer", .what = GO_RESET_TIMER},
	{.function = "internal/poll.runtime_pollSetDeadline", .what = GO_SET_DEADLINE},
	{.function = "net/http.(*persistConn).roundTrip", .what = GO_ROUND_TRIP},
	{.function = "context.(*cancelCtx).Done", .what = GO_DONE},
	{.function = "time.Sleep", .what = GO_SLEEP},
	{.function = "crypto/tls.(*Conn).Write", .what = GO_TLS_WRITE},
	{.function = "crypto/tls.(*Conn).Read", .what = GO_TLS_READ, .done = GO_TLS_READ_DONE},
};

#define PUSH_RBP 0x55

/* Instructions of the check, in their order; any but the comparison and its jump may be missing. */
static const struct {
	uint8_t bytes[4];
	uint8_t bytes_n, len;
	uint8_t step; /* of the check: 0 = how far down the frame reaches, 1 = compare, 2 = jump to get more */
} check[] = {
	{{0x4c, 0x8d, 0x64, 0x24}, 4, 5, 0}, /* lea -0x30(%rsp),%r12 */
	{{0x4c, 0x8d, 0xa4, 0x24}, 4, 8, 0}, /* with a longer distance */
	{{0x49, 0x3b, 0x66, 0x10}, 4, 4, 1}, /* cmp 0x10(%r14),%rsp */
	{{0x4d, 0x3b, 0x66, 0x10}, 4, 4, 1}, /* cmp 0x10(%r14),%r12 */
	{{0x76}, 1, 2, 2},                   /* jbe */
	{{0x0f, 0x86}, 2, 6, 2},
};

int go_site_safe(const uint8_t *code, size_t len)
{
	size_t at = 0;

	for (uint8_t step = 0; step <= 2; step++) {
		bool found = false;

		for (size_t i = 0; !found && i < sizeof(check) / sizeof(check[0]); i++) {
			if (check[i].step != step || at + check[i].len >= len ||
			    memcmp(code + at, check[i].bytes, check[i].bytes_n) != 0)
				continue;
			at += check[i].len;
			found = true;
		}
		if (!found && step != 0 && at != 0)
			return -1;
		if (!found && step == 1) /* a small function has no check */
			break;
	}
	return at < len && code[at] == PUSH_RBP ? (int)at : -1;
}

/* The file, open at `fd`, that a table belongs to. */
struct code {
	const struct gopclntab *table;
	const char *path;
	int fd;
};

static bool code_at(const struct code *c, uint64_t vaddr, uint8_t *to, size_t n, uint64_t *ret_offset)
{
	return loaded_offset(c->path, vaddr, ret_offset) == 0 && *ret_offset <= INT64_MAX &&
	       pread(c->fd, to, n, (off_t)*ret_offset) == (ssize_t)n;
}

/* The returns of the function at `entry` as places. How many; 0 if it has none, or not all of them can be. */
static size_t returns_of(const struct code *c, uint64_t entry, enum probe_go_what what, struct go_site *ret, size_t max)
{
	uint64_t at[RETURNS_MAX];
	const size_t n = gopclntab_frameless(c->table, entry, at, RETURNS_MAX);
	uint8_t byte;

	if (n > RETURNS_MAX || n > max)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!code_at(c, at[i], &byte, 1, &ret[i].offset) || byte != RET)
			return 0;
		ret[i].what = what;
	}
	return n;
}

size_t go_sites_find(const char *path, const struct gopclntab *t, struct go_site ret[GO_SITES_MAX])
{
	const struct code c = {.table = t, .path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
	uint8_t code[CODE_BYTES];
	size_t n = 0;

	for (size_t i = 0; c.fd >= 0 && i < sizeof(wanted) / sizeof(wanted[0]) && n < GO_SITES_MAX; i++) {
		const uint64_t entry = gopclntab_entry(t, wanted[i].function);
		size_t returns = 0;
		uint64_t offset;
		int safe;

		if (entry == 0 || !code_at(&c, entry, code, sizeof(code), &offset) || (safe = go_site_safe(code, sizeof(code))) < 0)
			continue;
		if (wanted[i].done != 0) {
			returns = returns_of(&c, entry, wanted[i].done, ret + n, GO_SITES_MAX - n - 1);
			if (returns == 0)
				continue;
			n += returns;
		}
		ret[n++] = (struct go_site){.what = wanted[i].what, .offset = offset + (uint64_t)safe};
	}
	if (c.fd >= 0)
		close(c.fd);
	return n;
}

static bool has(const struct go_site *sites, size_t n, enum probe_go_what what)
{
	for (size_t i = 0; i < n; i++)
		if (sites[i].what == what)
			return true;
	return false;
}

bool go_sites_whole(const struct gopclntab *t, const struct go_site *sites, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const bool there = wanted[i].what < GO_TLS_WRITE && gopclntab_entry(t, wanted[i].function) != 0;

		if (there && !has(sites, n, wanted[i].what))
			return false;
		any = any || there;
	}
	return any;
}
