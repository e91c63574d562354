/*
 * Names to addresses. The resolver's own sockets bypass the hooks (they are libc's internal calls): only these entry points show
 * that a name was looked up, for how long, and what came out. Any thread of the watched process.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>

#include "preload/fault.h"

#define NAME_MAX_BYTES 255U
#define ADDRESSES_MAX 16U
#define ADDRESS_BYTES 16U

struct answer {
	struct wire_resolve head;
	uint8_t rest[NAME_MAX_BYTES + ADDRESSES_MAX * ADDRESS_BYTES];
	uint32_t found;
};

static void answer_init(struct answer *a, const char *name)
{
	const size_t len = name ? strnlen(name, NAME_MAX_BYTES) : 0;

	a->head = (struct wire_resolve){.name_len = (uint16_t)len};
	a->found = 0;
	if (len)
		memcpy(a->rest, name, len);
}

static void answer_add(struct answer *a, int family, const void *address)
{
	uint8_t *to = a->rest + a->head.name_len + (size_t)a->head.addresses * ADDRESS_BYTES;

	a->found++;
	if (a->head.addresses == ADDRESSES_MAX)
		return;
	if (family == AF_INET6) {
		memcpy(to, address, ADDRESS_BYTES);
	} else {
		memset(to, 0, 10);
		memset(to + 10, 0xff, 2);
		memcpy(to + 12, address, 4);
	}
	a->head.addresses++;
}

static void answer_say(struct call *c, struct answer *a)
{
	const size_t len = sizeof(a->head) + a->head.name_len + (size_t)a->head.addresses * ADDRESS_BYTES;

	c->a0 = a->found;
	emit(c, a, (uint32_t)len, 0);
}

/* A number is no name: it is looked up nowhere. */
static bool is_name(const char *name)
{
	uint8_t address[16];

	return name && *name && inet_pton(AF_INET, name, address) != 1 && inet_pton(AF_INET6, name, address) != 1;
}

static void resolve_begin(struct call *c, const char *name)
{
	call_waits(c, -1);
	call_begin(c);
	if (is_name(name))
		fault_resolve();
}

HOOK_FN(int, getaddrinfo, const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	struct answer a;
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_RESOLVE, -1))
		return REAL(getaddrinfo)(name, service, hints, list);
	resolve_begin(&c, name);
	r = REAL(getaddrinfo)(name, service, hints, list);
	call_end(&c, r, r == EAI_SYSTEM);
	/* Nothing is looked up by those who only ask whether it is a number. */
	answer_init(&a, hints && (hints->ai_flags & AI_NUMERICHOST) ? NULL : name);
	for (const struct addrinfo *i = r == 0 ? *list : NULL; i; i = i->ai_next) {
		if (i->ai_family == AF_INET)
			answer_add(&a, AF_INET, &((const struct sockaddr_in *)(const void *)i->ai_addr)->sin_addr);
		else if (i->ai_family == AF_INET6)
			answer_add(&a, AF_INET6, &((const struct sockaddr_in6 *)(const void *)i->ai_addr)->sin6_addr);
	}
	answer_say(&c, &a);
	return r;
}

static void host_say(struct call *c, const char *name, const struct hostent *host, int code)
{
	struct answer a;

	call_end(c, host ? 0 : code ? code : -1, false);
	answer_init(&a, name);
	for (char **p = host ? host->h_addr_list : NULL; p && *p; p++)
		answer_add(&a, host->h_addrtype, *p);
	answer_say(c, &a);
}

#define HOST(name, real) \
	do { \
		struct call c; \
		struct hostent *r; \
\
		if (!call_enter(&c, WIRE_RESOLVE, -1)) \
			return real; \
		resolve_begin(&c, name); \
		r = real; \
		host_say(&c, name, r, h_errno); \
		return r; \
	} while (0)

/* `code` is where the call leaves its reason; like errno it is kept. */
#define HOST_R(name, result, code, real) \
	do { \
		struct call c; \
		int r; \
\
		if (!call_enter(&c, WIRE_RESOLVE, -1)) \
			return real; \
		resolve_begin(&c, name); \
		r = real; \
		host_say(&c, name, r == 0 ? *(result) : NULL, *(code)); \
		return r; \
	} while (0)

HOOK_FN(struct hostent *, gethostbyname, const char *name)
{
	HOST(name, REAL(gethostbyname)(name));
}

HOOK_FN(struct hostent *, gethostbyname2, const char *name, int family)
{
	HOST(name, REAL(gethostbyname2)(name, family));
}

HOOK_FN(struct hostent *, gethostbyaddr, const void *address, socklen_t len, int family)
{
	HOST(NULL, REAL(gethostbyaddr)(address, len, family));
}

HOOK_FN(int, gethostbyname_r, const char *name, struct hostent *host, char *buf, size_t n, struct hostent **result, int *code)
{
	HOST_R(name, result, code, REAL(gethostbyname_r)(name, host, buf, n, result, code));
}

HOOK_FN(int, gethostbyname2_r, const char *name, int family, struct hostent *host, char *buf, size_t n, struct hostent **result,
	int *code)
{
	HOST_R(name, result, code, REAL(gethostbyname2_r)(name, family, host, buf, n, result, code));
}

HOOK_FN(int, gethostbyaddr_r, const void *address, socklen_t len, int family, struct hostent *host, char *buf, size_t n,
	struct hostent **result, int *code)
{
	HOST_R(NULL, result, code, REAL(gethostbyaddr_r)(address, len, family, host, buf, n, result, code));
}

/* The other direction, and the resolver's raw interface: the wait counts, the answer is not read. */
#define PLAIN(name, failed, real) \
	do { \
		struct answer a; \
		struct call c; \
		int r; \
\
		if (!call_enter(&c, WIRE_RESOLVE, -1)) \
			return real; \
		resolve_begin(&c, name); \
		r = real; \
		call_end(&c, r, failed); \
		answer_init(&a, name); \
		answer_say(&c, &a); \
		return r; \
	} while (0)

HOOK_FN(int, getnameinfo, const struct sockaddr *address, socklen_t len, char *host, socklen_t host_len, char *service,
	socklen_t service_len, int flags)
{
	/* Numbers alone are not looked up anywhere. */
	if ((flags & NI_NUMERICHOST) || !host)
		return REAL(getnameinfo)(address, len, host, host_len, service, service_len, flags);
	PLAIN(NULL, r == EAI_SYSTEM, REAL(getnameinfo)(address, len, host, host_len, service, service_len, flags));
}

HOOK_FN(int, res_query, const char *name, int class, int type, unsigned char *answer, int n)
{
	PLAIN(name, r < 0, REAL(res_query)(name, class, type, answer, n));
}
HOOK_ALIAS(__res_query, res_query);

HOOK_FN(int, res_search, const char *name, int class, int type, unsigned char *answer, int n)
{
	PLAIN(name, r < 0, REAL(res_search)(name, class, type, answer, n));
}
HOOK_ALIAS(__res_search, res_search);

HOOK_FN(int, res_nquery, res_state state, const char *name, int class, int type, unsigned char *answer, int n)
{
	PLAIN(name, r < 0, REAL(res_nquery)(state, name, class, type, answer, n));
}
HOOK_ALIAS(__res_nquery, res_nquery);

HOOK_FN(int, res_nsearch, res_state state, const char *name, int class, int type, unsigned char *answer, int n)
{
	PLAIN(name, r < 0, REAL(res_nsearch)(state, name, class, type, answer, n));
}
HOOK_ALIAS(__res_nsearch, res_nsearch);
