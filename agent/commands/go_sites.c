/* See go_sites.h. Beginnings of functions as Go's compiler makes them for x86-64. */
#include "commands/go_sites.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "attach/loaded.h"

#define CODE_BYTES 32U

static const struct {
	const char *function;
	enum probe_go_what what;
} wanted[] = {
	{"time.newTimer", GO_NEW_TIMER},
	{"time.startTimer", GO_START_TIMER},
	{"time.stopTimer", GO_STOP_TIMER},
	{"time.resetTimer", GO_RESET_TIMER},
	{"internal/poll.runtime_pollSetDeadline", GO_SET_DEADLINE},
	{"net/http.(*persistConn).roundTrip", GO_ROUND_TRIP},
	{"context.(*cancelCtx).Done", GO_DONE},
	{"time.Sleep", GO_SLEEP},
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

size_t go_sites_find(const char *path, const struct gopclntab *t, struct go_site ret[GO_SITES_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t code[CODE_BYTES];
	size_t n = 0;

	for (size_t i = 0; fd >= 0 && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const uint64_t entry = gopclntab_entry(t, wanted[i].function);
		uint64_t offset;
		int safe;

		if (entry == 0 || loaded_offset(path, entry, &offset) < 0 || offset > INT64_MAX ||
		    pread(fd, code, sizeof(code), (off_t)offset) != (ssize_t)sizeof(code) ||
		    (safe = go_site_safe(code, sizeof(code))) < 0)
			continue;
		ret[n++] = (struct go_site){.what = wanted[i].what, .offset = offset + (uint64_t)safe};
	}
	if (fd >= 0)
		close(fd);
	return n;
}
