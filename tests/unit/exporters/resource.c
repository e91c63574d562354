/* The resource: who wins, what is never there. */
#include "test.h"

#include <stdlib.h>

#include "exporters/environment.h"
#include "exporters/resource.h"

static struct resource *resource;
static char warning[256];

static void make(struct resource_input in)
{
	in.env = env_of_test;
	assert_int_equal(resource_new(&in, &resource, warning, sizeof warning), 0);
}

static void names_of_the_service(void **state)
{
	(void)state;
	ENVIRONMENT();
	make((struct resource_input){.exe = "/usr/bin/shop"});
	assert_string_equal(resource_text(resource, "service.name"), "unknown_service:shop");
	resource_free(resource);
	make((struct resource_input){0});
	assert_string_equal(resource_text(resource, "service.name"), "unknown_service");
	resource_free(resource);
	ENVIRONMENT("OTEL_RESOURCE_ATTRIBUTES", "service.name=attr");
	make((struct resource_input){.exe = "/usr/bin/shop"});
	assert_string_equal(resource_text(resource, "service.name"), "attr");
	resource_free(resource);
	ENVIRONMENT("OTEL_RESOURCE_ATTRIBUTES", "service.name=attr", "OTEL_SERVICE_NAME", "env");
	make((struct resource_input){.exe = "/usr/bin/shop"});
	assert_string_equal(resource_text(resource, "service.name"), "env");
	resource_free(resource);
	make((struct resource_input){.service = "flag"});
	assert_string_equal(resource_text(resource, "service.name"), "flag");
	resource_free(resource);
}

static void attributes(void **state)
{
	(void)state;
	ENVIRONMENT("OTEL_RESOURCE_ATTRIBUTES", "team=a%20b,host.name=given,telemetry.sdk.name=evil", "K8S_POD_NAME", "pod-1");
	make((struct resource_input){.exe = "/usr/bin/shop", .pid = 42, .start_ns = 1700000000000000000ULL});
	assert_string_equal(warning, "");
	assert_string_equal(resource_text(resource, "team"), "a b");
	assert_string_equal(resource_text(resource, "host.name"), "given");
	assert_string_equal(resource_text(resource, "k8s.pod.name"), "pod-1");
	assert_string_equal(resource_text(resource, "telemetry.sdk.name"), "gapscope");
	assert_string_equal(resource_text(resource, "telemetry.sdk.language"), "c");
	assert_non_null(resource_text(resource, "telemetry.sdk.version"));
	assert_string_equal(resource_text(resource, "process.creation.time"), "2023-11-14T22:13:20.000Z");
	assert_null(resource_text(resource, "process.command_line"));
	bool pid = false;
	for (size_t i = 0; i < resource->attrs_n; i++) {
		pid = pid || (strcmp(resource->attrs[i].key, "process.pid") == 0 && resource->attrs[i].i == 42);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(resource->attrs[i].key, resource->attrs[k].key);
	}
	assert_true(pid);
	resource_free(resource);
}

static void any_error_discards_the_whole_value(void **state)
{
	(void)state;
	ENVIRONMENT("OTEL_RESOURCE_ATTRIBUTES", "team=a,bad");
	make((struct resource_input){.exe = "/x"});
	assert_null(resource_text(resource, "team"));
	assert_non_null(strstr(warning, "OTEL_RESOURCE_ATTRIBUTES"));
	resource_free(resource);
}

static void instances(void **state)
{
	(void)state;
	char first[64];
	ENVIRONMENT();
	make((struct resource_input){0});
	const char *id = resource_text(resource, "service.instance.id");
	assert_int_equal(strlen(id), 36);
	assert_int_equal(id[14], '4');
	assert_non_null(strchr("89ab", id[19]));
	strcpy(first, id);
	resource_free(resource);
	make((struct resource_input){0});
	assert_string_not_equal(resource_text(resource, "service.instance.id"), first);
	resource_free(resource);
	make((struct resource_input){.instance_id = "given"});
	assert_string_equal(resource_text(resource, "service.instance.id"), "given");
	resource_free(resource);
	resource_free(NULL);
}

TEST_MAIN(cmocka_unit_test(names_of_the_service), cmocka_unit_test(attributes),
	  cmocka_unit_test(any_error_discards_the_whole_value), cmocka_unit_test(instances))
