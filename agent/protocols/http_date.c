/*
 * HTTP dates without strptime, which depends on the locale. See http_date.h.
 */
#include "protocols/http_date.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int month_of(const char name[4])
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *at = strlen(name) == 3 ? strstr(months, name) : NULL;

	return at && (at - months) % 3 == 0 ? (int)(at - months) / 3 : -1;
}

int http_date_parse(const char *text, size_t len, int64_t *ret)
{
	struct tm tm = {0};
	char copy[64], month[4] = "";
	int year = -1;

	if (len >= sizeof(copy))
		return -EBADMSG;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (sscanf(copy, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &tm.tm_mday, month, &year, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec) != 6 &&
	    sscanf(copy, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT", &tm.tm_mday, month, &year, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec) != 6 &&
	    sscanf(copy, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
		   &year) != 6)
		return -EBADMSG;
	tm.tm_mon = month_of(month);
	if (year >= 0 && year < 100)
		year += year < 70 ? 2000 : 1900;
	if (tm.tm_mon < 0 || year < 1970 || year > 9999 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 60)
		return -EBADMSG;
	tm.tm_year = year - 1900;
	*ret = timegm(&tm);
	return 0;
}
