/*
 * tls_watch.c: what goes through a library that is part of this program comes out of ingest as the shim would say it, the session's handshake in
 * front; where nothing can be loaded, the report is told why.
 */
#include "commands/tls_watch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/counters.h"
#include "probes/probes.h"
#include "test.h"
#include "tls_library.h"
#include "wire/tls.h"

struct seen {
	char order[256]; /* of events */
	char text[16], note[512];
	uint64_t hello, session;
	uint32_t pid;
};

static void see(void *ctx, const struct event *e)
{
	struct seen *s = ctx;
	const bool ours = e->id == WIRE_TLS_HELLO || e->id == WIRE_TLS_READ || e->id == WIRE_TLS_END || e->id == WIRE_SOURCE_INFO;
	const size_t len = strlen(s->order);

	if (!ours)
		return;
	snprintf(s->order + len, sizeof(s->order) - len, "%s ", event_name(e->id));
	s->pid = e->pid;
	if (e->id == WIRE_TLS_HELLO)
		s->hello = e->a0;
	if (e->id == WIRE_TLS_READ)
		snprintf(s->text, sizeof(s->text), "%.*s", (int)e->data_len, (const char *)e->data);
	if (e->id == WIRE_SOURCE_INFO)
		snprintf(s->note, sizeof(s->note), "%.*s", (int)e->data_len, (const char *)e->data);
	else
		s->session = e->a1;
}

static void plaintext_becomes_events(void **state)
{
	const struct ingest_options o = {.process_max = 4, .thread_max = 4};
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"exec /proc/self/exe; cat /nowhere", NULL};
	char session[512], buffer[16], why[256];
	struct counters counters = {0};
	struct seen s = {.pid = 0};
	struct tls_watch *w;
	struct ingest *in;

	(void)state;
	memset(session, 7, sizeof(session));
	assert_int_equal(ingest_new(&o, NULL, &counters, &in), 0);
	assert_int_equal(ingest_adopt(in, (uint32_t)getpid()), 0);
	w = tls_watch_new(in);
	assert_non_null(w);
	tls_watch_expect(w, argv);
	tls_watch_process(w, getpid());
	tls_watch_process(w, getpid());
	for (int i = 0; i < 2; i++)
		assert_int_equal(SSL_read(session, buffer, sizeof(buffer)), 5);
	SSL_free(session);
	ingest_poll(in, true, see, &s, &(unsigned int){0});
	if (probes_check(why, sizeof(why)) == 0) {
		assert_string_equal(s.order, "TLS_HELLO TLS_READ TLS_READ TLS_END ");
		assert_string_equal(s.text, LIBRARY_GIVES);
		assert_true(s.hello == wire_tls_random((const uint8_t *)session + LIBRARY_RANDOM_AT));
		assert_true(s.session == (uintptr_t)session);
	} else {
		print_message("%s\n", s.note);
		assert_string_equal(s.order, "SOURCE_INFO ");
		assert_non_null(strstr(s.note, why));
	}
	assert_int_equal(s.pid, getpid());
	tls_watch_free(w);
	ingest_poll(in, true, see, &s, &(unsigned int){0}); /* nobody is asked any more */
	ingest_free(in);
}

static void without_memory(void **state)
{
	char *argv[] = {(char *)"sh", NULL};

	(void)state;
	tls_watch_expect(NULL, argv);
	tls_watch_process(NULL, getpid());
	tls_watch_free(NULL);
}

TEST_MAIN(cmocka_unit_test(plaintext_becomes_events), cmocka_unit_test(without_memory))
