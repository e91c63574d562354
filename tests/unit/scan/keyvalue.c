/*
 * Which key makes a value what it is, in the styles that logs use.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void styles(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"password=Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"MYSQLPASSWORD=Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"senhaUsuario=Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"{\"imei1\": \"350094791535973\"}", "IMEI=350094791535973"},
		{"password: Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"\"password\":\"Tr0ub4dor\"", "PASSWORD=Tr0ub4dor"},
		{"\\\"password\\\": \\\"Tr0ub4dor\\\"", "PASSWORD=Tr0ub4dor"},
		{"{'user': 'bob', 'password': 'Tr0ub4dor'}", "PASSWORD=Tr0ub4dor"},
		{"DB_PASSWORD=Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"userPassword: \"Tr0ub4dor\"", "PASSWORD=Tr0ub4dor"},
		{"pwd: Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"passwd=Tr0ub4dor host=db1", "PASSWORD=Tr0ub4dor"},
		{"POST /login?user=bob&password=Tr0ub4dor&x=1 HTTP/1.1", "PASSWORD=Tr0ub4dor"},
		{"ALTER USER bob IDENTIFIED BY 'Tr0ub4dor'", "PASSWORD=Tr0ub4dor"},
		{"<password>Tr0ub4dor</password>", "PASSWORD=Tr0ub4dor"},
		{"password => Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"(password=Tr0ub4dor)", "PASSWORD=Tr0ub4dor"},
		{"password2=Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"db.password              = Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"{\"name\":\"password\",\"value\":\"Tr0ub4dor\"}", "PASSWORD=Tr0ub4dor"},
		{"{\"name\": \"password\", \"value\": \"Tr0ub4dor\"}", "PASSWORD=Tr0ub4dor"},
		{"<add key=\"Password\" value=\"Tr0ub4dor\" />", "PASSWORD=Tr0ub4dor"},
		{"\\\\\\\"password\\\\\\\": \\\\\\\"Tr0ub4dor\\\\\\\", \\\\\\\"a\\\\\\\"", "PASSWORD=Tr0ub4dor"},
		{"<password><![CDATA[Tr0ub4dor]]></password>", "PASSWORD=Tr0ub4dor"},
		{"the default password is \"Tr0ub4dor\"", "PASSWORD=Tr0ub4dor"},
	};
	FIND_ALL(rows);
}

/* Forms of the web: brackets and blanks are written in their own way there. */
static void forms(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"user%5Bpassword%5D=Tr0ub4dor&commit=1", "PASSWORD=Tr0ub4dor"},
		{"user%5bcpf%5d=529.982.247-25&commit=1", "BR_CPF=529.982.247-25"},
		{"a=1%26cpf=529.982.247-25", "BR_CPF=529.982.247-25"},
		{"user%5Bid%5D=529.982.247-25", ""},
		{"card_number=4539+5787+6362+1486&x=1", "CREDIT_CARD=4539+5787+6362+1486"},
		{"phone=0151+23456789&x=1", "PHONE=0151+23456789"},
		{"password=Tr0ub+4dor&x=1", "PASSWORD=Tr0ub+4dor"},
	};
	FIND_ALL(rows);
}

/* The name of a value stands on the line before it, or a row before says it. */
static void named_elsewhere(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"  - name: DB_PASSWORD\n    value: Tr0ub4dor\n", "PASSWORD=Tr0ub4dor"},
		{"- name: \"SSN\"\n  value: \"536-90-4399\"\n", "US_SSN=536-90-4399"},
		{"- name: phone_1\n  value: 0151 23456789\n", "PHONE=0151 23456789"},
		{"- name: aadhaar_number\n  value: 234123412346\n", "IN_AADHAAR=234123412346"},
		{"- rename: DB_PASSWORD\n  value: Tr0ub4dor\n", ""},
		{"- name: DB_PASSWORD\n\n  value: Tr0ub4dor\n", ""},
		{"- name: DB_PASSWORD\n  other: Tr0ub4dor\n", ""},
		{"[{\"name\": \"bsn_number\", \"value\": \"111222333\"}]", "NL_BSN=111222333"},
		{"no match for NI number AB123456C.", "UK_NINO=AB123456C"},
		{"part number AB123456C.", ""},
	};
	FIND_ALL(rows);
}

/* Keys of people, devices and states that say which number theirs is. */
static void more_keys(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"guestName=Jane Doe", "PERSON_NAME=Jane Doe"},
		{"{\"passenger_name\": \"Jane Doe\"}", "PERSON_NAME=Jane Doe"},
		{"sourceIPAddress=81.2.69.142", "IP_ADDRESS_PUBLIC=81.2.69.142"},
		{"login_ip: 81.2.69.142", "IP_ADDRESS_PUBLIC=81.2.69.142"},
		{"ip_address=81.2.69.142", ""},
		{"Calling-Station-Id = 3c:22:fb:0a:1b:2c", "MAC_ADDRESS=3c:22:fb:0a:1b:2c"},
		{"mac=3c:22:fb:0a:1b:2c", ""},
		{"social_insurance=193456787", "CA_SIN=193456787"},
		{"idNumber: 110101199003070418", ""},
		{"certNo: 11010519491231002X", "CN_RIC=11010519491231002X"},
		{"bindpw: Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"cvvCode=123", "CVV=123"},
		{"hetu_tunnus=131052-308T", "FI_HETU=131052-308T"},
		{"imeiNo=350094791535973", "IMEI=350094791535973"},
	};
	FIND_ALL(rows);
}

/* Where a secret is kept, what hides one, and what only looks like one. */
static void kept_elsewhere(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"secret=arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf", ""},
		{"password=vault:secret/data/db#password", ""},
		{"password=ssm:/prod/db/password", ""},
		{"password: op://vault/db/password", ""},
		{"password=***REMOVED***", ""},
		{"main.(*Client).SetPassword(0xc2f44753c3, 0x8)", ""},
		{"setPassword('Tr0ub4dor')", "PASSWORD=Tr0ub4dor"},
		{"build +39314290", ""},
		{"- pass `SocketAddr` by value", ""},
		{"basn6a16.png: PASS (1072 zero samples)", ""},
		{"docker run -v $PWD:/workdir acme/shop", ""},
		{"hash_password::<Sha256>(salt)", ""},
		{"Release GPG key: F3EF5F62A87FC27A22E643F714CE4FF5015AA242", ""},
		{"pass=Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"PWD:Tr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"calling +39314290", "PHONE=+39314290"},
		{"hw=4657867221493653", ""},
	};
	FIND_ALL(rows);
}

static void other_kinds(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"api_key=q8Zr2LmX0vTb7NcK", "API_KEY=q8Zr2LmX0vTb7NcK"},
		{"clientSecret: \"q8Zr2LmX0vTb7NcK\"", "API_KEY=q8Zr2LmX0vTb7NcK"},
		{"Cookie: JSESSIONID=57C8F17571A44E7B8630F668C29E12F2; lang=en", "SESSION_COOKIE=57C8F17571A44E7B8630F668C29E12F2"},
		{"acme_secret_access_key=123e4567-e89b-42d3-a456-42661417a000", "API_KEY=123e4567-e89b-42d3-a456-42661417a000"},
		{"access token 9f86d081884c7d659a2feaa0c55ad015 revoked", "API_KEY=9f86d081884c7d659a2feaa0c55ad015"},
		{"jwtsecret: \"7`D}/vYR)T;W]5EBrf;_&k>qX\"", "API_KEY=7`D}/vYR)T;W]5EBrf;_&k>qX"},
		{"token=70831112645482147712462212769507", "API_KEY=70831112645482147712462212769507"},
		{"acme-secret-123e4567-e89b-42d3-a456-42661417a000 used", "API_KEY=123e4567-e89b-42d3-a456-42661417a000"},
		{"acme-api-key-9f86d081884c7d659a2feaa0c55ad015", "API_KEY=9f86d081884c7d659a2feaa0c55ad015"},
		{"acmebird_key=q8Zr2LmX0vTb7NcKd3Wf6Hs9", "API_KEY=q8Zr2LmX0vTb7NcKd3Wf6Hs9"},
		{"mapbox_key: q8Zr2LmX0vTb7NcKd3Wf6Hs9", "API_KEY=q8Zr2LmX0vTb7NcKd3Wf6Hs9"},
		{"acme token 4f7gh2kq9w1zx8c3v5b6n7m0 sent", "API_KEY=4f7gh2kq9w1zx8c3v5b6n7m0"},
		{"https://a.io/c/f?sv=2022-11-02&se=2026-01-01&sp=r&sig=q8Zr2LmX0vTb7NcKd3Wf6Hs9Pj4Gy1Ba%2Bx%2FyQwe0%3D",
		 "URL_CREDENTIALS=q8Zr2LmX0vTb7NcKd3Wf6Hs9Pj4Gy1Ba%2Bx%2FyQwe0%3D"},
		{"get('SECRET_KEY', 'q8z#r2!lm$x0v@t(b7n&c%k_3wf6h^s9')", "API_KEY=q8z#r2!lm$x0v@t(b7n&c%k_3wf6h^s9"},
		{"cvv=123 dob=1984-10-12", "CVV=123;DOB=1984-10-12"},
		{"password=secret_A1 email bob@acme.io", "PASSWORD=secret_A1;EMAIL=bob@acme.io"},
	};
	FIND_ALL(rows);
}

static void nothing(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"sort_key=created_at", ""},
		{"Sec-WebSocket-Key: pcAGmnEW7hi5GTZ08kH63g==", ""},
		{"{\"name\":\"colour\",\"value\":\"Tr0ub4dor\"}", ""},
		{"secret not found: default/tls", ""},
		{"csrf token mismatch", ""},
		{"primary_key=id", ""},
		{"invalid password length: 3", ""},
		{"tokenizer=standard", ""},
		{"tokens_per_second=512.3", ""},
		{"password authentication failed for user \"app\"", ""},
		{"Failed password for invalid user admin from 10.0.0.5 port 22", ""},
		{"max_tokens=4096", ""},
		{"password=", ""},
		{"password: None", ""},
		{"\"password\":null", ""},
		{"password=${PW}", ""},
		{"pwd=%s", ""},
		{"api_key=********", ""},
		{"at com.acme.PasswordService.verify(PasswordService.java:247)", ""},
		{"compass=North12345", ""},
		{"sid=1", ""},
		{"\"password\":[\"This field is required.\"]", ""},
		{"password: wrong for user bob", ""},
		{"cache key 9f86d081884c7d659a2feaa0c55ad015 evicted", ""},
		{"token user-service-account-2024 expired", ""},
		{"cache-key-9f86d081884c7d659a2feaa0c55ad015", ""},
		{"idempotency-key-123e4567-e89b-42d3-a456-42661417a000", ""},
		{"my-token-7f8b9c6d5-x2vqk", ""},
		{"shop-secret-9f86d081884c7d659a2feaa0c55ad015.json", ""},
		{"is_private == address.ipv4_mapped.is_private", ""},
		{"protobuf_key:\"bytes,1,opt,name=key,proto3\"", ""},
		{"/x?sig=q8Zr2LmX0vTb7NcKd3Wf6Hs9Pj4Gy1Ba%2Bx%2FyQwe0%3D", ""},
		{"key com.acme.shop.OrderService20 missing", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(styles),    cmocka_unit_test(forms),          cmocka_unit_test(named_elsewhere),
		cmocka_unit_test(more_keys), cmocka_unit_test(kept_elsewhere), cmocka_unit_test(other_kinds),
		cmocka_unit_test(nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
