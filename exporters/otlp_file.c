/*
 * OTLP into a file: a request in JSON a line, as the OpenTelemetry Collector's file exporter writes and its receiver reads. "-" is standard
 * error, for OTEL_*_EXPORTER=console.
 *
 * A line is one write() behind a lock of the file, so that lanes and agents that share it do not mix; what a full disk cut off is taken
 * away again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/otlp_transport.h"

struct otlp_file {
	int fd;
	const char *path;
};

static int file_open(const struct otlp_signal *s, void **ret)
{
	struct otlp_file *f = calloc(1, sizeof *f);
	if (f == NULL)
		return -ENOMEM;
	f->path = s->url;
	/* telemetry names peers and paths: for its owner's eyes */
	f->fd = strcmp(s->url, "-") == 0 ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
					 : open(s->url, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (f->fd < 0) {
		int rc = -errno;
		free(f);
		return rc;
	}
	*ret = f;
	return 0;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	struct stat before;
	bool regular = fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
	size_t at = 0;
	while (at < len) {
		ssize_t n = write(fd, data + at, len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int rc = -errno;
			if (regular && at > 0 && ftruncate(fd, before.st_size) != 0)
				rc = -errno;
			return rc;
		}
		at += (size_t)n;
	}
	return 0;
}

static void file_post(void *t, const struct bytes *body, uint64_t timeout_ms, struct otlp_reply *ret)
{
	struct otlp_file *f = t;
	uint8_t *line = malloc(body->len + 1);
	int rc = -ENOMEM;
	(void)timeout_ms;
	*ret = (struct otlp_reply){.verdict = OTLP_TAKEN};
	if (line != NULL) {
		memcpy(line, body->data, body->len);
		line[body->len] = '\n';
		flock(f->fd, LOCK_EX); /* fails where there is nothing to lock, such as a terminal */
		rc = write_all(f->fd, line, body->len + 1);
		flock(f->fd, LOCK_UN);
	}
	free(line);
	if (rc != 0) {
		ret->verdict = OTLP_REFUSED;
		snprintf(ret->why, sizeof ret->why, "%.100s: cannot be written: %s", f->path, strerror(-rc));
	}
}

static void file_abort(void *t)
{
	(void)t; /* nothing here waits for long */
}

static void file_close(void *t)
{
	struct otlp_file *f = t;
	if (f == NULL)
		return;
	close(f->fd);
	free(f);
}

const struct otlp_transport otlp_into_file = {
	.open = file_open,
	.post = file_post,
	.abort = file_abort,
	.close = file_close,
};
