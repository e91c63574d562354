/* Log sinks and matches: names of sinks, and that their bytes are no protocol's. */
#include "test.h"

#include "model/witness.h"

static void names(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "log match data");
	script_log(&s, 1, 2, 80);
	script_log(&s, 2, 1, 30);
	script_open(&s, 7, "/var/log/app.log", O_WRONLY | O_APPEND);
	script_log(&s, 7, 1, 10);
	script_dup(&s, 7, 9, 0);
	script_log(&s, 9, 1, 11);
	script_dup(&s, 7, 2, 0); /* stderr goes to the file now, but it is stderr that the program writes to */
	script_log(&s, 2, 1, 12);
	script_dup(&s, 1, 12, 0);
	script_log(&s, 12, 1, 13);
	script_log(&s, 20, 1, 14);
	script_syslog(&s, 1, 15);
	witness_is(&w, "log stdout 2 lines 80 bytes\nlog stderr 1 lines 30 bytes\nlog /var/log/app.log 1 lines 10 bytes\n"
		       "log /var/log/app.log 1 lines 11 bytes\nlog stderr 1 lines 12 bytes\nlog stdout 1 lines 13 bytes\n"
		       "log other 1 lines 14 bytes\nlog syslog 1 lines 15 bytes\n");
	assert_true(model_conn(s.model, 100, 7)->is_sink);
	script_match(&s, 7, "file", "EMAIL", "a***@b.test", 99);
	script_match(&s, -1, "journal", "CREDIT_CARD", "4111 11** **** 1111", 98);
	witness_is(&w, "match /var/log/app.log EMAIL a***@b.test 99\nmatch journal CREDIT_CARD 4111 11** **** 1111 98\n");
	script_socket_of(&s, 30, AF_INET, SOCK_DGRAM);
	script_match(&s, 30, "gelf", "PASSWORD", "Tr••••", 97);
	witness_is(&w, "match gelf PASSWORD Tr•••• 97\n");
	script_done(&s);
}

static void stdio_and_journal(void **state)
{
	struct script s;
	struct witness w;
	struct event_sink sink = {.lines = 3, .total = 50, .scanned = 40};

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "log");
	struct event e = {.id = WIRE_STDIO,
			  .fd = 1,
			  .flags = WIRE_F_SINK,
			  .a0 = 50,
			  .data = (const uint8_t *)&sink,
			  .data_len = sizeof(sink)};
	script_event(&s, e);
	assert_int_equal(model_conn(s.model, 100, 1)->bytes_out, 50);
	e.flags = 0; /* not a log */
	script_event(&s, e);
	e = (struct event){.id = WIRE_JOURNAL, .fd = -1, .data = (const uint8_t *)&sink, .data_len = sizeof(sink)};
	script_event(&s, e);
	witness_is(&w, "log stdout 3 lines 50 bytes\nlog journal 3 lines 50 bytes\n");
	script_done(&s);
}

static void records_too_short_say_nothing(void **state)
{
	struct script s;
	struct witness w;
	uint8_t data[sizeof(struct event_match)];

	(void)state;
	script_init(&s);
	memset(data, 'x', sizeof(data));
	witness_init(&w, s.model, "log match");
	script_event(&s, (struct event){.id = WIRE_WRITE, .fd = 1, .flags = WIRE_F_SINK, .ret = 5, .data = data, .data_len = 5});
	script_event(&s, (struct event){.id = WIRE_MATCH, .fd = 1, .data = data, .data_len = sizeof(data) - 1});
	witness_is(&w, "");
	/* Texts without a terminator get one. */
	script_event(&s, (struct event){.id = WIRE_MATCH, .fd = 1, .a0 = 1, .data = data, .data_len = sizeof(data)});
	assert_int_equal(w.len, strlen("match stdout ") + 23 + 1 + 63 + 1 + 2);
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(names), cmocka_unit_test(stdio_and_journal), cmocka_unit_test(records_too_short_say_nothing))
