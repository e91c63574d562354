/* Every protocol has a transport, and JSON is what is sent where it is said. */
#include "test.h"

#include "exporters/otlp_transport.h"

static void table(void **state)
{
	(void)state;
	assert_ptr_equal(otlp_transport_of(OTLP_HTTP_PROTOBUF), &otlp_over_http);
	assert_ptr_equal(otlp_transport_of(OTLP_HTTP_JSON), &otlp_over_http);
	assert_ptr_equal(otlp_transport_of(OTLP_GRPC), &otlp_over_grpc);
	assert_ptr_equal(otlp_transport_of(OTLP_FILE), &otlp_into_file);
	assert_false(otlp_is_json(OTLP_HTTP_PROTOBUF));
	assert_false(otlp_is_json(OTLP_GRPC));
	assert_true(otlp_is_json(OTLP_HTTP_JSON));
	assert_true(otlp_is_json(OTLP_FILE));
}

TEST_MAIN(cmocka_unit_test(table))
