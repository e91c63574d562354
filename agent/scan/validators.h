/*
 * One function for each shape that a candidate may have: it looks at one place of the text, decides, and gives the span of the value.
 * None looks further than its own bounded window. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_VALIDATORS_H
#define GAPSCOPE_SCAN_VALIDATORS_H

#include "scan/entities.h"
#include "scan/keyname.h"
#include "scan/matches.h"
#include "scan/text.h"

/* numbers.c */
bool luhn_holds(const char *digits, size_t n);
/* A date that a person alive today or lately may be born on. */
bool birth_date_holds(int year, int month, int day);

/* card.c: a card number that begins at `at`. `named`: a key says that it is one. */
bool card_at(const struct text *t, size_t at, bool named, struct span *ret);
/* iban.c: an IBAN that begins at `at`; where a key names it, whatever its groups. */
bool iban_at(const struct text *t, size_t at, bool named, struct span *ret);
/* us.c: a social security number with dashes at `at`; nine digits in any form after a key that names it. */
bool us_ssn_at(const struct text *t, size_t at, struct span *ret);
bool us_ssn_holds(const char *digits, size_t n);
bool us_itin_holds(const char *digits, size_t n);
/* phone.c: an international number whose '+' is at `at`; a national one, named by a key, that begins at `at`. */
bool phone_at(const struct text *t, size_t at, struct span *ret);
bool phone_national_at(const struct text *t, size_t at, struct span *ret);
/* email.c: an address whose '@' is at `at`. */
bool email_at(const struct text *t, size_t at, struct span *ret);
/* An address in a URL, its '@' written %40, that begins at `at`. */
bool email_encoded_at(const struct text *t, size_t at, struct span *ret);
bool tld_known(const uint8_t *tld, size_t len);
/* url.c: the password of a URL's user part whose '@' is at `at`. */
bool url_password_at(const struct text *t, size_t at, struct span *ret);
/* The signature at `at` of a URL that opens something for a while; its key begins at `key`. */
bool url_signature_at(const struct text *t, size_t key, size_t at, struct span *ret);
/* Is the key=value at `key` part of a connection string or of a database URL? */
bool in_connection_string(const struct text *t, size_t key);
/* jwt.c: a JSON Web Token that begins at `at`. */
bool jwt_at(const struct text *t, size_t at, struct span *ret);
/* pem.c: a private key whose "-----BEGIN" begins at `at`. */
bool pem_at(const struct text *t, size_t at, struct span *ret);
/* ip.c: a public address that begins at `at`; a device address there. */
bool public_ip_at(const struct text *t, size_t at, struct span *ret);
/* May it be a version as well, four small numbers: 4.17.14.3? */
bool version_like(const struct text *t, const struct span *ip);
bool mac_at(const struct text *t, size_t at, struct span *ret);
/* vendor.c: a vendor's key that begins at `at`. */
bool vendor_at(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity);
/* The same where a prefix ends at `at` that is words of its own: "discord.com/api/webhooks/". */
bool vendor_behind(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity);
/* Does the text end in what begins as a vendor's key does: a whole prefix (of at least three bytes) at `at` and a part of the rest? */
bool vendor_begins(const struct text *t, size_t at);
/* Build the tables of vendor.c and keys.c; before anything else of them, any number of times, from any thread. */
void vendor_prepare(void);
void keyvalue_prepare(void);
/* national.c: does the number (separators removed, upper case) hold as an entity of this kind? */
bool national_holds(enum entity_id entity, const char *value, size_t n);
/* The id that begins at `at`, with or without separators. */
bool national_at(const struct text *t, size_t at, enum entity_id entity, struct span *ret);
bool codice_fiscale_at(const struct text *t, size_t at, struct span *ret);
/* health.c, place.c and others, all named by a key. */
bool cvv_at(const struct text *t, size_t at, struct span *ret);
bool birth_date_at(const struct text *t, size_t at, struct span *ret);
/* named_lat: the key is "lat". */
bool geo_at(const struct text *t, size_t at, bool named_lat, struct span *ret);
bool health_code_at(const struct text *t, size_t at, struct span *ret);
bool person_name_at(const struct text *t, size_t at, struct span *ret);
/* keyvalue.c: what a key's value is, where the key ends right before `sep` ('=', ':' or a space). */
void keyvalue_at(const struct text *t, size_t sep, struct matches *m);
/* The same of two arguments of a call, set("KEY", "value"), with the comma at `comma`. */
void argument_at(const struct text *t, size_t comma, struct matches *m);
/* The value of a command's option, "--name value", whose first dash is at `dash`. */
void option_named_at(const struct text *t, size_t dash, struct matches *m);
/* A token at `at`, after its name and a blank. */
void named_token_at(const struct text *t, size_t at, struct matches *m);
/* manifest.c: the values of a Kubernetes Secret, whose `kind` ends before `sep` and has its value at `at`. */
void manifest_at(const struct text *t, size_t sep, size_t at, struct matches *m);
/* keyvalue.c: the value after `sep`, of a key of this kind (keys.h) that stands elsewhere. */
void value_named_at(const struct text *t, size_t sep, int kind, const struct keyname *name, struct matches *m);
/* insert.c: the values of an INSERT, whose word VALUES begins at `values` and ends before `sep`. */
void insert_at(const struct text *t, size_t values, size_t sep, struct matches *m);
/* The values of the list that opens at `open`, all of the key `name`. */
void in_list_at(const struct text *t, size_t open, int kind, const struct keyname *name, struct matches *m);
/* commands.c: the password of a protocol's command, whose word ends before `sep`: AUTH, PASS, LOGIN. */
bool command_at(const struct text *t, size_t sep, struct matches *m);
/* options.c: a password among the options of a command, of which one's dash is at `dash`. */
bool option_at(const struct text *t, size_t dash, struct span *ret);
/* bearer.c: the token after "Bearer " or the credentials after "Basic ". */
bool authorization_value(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity);
/* What an Authorization header at `at` holds of another scheme, or of none. */
bool authorization_other(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity);
void authorization_at(const struct text *t, size_t value, struct matches *m);

#endif
