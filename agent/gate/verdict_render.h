/*
 * A verdict for people, for build servers and for code-scanning tools.
 */
#ifndef GAPSCOPE_GATE_VERDICT_RENDER_H
#define GAPSCOPE_GATE_VERDICT_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* One screen: the verdict, why, and what passed in short. */
void verdict_text(const json_t *verdict, FILE *out, bool colour);
/* JUnit XML: one test case a check; a failed check fails, an inconclusive one is an error. */
void verdict_junit(const json_t *verdict, FILE *out);
/* SARIF 2.1.0 of the findings that the gate did not ignore, with their state beside the baseline. */
void verdict_sarif(const json_t *verdict, const json_t *report, FILE *out);

#endif
