/*
 * The dashboard's three files, which are part of the program: served as they are, and nothing is fetched from elsewhere.
 */
#include <stdint.h>

#include "serve/route.h"

#define ASSET(name, file) \
	__asm__(".section .rodata\n" \
		".global asset_" name "\n.global asset_" name "_end\n" \
		"asset_" name ":\n.incbin \"" GAPSCOPE_WEB "/" file "\"\n" \
		"asset_" name "_end:\n.byte 0\n.previous\n")

ASSET("page", "index.html");
ASSET("script", "app.js");
ASSET("style", "app.css");

extern const char asset_page[], asset_page_end[], asset_script[], asset_script_end[], asset_style[], asset_style_end[];

static void answer_asset(struct route_answer *a, const char *type, const char *from, const char *to)
{
	*a = (struct route_answer){.status = 200, .type = type, .text = from, .len = (size_t)((uintptr_t)to - (uintptr_t)from)};
}

void route_page(const struct route_request *q, struct route_answer *ret)
{
	(void)q;
	answer_asset(ret, "text/html; charset=utf-8", asset_page, asset_page_end);
}

void route_script(const struct route_request *q, struct route_answer *ret)
{
	(void)q;
	answer_asset(ret, "text/javascript; charset=utf-8", asset_script, asset_script_end);
}

void route_style(const struct route_request *q, struct route_answer *ret)
{
	(void)q;
	answer_asset(ret, "text/css; charset=utf-8", asset_style, asset_style_end);
}
