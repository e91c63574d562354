/* The daemon's configuration and a gate's policy, of any bytes: taken whole and within their bounds, or refused with one line. */
#include <stdlib.h>
#include <string.h>

#include "gate/policy.h"
#include "serve/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refused(const char err[512])
{
	if (!memchr(err, '\0', 512) || !*err || strchr(err, '\n'))
		abort();
}

static void is_text(const char *text, size_t size)
{
	if (!memchr(text, '\0', size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct serve_rules rules;
	static struct gate_policy policy;
	char err[512] = "";

	if (rules_parse("f", (const char *)data, size, &rules, err, sizeof(err)) < 0) {
		refused(err);
	} else {
		if (rules.watch_n > BOARD_SERVICES_MAX)
			abort();
		is_text(rules.listen, sizeof(rules.listen));
		for (size_t i = 0; i < rules.watch_n; i++) {
			is_text(rules.watch[i].service, sizeof(rules.watch[i].service));
			is_text(rules.watch[i].value, sizeof(rules.watch[i].value));
			is_text(rules.watch[i].tier, sizeof(rules.watch[i].tier)); /* empty: the policy's */
			if (!*rules.watch[i].service || !*rules.watch[i].kind)
				abort();
		}
	}
	*err = '\0';
	policy_defaults(&policy);
	if (policy_parse("f", (const char *)data, size, &policy, err, sizeof(err)) < 0)
		refused(err);
	else if (policy.rules_n > POLICY_RULES_MAX || policy.exceptions_n > POLICY_EXCEPTIONS_MAX ||
		 !(policy.lost_share >= 0 && policy.lost_share <= 1))
		abort();
	return 0;
}
