/*
 * `gapscope scan [--json] [--config CONFIG] FILE|-`: the scanner over a stored log, with the user's rules of a configuration file. It prints where each match is and what it is, never the value: with
 * --json one object a match (line from 1, byte offsets within the line), else a masked sample. Exit status 0 none, 1 found, 2 error.
 *
 * The file is read in windows, so memory is bounded whatever it holds; a window overlaps the next one, and a match counts in the window
 * that its beginning belongs to. Where a line is longer than that, the next window also has the bytes before its first one, which say
 * what a value is and whether it began earlier.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/config.h"
#include "scan/scan.h"

#define WINDOW (1U << 20)
/* What a match may need after its beginning: a long PEM block. */
#define OVERLAP (32U << 10)
/* What a match may need before its beginning. */
#define BACK 1024U

struct work {
	const uint8_t *window;
	size_t from, cut;  /* matches before `from` belong to the window before, those from `cut` on to the next one */
	size_t at;         /* lines are counted up to here */
	size_t line_start; /* of the line that `at` is in; may be before the window, then it is `before` bytes less than 0 */
	uint64_t before;
	uint64_t line, found;
	bool json;
};

static void count_lines(struct work *w, size_t to)
{
	while (w->at < to) {
		const uint8_t *feed = memchr(w->window + w->at, '\n', to - w->at);
		if (feed == NULL) {
			w->at = to;
			break;
		}
		w->at = (size_t)(feed - w->window) + 1;
		w->line_start = w->at;
		w->before = 0;
		w->line++;
	}
}

static void tell(void *ctx, const struct scan_match *m)
{
	struct work *w = ctx;
	if (m->start < w->from || m->start >= w->cut)
		return;
	count_lines(w, m->start);
	w->found++;
	uint64_t start = w->before + m->start - w->line_start, end = w->before + m->end - w->line_start;
	if (w->json) {
		printf("{\"line\":%llu,\"start\":%llu,\"end\":%llu,\"entity\":\"%s\",\"rule\":\"%s\"}\n",
		       (unsigned long long)w->line, (unsigned long long)start, (unsigned long long)end, m->entity->name,
		       m->entity->rule);
	} else {
		char sample[64];
		scan_mask(m->entity, w->window + m->start, m->end - m->start, sample, sizeof(sample));
		printf("%llu:%llu: %s: %s\n", (unsigned long long)w->line, (unsigned long long)start + 1, m->entity->title, sample);
	}
}

/* Fill the window as far as there is input; 0, or a negative errno. */
static int fill(int fd, uint8_t *window, size_t *n, bool *end)
{
	while (*n < WINDOW) {
		ssize_t r = read(fd, window + *n, WINDOW - *n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0) {
			*end = true;
			return 0;
		}
		*n += (size_t)r;
	}
	return 0;
}

static int scan_fd(struct scanner *s, int fd, uint8_t *window, struct work *w)
{
	size_t n = 0, kept = 0;
	for (bool end = false; !end;) {
		int r = fill(fd, window, &n, &end);
		if (r < 0)
			return r;
		w->cut = n;
		if (!end) {
			const uint8_t *feed = memrchr(window, '\n', n - OVERLAP);
			w->cut = feed != NULL ? (size_t)(feed - window) + 1 : n - OVERLAP;
		}
		w->window = window;
		w->from = w->at = w->line_start = kept;
		(void)scan_text(s, window, n, tell, w);
		count_lines(w, w->cut);
		w->before += w->cut - w->line_start;
		kept = w->cut > BACK && window[w->cut - 1] != '\n' ? BACK : 0;
		n -= w->cut - kept;
		memmove(window, window + w->cut - kept, n);
	}
	return 0;
}

/* The rules under `scan:`; the file's other keys are for other commands, and only have to be right. */
static bool load_rules(const char *path)
{
	struct settings unused = {0};
	char err[512] = "";
	int r = config_load(path, &unused, err, sizeof(err));
	settings_done(&unused);
	if (r < 0)
		complain("%s", err);
	return r >= 0;
}

struct args {
	bool json;
	const char *config;
};

static const struct flag scan_flags[] = {
	{.name = "json", .kind = FLAG_SWITCH, .offset = offsetof(struct args, json), .doc = "print one JSON object a match"},
	{.name = "config",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct args, config),
	 .arg = "CONFIG",
	 .doc = "configuration file whose `scan` rules are used"},
	{0},
};

int cmd_scan(int argc, char **argv)
{
	struct args args = {0};
	struct work w = {.line = 1};
	char err[256] = "";
	flags_first(scan_flags, argc, argv);
	int operand = flags_parse(scan_flags, argc, argv, &args, err, sizeof(err));
	if (operand < 0) {
		complain("scan: %s", err);
		return EXIT_USAGE;
	}
	if (args.config != NULL && !load_rules(args.config))
		return EXIT_USAGE;
	w.json = args.json;
	if (operand + 1 != argc) {
		fputs("gapscope scan: give one FILE, or - for standard input\n", stderr);
		return 2;
	}
	int status = 2, fd = STDIN_FILENO, r;
	if (strcmp(argv[operand], "-") != 0)
		fd = open(argv[operand], O_RDONLY | O_CLOEXEC);
	struct scanner *s = scanner_new(NULL);
	uint8_t *window = malloc(WINDOW);
	if (fd < 0) {
		fprintf(stderr, "gapscope scan: %s: %s\n", argv[operand], strerror(errno));
	} else if (s == NULL || window == NULL) {
		fputs("gapscope scan: out of memory\n", stderr);
	} else if ((r = scan_fd(s, fd, window, &w)) < 0) {
		fprintf(stderr, "gapscope scan: %s: %s\n", argv[operand], strerror(-r));
	} else if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("gapscope scan: cannot write the output\n", stderr);
	} else {
		status = w.found > 0 ? 1 : 0;
	}
	if (window != NULL)
		explicit_bzero(window, WINDOW);
	free(window);
	scanner_free(s);
	if (fd > STDERR_FILENO)
		(void)close(fd);
	return status;
}

const struct command cmd_scan_entry = {
	.name = "scan",
	.usage = "[--json] [--config CONFIG] FILE|-",
	.doc = "find personal data and secrets in a text file",
	.text = "Reads FILE, or standard input for '-', and prints where personal data and secrets stand in it; never what they "
		"are. "
		"Exit status: 0 nothing found, 1 found, 2 error.",
	.flags = scan_flags,
	.run = cmd_scan,
};
