/*
 * E-mail addresses: a local part, a domain whose last label is a top-level domain that exists. Domains kept for documentation
 * (RFC 2606, RFC 6761) are clean.
 */
#include <string.h>
#include <strings.h>

#include "scan/validators.h"

#define LOCAL_MAX 64U
#define DOMAIN_MAX 253U
#define ROBOT_MAX 160U

/* Two-letter top-level domains: for each first letter the second ones (ISO 3166 codes that are delegated, and eu, uk, su, ac). */
static const char *const country[26] = {
	"cdefgilmoqrstuwxz",
	"abdefghijmnorstvwyz",
	"acdfghiklmnoruvwxyz",
	"ejkmoz",
	"ceghrstu",
	"ijkmor",
	"abdefghilmnpqrstuwy",
	"kmnrtu",
	"delmnoqrst",
	"emop",
	"eghimnprwyz",
	"abcikrstuvy",
	"acdeghklmnopqrstuvwxyz",
	"acefgilopruz",
	"m",
	"aefghklmnrstwy",
	"a",
	"eosuw",
	"abcdeghiklmnorstuvxyz",
	"cdfghjklmnortvwz",
	"agksyz",
	"aceginu",
	"fs",
	"",
	"et",
	"amw",
};

static const char *const generic[] = {
	"com",        "org",         "net",        "edu",       "gov",        "mil",        "int",       "info",
	"biz",        "name",        "pro",        "aero",      "asia",       "cat",        "coop",      "jobs",
	"mobi",       "museum",      "post",       "tel",       "travel",     "xxx",        "app",       "dev",
	"cloud",      "online",      "site",       "shop",      "store",      "tech",       "xyz",       "club",
	"email",      "blog",        "news",       "media",     "agency",     "studio",     "design",    "digital",
	"network",    "systems",     "software",   "solutions", "company",    "group",      "global",    "world",
	"life",       "live",        "today",      "team",      "work",       "works",      "zone",      "center",
	"services",   "support",     "consulting", "finance",   "money",      "bank",       "insurance", "health",
	"care",       "clinic",      "dental",     "academy",   "school",     "university", "education", "institute",
	"foundation", "church",      "community",  "social",    "chat",       "video",      "photo",     "photos",
	"pictures",   "gallery",     "art",        "music",     "band",       "film",       "game",      "games",
	"fun",        "space",       "top",        "vip",       "win",        "bid",        "loan",      "men",
	"page",       "link",        "click",      "website",   "web",        "host",       "hosting",   "domains",
	"wiki",       "guru",        "expert",     "ninja",     "rocks",      "cool",       "fyi",       "one",
	"plus",       "red",         "blue",       "green",     "pink",       "black",      "gold",      "ltd",
	"llc",        "inc",         "gmbh",       "sarl",      "limited",    "holdings",   "ventures",  "capital",
	"partners",   "associates",  "legal",      "law",       "lawyer",     "attorney",   "tax",       "accountants",
	"engineer",   "engineering", "energy",     "solar",     "bio",        "eco",        "farm",      "garden",
	"house",      "home",        "homes",      "land",      "estate",     "properties", "realty",    "rent",
	"city",       "town",        "place",      "berlin",    "london",     "paris",      "nyc",       "tokyo",
	"amsterdam",  "wien",        "hamburg",    "koeln",     "bayern",     "moscow",     "quebec",    "scot",
	"wales",      "africa",      "cafe",       "bar",       "restaurant", "pizza",      "beer",      "wine",
	"coffee",     "food",        "kitchen",    "fashion",   "clothing",   "shoes",      "jewelry",   "beauty",
	"hair",       "fit",         "fitness",    "yoga",      "run",        "bike",       "golf",      "football",
	"auto",       "car",         "cars",       "taxi",      "flights",    "hotel",      "holiday",   "vacations",
	"tours",      "cruises",     "dog",        "pet",       "vet",        "baby",       "kids",      "family",
	"dating",     "wedding",     "gift",       "gifts",     "toys",       "sale",       "deals",     "discount",
	"market",     "markets",     "trade",      "trading",   "exchange",   "fund",       "credit",    "cash",
	"google",     "amazon",      "apple",      "microsoft", "ibm",        "bmw",        "audi",      "sony",
	"swiss",      "ist",         "istanbul",   "gal",       "eus",        "bzh",        "frl",       "nrw",
	"ink",        "press",       "pub",        "review",    "reviews",    "report",     "science",   "tools",
	"ooo",        "lol",         "moe",        "dance",     "events",     "express",    "direct",
};

bool tld_known(const uint8_t *tld, size_t len)
{
	if (len == 2) {
		uint8_t a = lower(tld[0]), b = lower(tld[1]);
		return is_lower(a) && is_lower(b) && strchr(country[a - 'a'], b) != NULL;
	}
	for (size_t i = 0; i < sizeof(generic) / sizeof(*generic); i++) {
		if (strlen(generic[i]) == len && strncasecmp((const char *)tld, generic[i], len) == 0)
			return true;
	}
	return len >= 6 && strncasecmp((const char *)tld, "xn--", 4) == 0;
}

static bool is_local(uint8_t c)
{
	return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%';
}

/* Is the domain one that documentation uses, example.com and its like, or one that never leaves a network? */
static bool reserved(const uint8_t *domain, size_t len)
{
	static const char *const names[] = {"example.com", "example.org", "example.net",
					    "example.edu", "email.tst",   "domain.com.example"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);
		if (len >= n && strncasecmp((const char *)domain + len - n, names[i], n) == 0 &&
		    (len == n || domain[len - n - 1] == '.'))
			return true;
	}
	return false;
}

/* "(compatible; Bot/1.0; bot@acme.net)": the address that a robot's operator puts into its user agent for all to read. */
static bool of_robot(const struct text *t, size_t start, size_t end)
{
	if (text_at(t, end) != ')' || start < 2 || t->bytes[start - 1] != ' ' || t->bytes[start - 2] != ';')
		return false;
	size_t low = start > ROBOT_MAX ? start - ROBOT_MAX : 0, i = start;
	while (i > low && t->bytes[i - 1] != '(' && t->bytes[i - 1] != ')')
		i--;
	return text_is(t, i, "compatible;");
}

/* The domain that begins at `from`, or 0. */
static size_t domain_end(const struct text *t, size_t from)
{
	size_t end = from, label = from, dots = 0, tld = from;
	while (end < t->len && end - from < DOMAIN_MAX) {
		uint8_t c = t->bytes[end];
		if (c == '.') {
			if (end == label || !is_alnum(text_at(t, end + 1)))
				break;
			dots++;
			label = tld = end + 1;
		} else if (!is_alnum(c) && c != '-') {
			break;
		}
		end++;
	}
	while (end > tld && t->bytes[end - 1] == '-')
		end--;
	if (dots == 0 || end == tld || !tld_known(t->bytes + tld, end - tld) || reserved(t->bytes + from, end - from))
		return 0;
	return end;
}

bool email_encoded_at(const struct text *t, size_t at, struct span *ret)
{
	size_t i = at;
	while (i - at < LOCAL_MAX && is_local(text_at(t, i)) && !text_is(t, i, "%40"))
		i++;
	if (i == at || !text_is(t, i, "%40"))
		return false;
	size_t end = domain_end(t, i + 3);
	if (end == 0)
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool email_at(const struct text *t, size_t at, struct span *ret)
{
	size_t start = at;
	while (start > 0 && at - start < LOCAL_MAX && is_local(t->bytes[start - 1]))
		start--;
	/* what leads is punctuation of the line, not of the address */
	while (start < at && !is_alnum(t->bytes[start]) && t->bytes[start] != '_')
		start++;
	if (start == at || t->bytes[at - 1] == '.' || text_at(t, start - 1) == '@')
		return false;
	size_t end = domain_end(t, at + 1);
	if (end == 0 || of_robot(t, start, end))
		return false;
	uint8_t after = text_at(t, end);
	if (after == '@' || after == '_' || (after == '(' && text_at(t, end + 1) != ' '))
		return false;
	/* user@host:path of scp and git */
	if (after == ':' && (is_alpha(text_at(t, end + 1)) || text_at(t, end + 1) == '~' || text_at(t, end + 1) == '/'))
		return false;
	if (at - start == 3 && text_is(t, start, "git"))
		return false;
	*ret = (struct span){start, end};
	return true;
}
