/* See go_purpose.h. */
#include "commands/go_purpose.h"

#include <string.h>

#include "commands/go_context.h"

enum go_purpose go_purpose_named(const char *name)
{
	static const struct {
		const char *function; /* the beginning of its name */
		enum go_purpose purpose;
	} known[] = {
		{"net/http.(*persistConn).roundTrip", GO_FOR_HEAD},       /* ResponseHeaderTimeout */
		{"net/http.(*Transport).tryPutIdleConn", GO_FOR_NOTHING}, /* of connections that nobody uses */
		{"net/http.(*persistConn).closeConnIfStillIdle", GO_FOR_NOTHING},
		{"net/http.(*persistConn).addTLS", GO_FOR_NOTHING},
		{"net/http.(*http2", GO_FOR_NOTHING},
		{"net.(*sysDialer).dialParallel", GO_FOR_NOTHING}, /* when to try the next address */
		{"database/sql.(*DB).connectionCleaner", GO_FOR_NOTHING},
		{"os/signal.", GO_FOR_NOTHING},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(name, known[i].function, strlen(known[i].function)) == 0)
			return known[i].purpose;
	return GO_FOR_ANYTHING;
}

enum go_purpose go_purpose_of(const struct gopclntab *t, uint64_t bias, const uint64_t *callers, size_t n)
{
	enum go_purpose p = GO_FOR_ANYTHING;

	for (size_t i = 0; i < n && callers[i] != 0 && p == GO_FOR_ANYTHING; i++)
		p = go_purpose_named(go_function(t, bias, callers[i] - 1));
	return p;
}
