/*
 * Plaintext of TLS libraries: OpenSSL (1.1 and 3) and GnuTLS. Any thread of the watched process.
 *
 * A record says which bytes went through which session of the library. The agent ties the session to a connection: by the reads and
 * writes that the library makes inside of our call, or, where it works in memory, by the first bytes of the handshake (wire/tls.h).
 * No function of a library is called here but the one that was meant, and those that say what lies in a BIO of memory.
 */
#include <dlfcn.h>
#include <sys/types.h>

#include "preload/patch.h"
#include "wire/tls.h"

#define BIO_MEMORY 0x401     /* BIO_TYPE_MEM */
#define BIO_DESCRIPTOR 0x100 /* BIO_TYPE_DESCRIPTOR, a bit: it reads and writes by itself */
#define BIO_INFO 3           /* BIO_CTRL_INFO: of memory, the bytes that wait and where */
#define RANDOM_BYTES 32U     /* of a client, RFC 8446, 4.1.2 */
#define INTRODUCED 1024U

static struct {
	void *(*rbio)(const void *ssl);
	void *(*wbio)(const void *ssl);
	int (*type)(const void *bio);
	long (*control)(void *bio, int what, long arg, void *more);
	size_t (*client_random)(const void *ssl, uint8_t *to, size_t size);
} openssl;

/* Sessions whose client's random bytes were told; two that share a place tell theirs anew, which harms nobody. */
static _Atomic uintptr_t introduced[INTRODUCED];

static _Atomic uintptr_t *introduction(const void *ssl)
{
	return &introduced[((uintptr_t)ssl >> 4) % INTRODUCED];
}

void patch_found(void *library)
{
	if (!dlsym(library, "SSL_get_rbio"))
		return;
	openssl.rbio = (void *(*)(const void *))dlsym(library, "SSL_get_rbio");
	openssl.wbio = (void *(*)(const void *))dlsym(library, "SSL_get_wbio");
	openssl.type = (int (*)(const void *))dlsym(library, "BIO_method_type");
	openssl.control = (long (*)(void *, int, long, void *))dlsym(library, "BIO_ctrl");
	openssl.client_random = (size_t(*)(const void *, uint8_t *, size_t))dlsym(library, "SSL_get_client_random");
}

/* What waits in a BIO of memory, if it begins a handshake. */
static uint64_t hello_in(void *bio)
{
	const uint8_t *bytes = NULL;
	long len;

	if (!bio || !openssl.type || !openssl.control || openssl.type(bio) != BIO_MEMORY)
		return 0;
	len = openssl.control(bio, BIO_INFO, 0, (void *)&bytes);
	return len > 0 && bytes ? wire_tls_hello(bytes, (size_t)len) : 0;
}

/* A session of OpenSSL that shakes hands inside of its reads and keeps its bytes in memory of the program's own making (Node does both): nothing of
 * its handshake was seen, but the session knows the client's random bytes. `c`: the call that moved its first data. */
static void introduce(const struct call *c, const void *ssl)
{
	struct call hello = *c;
	uint8_t random[RANDOM_BYTES];

	if (atomic_load_explicit(introduction(ssl), memory_order_relaxed) == (uintptr_t)ssl)
		return;
	atomic_store_explicit(introduction(ssl), (uintptr_t)ssl, memory_order_relaxed);

	const void *const bio = openssl.rbio ? openssl.rbio(ssl) : NULL;

	if (!bio || !openssl.type || (openssl.type(bio) & BIO_DESCRIPTOR) || !openssl.client_random ||
	    openssl.client_random(ssl, random, sizeof(random)) != sizeof(random))
		return;
	hello.event = WIRE_TLS_HELLO;
	hello.a0 = wire_tls_random(random);
	hello.a1 = (uintptr_t)ssl;
	hello.ret = 1;
	emit(&hello, NULL, 0, 0);
}

/* `moved` is an expression for the bytes that r says were moved; `first` is said before them. */
#define TLS_CALL(kind, session, buf, real, moved, first) \
	do { \
		struct call c; \
		ssize_t bytes; \
		__typeof__(real) r; \
\
		if (!call_enter(&c, kind, -1)) \
			return real; \
		call_begin(&c); \
		r = real; \
		bytes = (ssize_t)(moved); \
		if (bytes > 0) { \
			call_end(&c, bytes, false); \
			first; \
			const uint32_t want = call_want(shim.header->policy_socket, (uint64_t)bytes); \
\
			c.a1 = (uintptr_t)(session); \
			emit(&c, buf, want, want); \
		} \
		return r; \
	} while (0)

PATCH_FN(int, SSL_read, void *ssl, void *buf, int n)
{
	TLS_CALL(WIRE_TLS_READ, ssl, buf, PATCHED(SSL_read)(ssl, buf, n), r, introduce(&c, ssl));
}

PATCH_FN(int, SSL_read_ex, void *ssl, void *buf, size_t n, size_t *ret_n)
{
	TLS_CALL(WIRE_TLS_READ, ssl, buf, PATCHED(SSL_read_ex)(ssl, buf, n, ret_n), r == 1 ? *ret_n : 0, introduce(&c, ssl));
}

PATCH_FN(int, SSL_write, void *ssl, const void *buf, int n)
{
	TLS_CALL(WIRE_TLS_WRITE, ssl, buf, PATCHED(SSL_write)(ssl, buf, n), r, introduce(&c, ssl));
}

PATCH_FN(int, SSL_write_ex, void *ssl, const void *buf, size_t n, size_t *ret_n)
{
	TLS_CALL(WIRE_TLS_WRITE, ssl, buf, PATCHED(SSL_write_ex)(ssl, buf, n, ret_n), r == 1 ? *ret_n : 0, introduce(&c, ssl));
}

PATCH_FN(ssize_t, gnutls_record_recv, void *session, void *buf, size_t n)
{
	TLS_CALL(WIRE_TLS_READ, session, buf, PATCHED(gnutls_record_recv)(session, buf, n), r, (void)0);
}

PATCH_FN(ssize_t, gnutls_record_send, void *session, const void *buf, size_t n)
{
	TLS_CALL(WIRE_TLS_WRITE, session, buf, PATCHED(gnutls_record_send)(session, buf, n), r, (void)0);
}

/* A server finds its client's hello before the call, a client its own behind it. */
#define TLS_HANDSHAKE(ssl, real) \
	do { \
		struct call c; \
		int r; \
\
		if (!call_enter(&c, WIRE_TLS_HELLO, -1)) \
			return real; \
		call_begin(&c); \
		c.a0 = openssl.rbio ? hello_in(openssl.rbio(ssl)) : 0; \
		r = real; \
		if (!c.a0 && openssl.wbio) \
			c.a0 = hello_in(openssl.wbio(ssl)); \
		if (c.a0) { \
			call_end(&c, r, false); \
			c.a1 = (uintptr_t)(ssl); \
			atomic_store_explicit(introduction(ssl), (uintptr_t)(ssl), memory_order_relaxed); \
			emit(&c, NULL, 0, 0); \
		} \
		return r; \
	} while (0)

PATCH_FN(int, SSL_do_handshake, void *ssl)
{
	TLS_HANDSHAKE(ssl, PATCHED(SSL_do_handshake)(ssl));
}

PATCH_FN(int, SSL_connect, void *ssl)
{
	TLS_HANDSHAKE(ssl, PATCHED(SSL_connect)(ssl));
}

PATCH_FN(int, SSL_accept, void *ssl)
{
	TLS_HANDSHAKE(ssl, PATCHED(SSL_accept)(ssl));
}

/* Told before: another thread may get the same address at once. */
#define TLS_FREE(session, real) \
	do { \
		struct call c; \
\
		if ((session) && call_enter(&c, WIRE_TLS_END, -1)) { \
			call_begin(&c); \
			call_end(&c, 0, false); \
			c.a1 = (uintptr_t)(session); \
			emit(&c, NULL, 0, 0); \
		} \
		real; \
	} while (0)

PATCH_FN(void, SSL_free, void *ssl)
{
	if (ssl && atomic_load_explicit(introduction(ssl), memory_order_relaxed) == (uintptr_t)ssl)
		atomic_store_explicit(introduction(ssl), 0, memory_order_relaxed);
	TLS_FREE(ssl, PATCHED(SSL_free)(ssl));
}

PATCH_FN(void, gnutls_deinit, void *session)
{
	TLS_FREE(session, PATCHED(gnutls_deinit)(session));
}
