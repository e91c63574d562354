/*
 * Vendors' keys that have no prefix (shapes.c), and what a vendor builds into its keys. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_SHAPES_H
#define GAPSCOPE_SCAN_SHAPES_H

#include "scan/entities.h"
#include "scan/text.h"

/* Telegram: the bot's number, a colon at `colon`, 35 characters that begin with A. */
bool telegram_at(const struct text *t, size_t colon, struct span *ret);
/* Asana: "2/", the user's number, "/" and another one or not, a colon at `colon`, 32 hexadecimal digits. */
bool asana_at(const struct text *t, size_t colon, struct span *ret);
/* Braintree (PayPal): access_token$production$ and 16 characters, then "$" right before `at` and 32 hexadecimal digits. */
bool braintree_behind(const struct text *t, size_t at, struct span *ret);
/* Facebook: the app's number at `at`, a bar, its token. */
bool facebook_app_at(const struct text *t, size_t at, struct span *ret);
/* Microsoft Teams: a webhook's URL whose '@' is at `at`. */
bool teams_webhook_at(const struct text *t, size_t at, struct span *ret);
/* Mailchimp, MaxMind, Terraform, Discord: a word that begins at `at` and has their sign at a fixed place. */
bool shape_at(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity);
/* Azure DevOps: a token that begins at `at`. */
bool azure_devops_at(const struct text *t, size_t at, struct span *ret);
/* The same of any service of Azure that marks its keys so. */
bool azure_marked_at(const struct text *t, size_t at, struct span *ret);
/* Is a value that a key calls a secret one of Azure AD (Entra ID)? */
bool azure_ad_holds(const uint8_t *v, size_t len);
/* One that stands anywhere, with its "Q~" right before `at`. */
bool azure_ad_behind(const struct text *t, size_t at, struct span *ret);
/* Google: a refresh token, "1//0…", whose part behind the slashes begins at `at`. */
bool google_refresh_at(const struct text *t, size_t at, struct span *ret);
/* The last 6 of the 36 characters after ghp_ and its like are the CRC-32 of the first 30, in base 62. */
bool github_checksum_holds(const uint8_t *body);

#endif
