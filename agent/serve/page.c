/*
 * The dashboard's files, which are part of the program: served as they are, and nothing is fetched from elsewhere.
 */
#include "report/asset.h"
#include "serve/route.h"

ASSET(page, "index.html");
ASSET(script, "app.js");

static void answer_asset(struct route_answer *a, const char *type, const char *text, size_t len)
{
	*a = (struct route_answer){.status = 200, .type = type, .text = text, .len = len};
}

void route_page(const struct route_request *q, struct route_answer *ret)
{
	(void)q;
	answer_asset(ret, "text/html; charset=utf-8", asset_page, ASSET_SIZE(page));
}

void route_script(const struct route_request *q, struct route_answer *ret)
{
	(void)q;
	answer_asset(ret, "text/javascript; charset=utf-8", asset_script, ASSET_SIZE(script));
}

void route_view(const struct route_request *q, struct route_answer *ret)
{
	(void)q;
	answer_asset(ret, "text/javascript; charset=utf-8", asset_view, ASSET_SIZE(view));
}

void route_style(const struct route_request *q, struct route_answer *ret)
{
	(void)q;
	answer_asset(ret, "text/css; charset=utf-8", asset_style, ASSET_SIZE(style));
}
