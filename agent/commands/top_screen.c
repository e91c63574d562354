/*
 * The screen of `gapscope top` (top_screen.h). Each line is made whole, cut to the width and counted: what does not fit is not shown.
 */
#include "commands/top_screen.h"

#include <stdarg.h>
#include <string.h>

#include "report/render_util.h"

#define PLAIN "\033[0m"
#define BOLD "\033[1m"
#define LINE_SIZE 1024U
#define STEPS 60U /* of the timeline that are drawn */

struct page {
	const struct top_screen *s;
	FILE *out;
	unsigned int rows;
};

static bool room(const struct page *p)
{
	return p->s->rows == 0 || p->rows + 1 < p->s->rows;
}

/* A line of text, cut to the width: a character is a column, however many bytes it has. */
__attribute__((format(printf, 3, 4))) static void line(struct page *p, const char *colour, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list args;
	size_t n = 0;

	if (!room(p))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (unsigned int columns = 0; text[n]; n++) {
		columns += ((unsigned char)text[n] & 0xc0) != 0x80;
		if (columns > p->s->columns)
			break;
	}
	text[n] = '\0';
	while (n && text[n - 1] == ' ')
		text[--n] = '\0';
	const bool painted = p->s->colour && colour && *colour;
	/* what an earlier, longer line left there goes */
	fprintf(p->out, "%s%s%s%s\n", painted ? colour : "", text, painted ? PLAIN : "", p->s->keys ? "\033[K" : "");
	p->rows++;
}

static const char *colour_of(const char *severity)
{
	return strcmp(severity, "critical") == 0 || strcmp(severity, "error") == 0 ? "\033[1;31m"
	       : strcmp(severity, "warning") == 0                                  ? "\033[33m"
										   : "";
}

/* -- services -- */

static json_int_t requests_of(const json_t *service)
{
	return json_number(service, "client_requests") + json_number(service, "server_requests");
}

static const json_t *by_name(const json_t *services, const char *name)
{
	size_t i;
	const json_t *s;

	json_array_foreach (services, i, s)
		if (strcmp(json_text(s, "name"), name) == 0)
			return s;
	return NULL;
}

/* What the gate of a daemon says now: in a word of four letters. */
static const char *gate_of(const json_t *service)
{
	const char *verdict = json_text(json_object_get(service, "gate"), "verdict");

	return *verdict == '\0' ? "-" : strcmp(verdict, "inconclusive") == 0 ? "?" : verdict;
}

static void put_service(struct page *p, const json_t *service, bool chosen)
{
	const json_t *findings = json_object_get(service, "findings"),
		     *score = json_object_get(json_object_get(service, "score"), "score");
	const json_t *before = by_name(p->s->before, json_text(service, "name"));
	const json_int_t more = before ? requests_of(service) - requests_of(before) : 0;
	char points[8] = "-", rate[16] = "-";

	if (json_is_number(score))
		snprintf(points, sizeof(points), "%.0f", json_number_value(score));
	/* a new session counts from nothing again */
	if (before && p->s->seconds > 0 && more >= 0)
		snprintf(rate, sizeof(rate), "%.1f", (double)more / p->s->seconds);
	line(p, chosen && p->s->keys ? BOLD : "",
	     "%c %-17.17s %-9s %4s %5s %5" JSON_INTEGER_FORMAT " %5" JSON_INTEGER_FORMAT " %5" JSON_INTEGER_FORMAT
	     " %7s %9" JSON_INTEGER_FORMAT " %s%.160s",
	     chosen ? '>' : ' ', json_text(service, "name"), json_text(service, "state"), gate_of(service), points,
	     json_number(findings, "critical"), json_number(findings, "error"), json_number(findings, "warning"), rate,
	     requests_of(service), json_number(service, "lost") ? "records lost; " : "", json_text(service, "why"));
}

/* -- the chosen one -- */

static void put_score(struct page *p, const json_t *service, const json_t *report)
{
	char text[LINE_SIZE] = "";
	const char *name;
	const json_t *area;
	size_t len = 0;

	json_object_foreach (json_object_get(json_object_get(service, "score"), "areas"), name, area) {
		const json_t *score = json_object_get(area, "score");

		if (json_is_number(score) && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "  %s %.0f", name, json_number_value(score));
	}
	line(p, "", "%s", "");
	line(p, BOLD, "%s: %zu findings%s%s", json_text(service, "name"), json_array_size(json_object_get(report, "findings")),
	     *text ? "; readiness" : "", text);
}

/* "served  ▁▂▇▅ 12/s, 3 failed, p95 18 ms": the last steps of a direction. */
static void put_direction(struct page *p, const json_t *timeline, const char *direction, const char *what)
{
	static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	const json_t *of = json_object_get(timeline, direction), *requests = json_object_get(of, "requests");
	const size_t n = json_array_size(requests), wanted = p->s->columns > 60 ? p->s->columns - 45 : 15;
	const size_t shown = n < wanted ? n : wanted, from = n - (shown < STEPS ? shown : STEPS);
	const double step_s = (double)json_number(timeline, "step_s");
	char picture[STEPS * 3 + 1] = "", latency[48] = "";
	json_int_t most = 0, failed = 0;
	size_t drawn = 0;

	for (size_t i = from; i < n; i++) {
		const json_int_t r = json_integer_value(json_array_get(requests, i));

		most = r > most ? r : most;
		failed += json_integer_value(json_array_get(json_object_get(of, "errors"), i));
	}
	if (most == 0)
		return;
	for (size_t i = from; i < n; i++) {
		const json_int_t r = json_integer_value(json_array_get(requests, i));
		const json_t *p95 = json_array_get(json_object_get(of, "p95_us"), i);

		drawn += (size_t)snprintf(picture + drawn, sizeof(picture) - drawn, "%s", bars[r ? (size_t)(1 + r * 7 / most) : 0]);
		if (json_is_integer(p95))
			snprintf(latency, sizeof(latency), "p95 %.4g ms", (double)json_integer_value(p95) / 1e3);
	}
	line(p, "", "  %-7s %s at most %.3g/s, %" JSON_INTEGER_FORMAT " failed, %s", what, picture, (double)most / step_s, failed,
	     latency);
}

static void put_finding(struct page *p, const json_t *f)
{
	const char *peer = json_text(f, "peer"), *where = json_text(json_object_get(f, "call_site"), "text");

	line(p, colour_of(json_text(f, "severity")), "  %-8s %-26s %5" JSON_INTEGER_FORMAT "×  %s%s%s", json_text(f, "severity"),
	     json_text(f, "rule"), json_number(f, "count"), *peer ? peer : json_text(f, "sink"), *where ? "  " : "", where);
}

static void put_chosen(struct page *p, const json_t *service)
{
	const json_t *report = p->s->report, *timeline = json_object_get(report, "timeline"),
		     *cost = json_object_get(report, "cost"), *item;
	const json_int_t session_ms = json_number(cost, "session_ms");
	size_t i;

	if (!report)
		return;
	put_score(p, service, report);
	put_direction(p, timeline, "server", "served");
	put_direction(p, timeline, "client", "made");
	json_array_foreach (json_object_get(report, "findings"), i, item)
		put_finding(p, item);
	if (session_ms > 0)
		line(p, "",
		     "  gapscope itself: %.2g %% of a processor, %.0f MiB; %" JSON_INTEGER_FORMAT " records, %" JSON_INTEGER_FORMAT
		     " lost",
		     100.0 * (double)json_number(cost, "agent_cpu_ms") / (double)session_ms,
		     (double)json_number(cost, "agent_memory_bytes") / 1048576.0, json_number(cost, "records"),
		     json_number(service, "lost"));
	json_array_foreach (json_object_get(report, "not_exercised"), i, item)
		line(p, "", "  not exercised: %s", json_string_value(item) ? json_string_value(item) : "?");
}

void top_screen_write(const struct top_screen *s, FILE *out)
{
	struct page p = {.s = s, .out = out};
	const size_t n = json_array_size(s->services), half = s->rows / 2 > 3 ? s->rows / 2 - 3 : 1;
	/* on a terminal the list takes half of the height, and goes along with the choice */
	const size_t shown = s->rows == 0 || n < half ? n : half, from = s->chosen < shown ? 0 : s->chosen + 1 - shown;

	line(&p, BOLD, "gapscope top  %s, %zu service%s%s", s->where, n, n == 1 ? "" : "s",
	     s->keys ? "   up and down choose, q quits" : "");
	if (s->trouble)
		line(&p, "\033[1;31m", "%s", s->trouble);
	line(&p, "", "  %-17s %-9s %4s %5s %5s %5s %5s %7s %9s", "SERVICE", "STATE", "GATE", "SCORE", "CRIT", "ERROR", "WARN",
	     "REQ/S", "REQUESTS");
	for (size_t i = from; i < from + shown && i < n; i++)
		put_service(&p, json_array_get(s->services, i), i == s->chosen);
	if (s->chosen < n)
		put_chosen(&p, json_array_get(s->services, s->chosen));
}
