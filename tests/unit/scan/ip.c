/*
 * Addresses: public ones after a client's key.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void addresses(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"client_ip=8.8.4.4", "IP_ADDRESS_PUBLIC=8.8.4.4"},
		{"client=81.17.14.3", "IP_ADDRESS_PUBLIC=81.17.14.3"},
		{"the user_ip is 81.59.212.236", "IP_ADDRESS_PUBLIC=81.59.212.236"},
		{"peer 194.107.7.230:51234", "IP_ADDRESS_PUBLIC=194.107.7.230"},
		{"login from 168.11.116.153", "IP_ADDRESS_PUBLIC=168.11.116.153"},
		{"X-Forwarded-For: fcfe:125f:7aa8:4887:e95b:3b79:afe6:10ee",
		 "IP_ADDRESS_PUBLIC=fcfe:125f:7aa8:4887:e95b:3b79:afe6:10ee"},
		{"peer d1b:f98:47e7:7c0d:4fa9:301e:1ca1:29a0:51234", "IP_ADDRESS_PUBLIC=d1b:f98:47e7:7c0d:4fa9:301e:1ca1:29a0"},
		{"remote_addr=2a00:1450::200e", "IP_ADDRESS_PUBLIC=2a00:1450::200e"},
		{"device_mac=5c:50:15:4c:18:13", "MAC_ADDRESS=5c:50:15:4c:18:13"},
	};
	FIND_ALL(rows);
}

static void none(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"client=4.17.14.3 proto=3", ""},     {"peer: 9.10.3.17", ""},
		{"client_ip=10.1.2.3", ""},           {"client_ip=127.0.0.1", ""},
		{"client_ip=192.168.1.1", ""},        {"client_ip=172.16.0.1", ""},
		{"client_ip=169.254.169.254", ""},    {"client_ip=100.64.0.1", ""},
		{"client_ip=203.0.113.7", ""},        {"client_ip=224.0.0.1", ""},
		{"client_ip=256.1.1.1", ""},          {"client_ip=1.2.3", ""},
		{"client_ip=8.8.4.4.4", ""},          {"client_ip=::1", ""},
		{"client_ip=fe80::1:2", ""},          {"client_ip=fd7c:d7d8::17", ""},
		{"client_ip=2001:db8::1", ""},        {"client_ip=1:2:3", ""},
		{"version=82.14.92.106", ""},         {"kernel 46.14.117.81", ""},
		{"Chrome/69.11.79.14", ""},           {"mac=61:7e:b6:ec:f7:3e", ""},
		{"client_mac=00:00:00:00:00:00", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
