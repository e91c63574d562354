/*
 * The table of transports.
 */
#include "exporters/otlp_transport.h"

static const struct otlp_transport *const transports[] = {
	[OTLP_HTTP_PROTOBUF] = &otlp_over_http,
	[OTLP_HTTP_JSON] = &otlp_over_http,
	[OTLP_GRPC] = &otlp_over_grpc,
	[OTLP_FILE] = &otlp_into_file,
};

const struct otlp_transport *otlp_transport_of(enum otlp_protocol protocol)
{
	return transports[protocol];
}

bool otlp_is_json(enum otlp_protocol protocol)
{
	return protocol == OTLP_HTTP_JSON || protocol == OTLP_FILE;
}
