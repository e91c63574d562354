/*
 * What of a URL may leave the agent: no user info, no query values (OTel semantic conventions, url.full and url.query).
 */
#ifndef GAPSCOPE_REPORT_URL_H
#define GAPSCOPE_REPORT_URL_H

#include <stdbool.h>
#include <stddef.h>

/* "a=1&b=2&token" → "a=REDACTED&b=REDACTED&REDACTED": names are kept, values never; a part without '=' is a value. */
const char *url_query(const char *raw, char *buf, size_t size);
/* "https" or "http". */
const char *url_scheme(bool tls);
/* Absolute URL of a request. `path` may be an absolute URL itself (a request to a proxy): its user info is removed. */
const char *url_full(const char *scheme, const char *authority, const char *path, const char *query, char *buf, size_t size);
/* Path of a request target: of an absolute URL, what follows its authority. */
const char *url_path(const char *path);
/* Split "host:port", "[v6]:port" or "host". *ret_port = 0 where there is none. */
const char *url_host(const char *authority, char *buf, size_t size, unsigned int *ret_port);

#endif
