/*
 * What languages and frameworks write between a key and its value.
 */
#include "scan/carrier.h"

#include "scan/find.h"

static void wrapped(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"User { id: 7, password: Some(\"Tr0ub4dor\"), ok: true }", "PASSWORD=Tr0ub4dor"},
		{"User(id: 7, phone: Optional(\"+49 151 23456789\"))", "PHONE=+49 151 23456789"},
		{"[(b'accept', b'*/*'), (b'password', b'Tr0ub4dor')]", "PASSWORD=Tr0ub4dor"},
		{"\"HSET\" \"user:1\" \"password\" \"Tr0ub4dor\"", "PASSWORD=Tr0ub4dor"},
		{"columns \"email\" \"password\" \"phone\"", ""},
		{"| rootPassword | Tr0ub4dor |", "PASSWORD=Tr0ub4dor"},
		{"| password | phone |", ""},
		{"password\tTr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"id\temail\tpassword\tname", ""},
		{"imei\t350094791535973\tok", "IMEI=350094791535973"},
		{"{'password': b'Tr0ub4dor'}", "PASSWORD=Tr0ub4dor"},
		{"UPDATE u SET password = N'Tr0ub4dor' WHERE id = 7", "PASSWORD=Tr0ub4dor"},
		{"  [\"password\"]=>\n  string(9) \"Tr0ub4dor\"\n", "PASSWORD=Tr0ub4dor"},
		{"Field error in object 'user' on field 'password': rejected value [Tr0ub4dor]; codes [NotBlank]",
		 "PASSWORD=Tr0ub4dor"},
		/* PHP says who may see a property, Go of which type a value is, databases which one they would not take */
		{"  [\"password\":protected]=>\n  string(9) \"Tr0ub4dor\"\n", "PASSWORD=Tr0ub4dor"},
		{"  [\"password\":\"App\\User\":private]=>\n  string(9) \"Tr0ub4dor\"\n", "PASSWORD=Tr0ub4dor"},
		{"    [password:App\\User:private] => Tr0ub4dor\n", "PASSWORD=Tr0ub4dor"},
		{"    [phone:protected] => 0151 23456789\n", "PHONE=0151 23456789"},
		{" password: (string) (len=9) \"Tr0ub4dor\",", "PASSWORD=Tr0ub4dor"},
		{"http.Header{\"X-Phone\":[]string{\"0151 23456789\"}}", "PHONE=0151 23456789"},
		{"{\"password\":{\"S\":\"Tr0ub4dor\"},\"id\":{\"N\":\"1\"}}", "PASSWORD=Tr0ub4dor"},
		{"{\\\"password\\\":{\\\"S\\\":\\\"Tr0ub4dor\\\"}}", "PASSWORD=Tr0ub4dor"},
		{"{\"filter\": {\"ssn\": {\"$eq\": \"536-90-4399\"}}}", "US_SSN=536-90-4399"},
		{"{\"password\": {\"$ref\": \"#/definitions/password\"}}", ""},
		{"{\"password\": {\"type\": \"string\"}}", ""},
		{"DETAIL:  Key (phone)=(0151 23456789) already exists.", "PHONE=0151 23456789"},
		{"User { phone: String(\"0151 23456789\") }", "PHONE=0151 23456789"},
		/* what a field was before, and is now */
		{"\"password\"=>[nil, \"Tr0ub4dor\"]", "PASSWORD=Tr0ub4dor"},
		{"{\"changes\":{\"password\":[null,\"Tr0ub4dor\"]}}", "PASSWORD=Tr0ub4dor"},
		{"password=None, user=bob", ""},
		{"password: null, name: x", ""},
		{"password: Some(\"\")", ""},
		{"password: None", ""},
		{"bsn | 111222333", "NL_BSN=111222333"},
		{"| password | email | name |", ""},
		{"const password = process.env.APP_PASSWORD || \"not-set\"", ""},
	};
	FIND_ALL(rows);
}

static void elements(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"<wsse:Password Type=\"http://docs.oasis-open.org/wss#PasswordText\">Tr0ub4dor</wsse:Password>",
		 "PASSWORD=Tr0ub4dor"},
		{"<password xsi:type=\"xsd:string\">Tr0ub4dor</password>", "PASSWORD=Tr0ub4dor"},
		{"<bsn xsi:type=\"xsd:string\">111222333</bsn>", "NL_BSN=111222333"},
		{"<dob format='iso'>1984-10-12<\\/dob>", "DOB=1984-10-12"},
		{"<password>Tr0ub4dor</password>", "PASSWORD=Tr0ub4dor"},
		/* what follows an element is not its text */
		{"<password></password> Tr0ub4dor", ""},
		{"<a>1</a></password>Tr0ub4dor", ""},
		{"<password enc=\"sha1\"></password>\nTr0ub4dor", ""},
	};
	FIND_ALL(rows);
}

static void pairs(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"  User Update (0.4ms)  UPDATE \"users\" SET \"pin\" = $1  [[\"password\", \"Tr0ub4dor\"], [\"dob\", "
		 "\"1984-10-12\"]]",
		 "PASSWORD=Tr0ub4dor;DOB=1984-10-12"},
		{"[('accept', '*/*'), ('phone', '0151 23456789')]", "PHONE=0151 23456789"},
		{"['app', '--db-password', 'Tr0ub4dor', '-x']", "PASSWORD=Tr0ub4dor"},
		{"[\"app\",\"--phone\",\"0151 23456789\"]", "PHONE=0151 23456789"},
		{"[\"app\",\"--password\",\"--verbose\"]", ""},
		{"[('_session_id', '9EC3678DDFC1B7BA8C86483571BC2BB7')]", "SESSION_COOKIE=9EC3678DDFC1B7BA8C86483571BC2BB7"},
		/* names, not a name and its value */
		{"[\"password\", \"username\"]", ""},
		{"required: [\"first_name\", \"Last_name\"]", ""},
		{"[[\"password\", \"a1b2c3d4\", \"x\"]]", ""},
	};
	FIND_ALL(rows);
}

/* Words about a password, and code that handles one. */
static void no_values(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"password = getpass.getpass('Password: ')", ""},
		{"self.password = kwargs.pop('password', None)", ""},
		{"assert user.password == hashed_password, 'mismatch'", ""},
		{"fn login(user: &str, password: Option<String>) -> bool", ""},
		{"password=(hidden)", ""},
		{"\xe5\xaf\x86\xe7\xa0\x81: \xe5\xbf\x85\xe5\xa1\xab", ""},
		{"has\xc5\x82o: nieprawid\xc5\x82owe dla bob", ""},
		{"mot de passe: requis", ""},
		{"<input name=\"password\">\n<label>x</label>", ""},
		{"MessageSid=SM5591a318d1c7c21a81bdad4ade41ea53", ""},
		{"[[\"first_name\", \"First name\"]]", ""},
	};
	FIND_ALL(rows);
}

static void copulas(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"the bsn is 111222333 now", "NL_BSN=111222333"},
		{"aadhaar number is 2341 2341 2346", "IN_AADHAAR=2341 2341 2346"},
		{"this is 111222333", ""},
		{"the password is short", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrapped), cmocka_unit_test(elements),  cmocka_unit_test(pairs),
		cmocka_unit_test(copulas), cmocka_unit_test(no_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
