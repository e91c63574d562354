/*
 * What stands in MySQL's packets: numbers of one to nine bytes, flags behind an OK, the first packets of both sides, errors that pass. Pure
 * functions; `b` is a packet with its head of four bytes, as far as it was captured.
 */
#ifndef GAPSCOPE_PROTOCOLS_MYSQL_WIRE_H
#define GAPSCOPE_PROTOCOLS_MYSQL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MYSQL_MORE_RESULTS 0x8U /* of the server's state */

bool mysql_number(const uint8_t *b, size_t len, size_t *at, uint64_t *ret);
bool mysql_more_after_ok(const uint8_t *b, size_t len);
bool mysql_is_transient(unsigned int code);
bool mysql_is_greeting(const uint8_t *b, size_t len);
bool mysql_is_login(const uint8_t *b, size_t len);

#endif
