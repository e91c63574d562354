/*
 * What a key says of the value after it: the kinds, and the key that ends before a separator. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_KEYS_H
#define GAPSCOPE_SCAN_KEYS_H

#include "scan/entities.h"
#include "scan/keyname.h"
#include "scan/text.h"

enum kind {
	KIND_PASSWORD,
	KIND_SECRET,
	KIND_SOME_KEY,
	KIND_AUTHORIZATION,
	KIND_AWS_SECRET,
	KIND_AZURE_STORAGE,
	KIND_SESSION,
	KIND_CVV,
	KIND_BIRTH,
	KIND_GEO,
	KIND_HEALTH,
	KIND_NAME,
	KIND_PHONE,
	KIND_CLIENT_IP,
	KIND_MAC,
	KIND_CARD,
	KIND_IBAN,
	KIND_NATIONAL,
	KIND_EMAIL,
	KIND_PGPASS,    /* host:5432:database:user:password */
	KIND_MANIFEST,  /* kind: Secret */
	KIND_INSERT,    /* (id, password) VALUES (7, 'hunter2') */
	KIND_LINK,      /* a URL within a query */
	KIND_COMMAND,   /* LOGIN user password */
	KIND_COOKIE,    /* session=… in a Cookie header */
	KIND_TYPE,      /* a type between the key and the '=': var token string = … */
	KIND_SIGNATURE, /* of a URL that opens what it names */
	KIND_SERVICE,   /* a service that has keys, by its own name */
	KIND_NUMBER,    /* aadhaar_number: the word before says which */
	KIND_OWNER,     /* cpf_cliente, senhaUsuario: so does it in languages that put whose it is behind */
	KIND_VALUE,     /* <add key="Password" value="…" /> */
	/* from here on: an entity that national_at() knows */
	KIND_ENTITY,
};

#define KIND_US_SSN (KIND_ENTITY + ENTITY_US_SSN)
#define KIND_US_ITIN (KIND_ENTITY + ENTITY_US_ITIN)
#define KIND_BR_CPF (KIND_ENTITY + ENTITY_BR_CPF)
#define KIND_BR_CNPJ (KIND_ENTITY + ENTITY_BR_CNPJ)
#define KIND_CA_SIN (KIND_ENTITY + ENTITY_CA_SIN)
#define KIND_ES_NIF (KIND_ENTITY + ENTITY_ES_NIF)
#define KIND_FI_HETU (KIND_ENTITY + ENTITY_FI_HETU)
#define KIND_FR_NIR (KIND_ENTITY + ENTITY_FR_NIR)
#define KIND_IT_CODICE_FISCALE (KIND_ENTITY + ENTITY_IT_CODICE_FISCALE)
#define KIND_NL_BSN (KIND_ENTITY + ENTITY_NL_BSN)
#define KIND_PL_PESEL (KIND_ENTITY + ENTITY_PL_PESEL)
#define KIND_SE_PERSONNUMMER (KIND_ENTITY + ENTITY_SE_PERSONNUMMER)
#define KIND_CN_RIC (KIND_ENTITY + ENTITY_CN_RIC)
#define KIND_KR_RRN (KIND_ENTITY + ENTITY_KR_RRN)
#define KIND_AU_TFN (KIND_ENTITY + ENTITY_AU_TFN)
#define KIND_UK_NINO (KIND_ENTITY + ENTITY_UK_NINO)
#define KIND_UK_NHS (KIND_ENTITY + ENTITY_UK_NHS)
#define KIND_IN_AADHAAR (KIND_ENTITY + ENTITY_IN_AADHAAR)
#define KIND_DE_STEUER_ID (KIND_ENTITY + ENTITY_DE_STEUER_ID)
#define KIND_BE_NN (KIND_ENTITY + ENTITY_BE_NN)
#define KIND_DK_CPR (KIND_ENTITY + ENTITY_DK_CPR)
#define KIND_NO_FNR (KIND_ENTITY + ENTITY_NO_FNR)
#define KIND_CH_AHV (KIND_ENTITY + ENTITY_CH_AHV)
#define KIND_PT_NIF (KIND_ENTITY + ENTITY_PT_NIF)
#define KIND_TR_TCKN (KIND_ENTITY + ENTITY_TR_TCKN)
#define KIND_DE_ID_CARD (KIND_ENTITY + ENTITY_DE_ID_CARD)
#define KIND_VIN (KIND_ENTITY + ENTITY_VIN)
#define KIND_IMEI (KIND_ENTITY + ENTITY_IMEI)

/* Kind of the key that ends right before `sep`, or -1. */
int keys_kind_before(const struct text *t, size_t sep, struct keyname *ret_name);
/* The same where the blanks of a column or a number (password2) may stand between the key and its separator. */
int keys_kind_at(const struct text *t, size_t sep, struct keyname *ret_name);

#endif
