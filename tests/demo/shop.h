/*
 * What the shop does with an order. Written twice: careless.c as it is often written, careful.c as it should be. Both pass every test
 * that looks at answers only.
 */
#ifndef DEMO_SHOP_H
#define DEMO_SHOP_H

#include <netinet/in.h>

struct order {
	unsigned int number;
	char item[32], card[32], email[64];
};

/* The dependencies. */
struct shop {
	struct sockaddr_in payments, inventory;
};

/* Prepare a connection that a customer has opened. */
void customer_accepted(int fd);
/* Take one of the item out of the inventory. 0, or -1 if it cannot be had. */
int inventory_reserve(const struct shop *s, const struct order *o);
/* Charge the card. 0 or -1. */
int payments_charge(const struct shop *s, const struct order *o);
/* One line into the log. */
void log_order(const struct order *o, const char *outcome);

#endif
