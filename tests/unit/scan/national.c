/*
 * National ids: published examples after their key are found, one digit off or without a key they are not.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void valid(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"cpf=529.982.247-25", "BR_CPF=529.982.247-25"},
		{"CNPJ=11.222.333/0001-81", "BR_CNPJ=11.222.333/0001-81"},
		{"sin=130 000 003", "CA_SIN=130 000 003"},
		{"nif=12345678Z", "ES_NIF=12345678Z"},
		{"nie=X1234567L", "ES_NIF=X1234567L"},
		{"henkilotunnus=131052-308T", "FI_HETU=131052-308T"},
		{"hetu=131052A308T", "FI_HETU=131052A308T"},
		{"nir=2 55 08 14 168 025 38", "FR_NIR=2 55 08 14 168 025 38"},
		{"nir=255081416802538", "FR_NIR=255081416802538"},
		{"codice_fiscale=RSSMRA85T10A562S", "IT_CODICE_FISCALE=RSSMRA85T10A562S"},
		{"bsn=111222333", "NL_BSN=111222333"},
		{"pesel=44051401359", "PL_PESEL=44051401359"},
		{"personnummer=811228-9874", "SE_PERSONNUMMER=811228-9874"},
		{"personnummer=19811228-9874", "SE_PERSONNUMMER=19811228-9874"},
		{"ric=11010519491231002X", "CN_RIC=11010519491231002X"},
		{"rrn=9001011234568", "KR_RRN=9001011234568"},
		{"tfn=123 456 782", "AU_TFN=123 456 782"},
		{"nino=AB123456C", "UK_NINO=AB123456C"},
		{"nhs number=943 476 5919", "UK_NHS=943 476 5919"},
		{"aadhaar=2345 6789 0124", "IN_AADHAAR=2345 6789 0124"},
		{"steuer-id=86095742719", "DE_STEUER_ID=86095742719"},
		{"rijksregisternummer=85.07.30-033 28", "BE_NN=85.07.30-033 28"},
		{"cpr=211062-5629", "DK_CPR=211062-5629"},
		{"fnr=01019010046", "NO_FNR=01019010046"},
		{"ahv=756.9217.0769.85", "CH_AHV=756.9217.0769.85"},
		{"contribuinte=123456789", "PT_NIF=123456789"},
		{"tckn=10000000146", "TR_TCKN=10000000146"},
		{"vin=1M8GDM9AXKP042788", "VIN=1M8GDM9AXKP042788"},
		{"imei=490154203237518", "IMEI=490154203237518"},
		{"national id 529.982.247-25 (cpf)", "BR_CPF=529.982.247-25"},
		{"\"pesel\":\"44051401359\"", "PL_PESEL=44051401359"},
		{"assigned RSSMRA85T10A562S to x", "IT_CODICE_FISCALE=RSSMRA85T10A562S"},
		{"BSN: 111222333", "NL_BSN=111222333"},
		{"bsn=1234560", "NL_BSN=1234560"},
		{"cnpj=12.ABC.345/01DE-35", "BR_CNPJ=12.ABC.345/01DE-35"},
		{"cpf=529 . 982__247---25", "BR_CPF=529 . 982__247---25"},
		{"codice fiscale: 00743110157", "IT_CODICE_FISCALE=00743110157"},
		{"imei=35-209900-176148-23", "IMEI=35-209900-176148-23"},
		{"contribuinte: PT 123456789", "PT_NIF=123456789"},
		{"personalausweis=T220001293", "DE_ID_CARD=T220001293"},
		{"ausweisnummer: T220001293D", "DE_ID_CARD=T220001293D"},
		{"personalausweis: \xf0\x9f\x87\xa9\xf0\x9f\x87\xaaT220001293", "DE_ID_CARD=T220001293"},
		{"pesel \xe2\x80\x9e"
		 "44051401359\xe2\x80\x9d",
		 "PL_PESEL=44051401359"},
		{"pesel=44951401356", "PL_PESEL=44951401356"}, /* no day of any year */
	};
	FIND_ALL(rows);
}

static void invalid(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"cpf=529.982.247-26", ""},
		{"personalausweis=T220001294", ""},
		{"hetu=131052--308T", ""},
		{"cpr=211052-5629", ""},
		{"ssn=1112-23333", ""},
		{"nir=255081416802538 1", ""},
		{"CNPJ=11.222.333/0001-82", ""},
		{"sin=130 000 004", ""},
		{"nif=12345679Z", ""},
		{"nie=X1234568L", ""},
		{"henkilotunnus=131052-309T", ""},
		{"hetu=131052A309T", ""},
		{"nir=2 55 08 14 168 025 39", ""},
		{"nir=255081416802539", ""},
		{"codice_fiscale=RSSMRA85T10A563S", ""},
		{"bsn=111222334", ""},
		{"pesel=44051401350", ""},
		{"pesel=00000000000", ""},
		{"personnummer=811228-9875", ""},
		{"personnummer=19811228-9875", ""},
		{"ric=11010519491231003X", ""},
		{"rrn=9001011234569", ""},
		{"tfn=123 456 783", ""},
		{"nhs number=943 476 5910", ""},
		{"aadhaar=2345 6789 0125", ""},
		{"steuer-id=86095742710", ""},
		{"rijksregisternummer=85.07.30-033 29", ""},
		{"fnr=01019010047", ""},
		{"ahv=756.9217.0769.86", ""},
		{"contribuinte=123456780", ""},
		{"tckn=10000000147", ""},
		{"vin=1M8GDM9AXKP042789", ""},
		{"imei=490154203237519", ""},
		{"cpf=111.111.111-11", ""},
		{"cpr=310262-5629", ""},
		{"nino=BG123456C", ""},
		{"pod 12345678Z", ""},
		{"rows=44051401359", ""},
		{"131052-308T", ""},
		{"using 111222333", ""},
		{"cousin=130000008", ""},
	};
	FIND_ALL(rows);
}

static void check_digits(void **state)
{
	(void)state;
	/* of the ten last digits of a number exactly one holds */
	static const struct {
		enum entity_id entity;
		const char *value;
	} ids[] = {{ENTITY_BR_CPF, "52998224725"},       {ENTITY_PL_PESEL, "44051401359"},   {ENTITY_IMEI, "490154203237518"},
		   {ENTITY_CH_AHV, "7569217076985"},     {ENTITY_PT_NIF, "123456789"},       {ENTITY_TR_TCKN, "10000000146"},
		   {ENTITY_DE_STEUER_ID, "86095742719"}, {ENTITY_IN_AADHAAR, "234567890124"}};
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		char value[32];
		size_t n = strlen(ids[i].value), holds = 0;
		memcpy(value, ids[i].value, n + 1);
		for (char last = '0'; last <= '9'; last++) {
			value[n - 1] = last;
			holds += national_holds(ids[i].entity, value, n);
		}
		assert_int_equal(holds, 1);
		assert_false(national_holds(ids[i].entity, ids[i].value, n - 1));
	}
	assert_false(national_holds(ENTITY_EMAIL, "x", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid),
		cmocka_unit_test(invalid),
		cmocka_unit_test(check_digits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
