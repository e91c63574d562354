/*
 * tls.c in the running kernel: what a library that is part of this program gives out is told once the process is watched, with what the session
 * says of itself. Where probes cannot be loaded, the reason must be said.
 */
#include "probes/tls.h"

#include <link.h>
#include <string.h>
#include <unistd.h>

#include "test.h"
#include "tls_library.h"

extern const char library_read_returns[];

struct place {
	uint64_t address, offset;
};

static int find(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct place *p = ctx;

	(void)size;
	for (unsigned int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		const uint64_t start = info->dlpi_addr + h->p_vaddr;

		if (h->p_type != PT_LOAD || p->address < start || p->address - start >= h->p_filesz)
			continue;
		p->offset = p->address - start + h->p_offset;
		return 1;
	}
	return 0;
}

static uint64_t in_file(uintptr_t address)
{
	struct place p = {.address = address};

	assert_int_equal(dl_iterate_phdr(find, &p), 1);
	return p.offset;
}

struct seen {
	struct tls_said last;
	char text[16];
	unsigned int n;
};

static void see(void *ctx, const struct tls_said *said, const uint8_t *data)
{
	struct seen *s = ctx;

	s->last = *said;
	s->n++;
	assert_true(said->data_len < sizeof(s->text));
	memcpy(s->text, data, said->data_len);
	s->text[said->data_len] = '\0';
}

static void what_the_library_gives_out(void **state)
{
	struct tls_probes *p = NULL;
	struct seen s = {.n = 0};
	char session[512], buffer[16] = "", why[256] = "";

	(void)state;
	memset(session, 7, sizeof(session));
	if (tls_probes_open(&p, why, sizeof(why)) < 0) {
		assert_null(p);
		assert_true(why[0] != '\0');
		print_message("no probes here: %s\n", why);
		/* A root's probes must load on the machines that this is tested on. */
		assert_true(geteuid() != 0 || access("/sys/kernel/btf/vmlinux", R_OK) != 0 || strstr(why, "CAP_BPF") != NULL);
		skip();
	}

	const uint64_t cookie = TLS_PROBE_READ | LIBRARY_RANDOM_AT << TLS_PROBE_RANDOM_SHIFT;

	assert_int_equal(tls_probes_stand(p, "/proc/self/exe", in_file((uintptr_t)SSL_read), cookie), 0);
	assert_int_equal(tls_probes_stand(p, "/proc/self/exe", in_file((uintptr_t)library_read_returns), cookie | TLS_PROBE_DONE),
			 0);
	assert_int_equal(tls_probes_stand(p, "/proc/self/exe", in_file((uintptr_t)SSL_free), TLS_PROBE_FREE), 0);
	assert_true(tls_probes_stand(p, "/no/such/file", 0, cookie) < 0);
	/* Nobody is watched yet. */
	assert_int_equal(SSL_read(session, buffer, sizeof(buffer)), 5);
	tls_probes_read(p, see, &s);
	assert_int_equal(s.n, 0);
	assert_int_equal(tls_probes_watch(p, (uint32_t)getpid()), 0);
	assert_int_equal(SSL_read(session, buffer, sizeof(buffer)), 5);
	tls_probes_read(p, see, &s);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.text, LIBRARY_GIVES);
	assert_string_equal(buffer, LIBRARY_GIVES);
	assert_int_equal(s.last.what, TLS_PROBE_READ);
	assert_int_equal(s.last.tgid, getpid());
	assert_int_equal(s.last.bytes, 5);
	assert_true(s.last.session == (uintptr_t)session && s.last.t0 <= s.last.t1);
	assert_memory_equal(s.last.random, session + LIBRARY_RANDOM_AT, TLS_RANDOM);
	SSL_free(session);
	tls_probes_read(p, see, &s);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.last.what, TLS_PROBE_FREE);
	assert_int_equal(tls_probes_count(p, TLS_TOLD), 2);
	assert_int_equal(tls_probes_count(p, TLS_FULL) + tls_probes_count(p, TLS_UNREADABLE), 0);
	tls_probes_free(p);
	/* They are gone with their owner, and the library is as it was. */
	assert_int_equal(SSL_read(session, buffer, sizeof(buffer)), 5);
	tls_probes_free(NULL);
}

TEST_MAIN(cmocka_unit_test(what_the_library_gives_out))
