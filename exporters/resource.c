/*
 * The resource: attributes in one growing list, later ones of a key replacing earlier ones. Made once, then read only: any thread.
 */
#include "exporters/resource.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "exporters/otlp_env_parse.h"
#include "report/findings.h"
#include "report/text.h"

#define RESOURCE_ATTRS_MAX 128U /* OTEL_ATTRIBUTE_COUNT_LIMIT's default */

struct store {
	struct resource resource; /* first: what callers hold */
	struct attr attrs[RESOURCE_ATTRS_MAX];
	int error;
};

static struct attr *slot(struct store *s, const char *key)
{
	size_t n = s->resource.attrs_n;
	for (size_t i = 0; i < n; i++)
		if (strcmp(s->attrs[i].key, key) == 0)
			return &s->attrs[i];
	if (n == RESOURCE_ATTRS_MAX)
		return NULL;
	char *copy = strdup(key);
	if (copy == NULL) {
		s->error = -ENOMEM;
		return NULL;
	}
	s->attrs[n] = (struct attr){.key = copy, .type = ATTR_INT};
	s->resource.attrs_n++;
	return &s->attrs[n];
}

static void put_text(struct store *s, const char *key, const char *value)
{
	char clean[1024];
	if (value == NULL || value[0] == '\0')
		return;
	struct attr *a = slot(s, key);
	char *copy = strdup(text_clean(value, clean, sizeof clean));
	if (a == NULL || copy == NULL) {
		s->error = copy == NULL ? -ENOMEM : s->error;
		free(copy);
		return;
	}
	if (a->type == ATTR_STRING)
		free((char *)a->s);
	a->type = ATTR_STRING;
	a->s = copy;
}

static void put_int(struct store *s, const char *key, int64_t value)
{
	struct attr *a = slot(s, key);
	if (a == NULL)
		return;
	if (a->type == ATTR_STRING)
		free((char *)a->s);
	a->type = ATTR_INT;
	a->i = value;
}

static void put_pair(void *ctx, const char *key, const char *value)
{
	put_text(ctx, key, value);
}

static void ignore_pair(void *ctx, const char *key, const char *value)
{
	(void)ctx;
	(void)key;
	(void)value;
}

/* A random UUID, version 4 (RFC 9562). */
static void put_instance(struct store *s)
{
	uint8_t b[16];
	char text[37];
	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		return;
	b[6] = (uint8_t)((b[6] & 0x0fU) | 0x40U);
	b[8] = (uint8_t)((b[8] & 0x3fU) | 0x80U);
	snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
		 b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	put_text(s, "service.instance.id", text);
}

static void put_process(struct store *s, const struct resource_input *in)
{
	char text[32];
	const char *base = in->exe != NULL ? strrchr(in->exe, '/') : NULL;
	put_text(s, "process.executable.name", base != NULL ? base + 1 : in->exe);
	if (in->pid != 0)
		put_int(s, "process.pid", in->pid);
	if (in->start_ns != 0)
		put_text(s, "process.creation.time", time_text(in->start_ns, text, sizeof text));
}

static void put_host(struct store *s, env_fn env)
{
	/* what the downward API of Kubernetes is customarily mapped to */
	static const struct {
		const char *variable, *key;
	} k8s[] = {
		{"K8S_NAMESPACE_NAME", "k8s.namespace.name"},
		{"K8S_POD_NAME", "k8s.pod.name"},
		{"K8S_POD_UID", "k8s.pod.uid"},
		{"K8S_NODE_NAME", "k8s.node.name"},
		{"K8S_CONTAINER_NAME", "k8s.container.name"},
		{"K8S_DEPLOYMENT_NAME", "k8s.deployment.name"},
	};
	char host[256] = "";
	if (gethostname(host, sizeof host - 1) == 0)
		put_text(s, "host.name", host);
#if defined(__x86_64__)
	put_text(s, "host.arch", "amd64");
#elif defined(__aarch64__)
	put_text(s, "host.arch", "arm64");
#endif
	for (size_t i = 0; i < sizeof k8s / sizeof *k8s; i++)
		put_text(s, k8s[i].key, env_text(env, k8s[i].variable));
}

/* A flag wins over OTEL_SERVICE_NAME, that over OTEL_RESOURCE_ATTRIBUTES, that over the program's name. */
static void put_service(struct store *s, const struct resource_input *in)
{
	const char *service = in->service != NULL && in->service[0] != '\0' ? in->service : env_text(in->env, "OTEL_SERVICE_NAME");
	if (service != NULL) {
		put_text(s, "service.name", service);
	} else if (resource_text(&s->resource, "service.name") == NULL) {
		char fallback[300];
		const char *exe = resource_text(&s->resource, "process.executable.name");
		snprintf(fallback, sizeof fallback, "unknown_service%s%s", exe != NULL ? ":" : "", exe != NULL ? exe : "");
		put_text(s, "service.name", fallback);
	}
}

int resource_new(const struct resource_input *in, struct resource **ret, char *warning, size_t warning_size)
{
	struct store *s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->resource.attrs = s->attrs;
	if (warning_size > 0)
		warning[0] = '\0';
	put_process(s, in);
	put_host(s, in->env);
	if (in->instance_id != NULL)
		put_text(s, "service.instance.id", in->instance_id);
	else
		put_instance(s);
	/* any error discards the whole value (resource SDK specification), so it is parsed twice */
	const char *given = env_text(in->env, "OTEL_RESOURCE_ATTRIBUTES");
	if (given != NULL && pairs_parse(given, ignore_pair, NULL))
		pairs_parse(given, put_pair, s);
	else if (given != NULL)
		snprintf(warning, warning_size, "OTEL_RESOURCE_ATTRIBUTES is ignored: not a list of key=value, percent-encoded");
	put_service(s, in);
	put_text(s, "telemetry.sdk.language", "c");
	put_text(s, "telemetry.sdk.name", "gapscope");
	put_text(s, "telemetry.sdk.version", GAPSCOPE_VERSION);
	if (s->error != 0) {
		int error = s->error;
		resource_free(&s->resource);
		return error;
	}
	*ret = &s->resource;
	return 0;
}

void resource_free(struct resource *r)
{
	if (r == NULL)
		return;
	struct store *s = (struct store *)r;
	for (size_t i = 0; i < r->attrs_n; i++) {
		free((char *)s->attrs[i].key);
		if (s->attrs[i].type == ATTR_STRING)
			free((char *)s->attrs[i].s);
	}
	free(s);
}

const char *resource_text(const struct resource *r, const char *key)
{
	for (size_t i = 0; i < r->attrs_n; i++)
		if (r->attrs[i].type == ATTR_STRING && strcmp(r->attrs[i].key, key) == 0)
			return r->attrs[i].s;
	return NULL;
}
