/*
 * The stage so far, judged as if it ended now (gate_progress.h). Main thread; keeps nothing.
 */
#include "commands/gate_progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/render_util.h"
#include "report/report.h"

#define LINE_SIZE 512U

/* Names of the checks in a state, each once: "requests, dependency". */
static size_t names_of(const json_t *verdict, const char *state, char *buf, size_t size)
{
	const json_t *checks = json_object_get(verdict, "checks"), *check;
	size_t i, n = 0, len = 0;

	*buf = '\0';
	json_array_foreach (checks, i, check) {
		const char *name = json_text(check, "check");

		if (strcmp(json_text(check, "state"), state) != 0 || strstr(buf, name) || len >= size)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", n++ ? ", " : "", name);
	}
	return n;
}

void gate_progress_text(const struct gate_input *in, unsigned int s, unsigned int of_s, size_t columns, char *buf, size_t size)
{
	char end[24] = "", missing[160], failing[160];
	json_t *verdict = in->report ? gate_judge(in) : NULL;

	if (of_s)
		snprintf(end, sizeof(end), " of %u", of_s);
	if (!verdict) {
		snprintf(buf, size, "gapscope: %u s%s, nothing seen yet", s, end);
	} else {
		const size_t fails = names_of(verdict, "fail", failing, sizeof(failing));
		const size_t lacks = names_of(verdict, "inconclusive", missing, sizeof(missing));

		snprintf(buf, size, "gapscope: %u s%s, %lld of %.0f requests, %zu findings; %s%s%s%s%s", s, end,
			 (long long)report_requests(in->report), in->policy->requests,
			 json_array_size(json_object_get(in->report, "findings")), fails ? "fails by now: " : "", failing,
			 fails ? "; " : "", lacks ? "still missing: " : "a verdict needs no more", missing);
	}
	json_decref(verdict);
	if (columns && strlen(buf) >= columns)
		buf[columns - 1] = '\0'; /* ASCII: a byte is a column */
}

void gate_progress(FILE *out, const struct gate_input *in, unsigned int s, unsigned int of_s)
{
	struct winsize size = {.ws_col = 80};
	char text[LINE_SIZE];

	if (!isatty(fileno(out)))
		return;
	ioctl(fileno(out), TIOCGWINSZ, &size);
	gate_progress_text(in, s, of_s, size.ws_col ? size.ws_col : 80, text, sizeof(text));
	fprintf(out, "\r%s\033[K", text);
}

void gate_progress_end(FILE *out)
{
	if (isatty(fileno(out)))
		fputs("\r\033[K", out);
}
