/*
 * The daemon's configuration, YAML:
 *
 *   listen: 127.0.0.1:9465          or [::1]:PORT, unix:PATH; another address needs a token
 *   token_file: /etc/gapscope/token
 *   history: /var/lib/gapscope/history.db
 *   policy: /etc/gapscope/gate.yaml
 *   session: /etc/gapscope/gapscope.yaml   configuration of the sessions, as for `gapscope run`
 *   watch:
 *     - {service: shop, name: shopd, tier: critical}
 *     - {service: shop-canary, port: 8081, stable: shop}
 *     - {service: web, unit: nginx.service}
 *     - {service: jobs, cgroup: /system.slice/jobs.scope}
 *     - {service: cart, label: com.docker.compose.service=cart}
 */
#ifndef GAPSCOPE_SERVE_RULES_H
#define GAPSCOPE_SERVE_RULES_H

#include <stddef.h>

#include "serve/board.h"

#define RULES_PATH 256U

struct serve_rules {
	char listen[RULES_PATH], token_file[RULES_PATH], history[RULES_PATH], policy[RULES_PATH], session[RULES_PATH];
	/* Of each watch: its name on the board, and what finds it. */
	struct watch_rule {
		char service[BOARD_TEXT], tier[16], stable[BOARD_TEXT]; /* tier "": the policy's */
		char kind[8], value[BOARD_TEXT];                        /* "name", "port", "unit", "cgroup" or "label" */
	} watch[BOARD_SERVICES_MAX];
	size_t watch_n;
};

/* 0, or -errno with one line in err: "FILE:LINE: KEY: what is wrong". */
int rules_load(const char *path, struct serve_rules *ret, char *err, size_t err_size);
int rules_parse(const char *path, const char *text, size_t len, struct serve_rules *ret, char *err, size_t err_size);
/* The first line of a file, without its end, as a token of at least 16 characters. 0, or -errno with a line in err. */
int rules_token(const char *path, char *buf, size_t size, char *err, size_t err_size);

#endif
