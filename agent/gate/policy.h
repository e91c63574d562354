/*
 * What a gate asks for: which findings fail it, how much evidence it wants, how much slower or more faulty than the baseline is too much.
 *
 *   tier: standard                 standard | critical | internal: what fails, and the evidence wanted, when nothing else is said
 *   fail_on: warning               this severity and worse; wins over the tier
 *   confidence: suspected          findings that are less sure are only told
 *   rules:
 *     data.log.*: fail             fail | warn | ignore, by rule or pattern; the first that fits counts
 *   evidence: {requests: 20, seconds: 0, lost_share: 0.01, log_share: 0.9}
 *   latency: {ratio: 1.25, difference_ms: 5, alpha: 0.001}
 *   errors: {increase: 0.01, alpha: 0.001}
 *   exceptions:
 *     - rule: deadline.response.missing
 *       peer: legacy:80            optional, as are call_site and fingerprint; patterns as in a shell
 *       until: 2027-01-31          the last day on which it holds
 *       reason: OPS-1234
 */
#ifndef GAPSCOPE_GATE_POLICY_H
#define GAPSCOPE_GATE_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "detectors/detector.h"

#define POLICY_RULES_MAX 64U
#define POLICY_EXCEPTIONS_MAX 256U
#define POLICY_TEXT 160U

enum rule_action { ACTION_FAIL, ACTION_WARN, ACTION_IGNORE };

struct rule_policy {
	char pattern[POLICY_TEXT];
	enum rule_action action;
};

struct policy_exception {
	char rule[POLICY_TEXT], peer[POLICY_TEXT], call_site[POLICY_TEXT], fingerprint[POLICY_TEXT]; /* "" = any */
	char until[16], reason[POLICY_TEXT];
};

struct gate_policy {
	const char *tier;                 /* its name, static */
	bool says_fail_on, says_requests; /* so the tier does not */
	enum severity fail_on;
	enum confidence confidence;
	struct rule_policy rules[POLICY_RULES_MAX];
	size_t rules_n;
	double requests, seconds, lost_share, log_share; /* least evidence; greatest share of records lost */
	double latency_ratio, latency_ms, latency_alpha; /* slower by all of these is a regression */
	double errors_increase, errors_alpha;            /* a greater share of errors, and surely so */
	struct policy_exception exceptions[POLICY_EXCEPTIONS_MAX];
	size_t exceptions_n;
};

void policy_defaults(struct gate_policy *p);
/* What this tier asks for ("standard" …), where the policy does not say it itself. */
void policy_tier(struct gate_policy *p, const char *tier);
/* Read a file over the defaults. 0, or -errno with one line in err. */
int policy_load(const char *path, struct gate_policy *p, char *err, size_t err_size);
int policy_parse(const char *path, const char *text, size_t len, struct gate_policy *p, char *err, size_t err_size);
/* What a finding of the report does, exceptions aside. */
enum rule_action policy_action(const struct gate_policy *p, const json_t *finding);
/* The exception that covers a finding on a day ("2026-11-21"), or NULL. *ret_expired is one that covered it until an earlier day, or NULL. */
const struct policy_exception *policy_excepts(const struct gate_policy *p, const json_t *finding, const char *today,
					      const struct policy_exception **ret_expired);

#endif
