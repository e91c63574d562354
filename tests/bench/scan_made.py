#!/usr/bin/env python3
"""Quality of the scanner on values and log formats that were made up for this, by the package faker in many locales: a table by type
and one by format. None of it was looked at when the rules were written; what a run finds weak is a rule to make better, in general.

usage: scan_made.py GAPSCOPE [--seed N] [--show] [--lines N]
"""
import base64
import collections
import json
import os
import random
import string
import sys
import urllib.parse

from scan_corpora import percent, scan, table

VENV = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "venv", "bin", "python3")

try:
    import faker
except ImportError:
    if os.path.exists(VENV) and os.environ.get("GS_IN_VENV") is None:
        os.execve(VENV, [VENV] + sys.argv, os.environ | {"GS_IN_VENV": "1"})
    print("skipped: the Python package faker (tests/requirements.txt) is not here")
    sys.exit(77)

LOCALES = ("en_US en_GB de_DE fr_FR es_ES it_IT nl_NL pl_PL pt_BR pt_PT sv_SE fi_FI da_DK no_NO cs_CZ tr_TR el_GR ja_JP ko_KR zh_CN "
           "ru_RU uk_UA ar_SA he_IL hi_IN id_ID vi_VN fr_CH de_AT en_IN en_AU en_CA").split()
ALNUM = string.ascii_letters + string.digits


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.by_locale = {}
        for name in LOCALES:
            self.by_locale[name] = faker.Faker(name)
            self.by_locale[name].seed_instance(seed)

    def fake(self, *names):
        return self.by_locale[self.r.choice(names or LOCALES)]

    def word(self, n, letters=ALNUM):
        while True:
            w = "".join(self.r.choice(letters) for _ in range(n))
            if any(c.isdigit() for c in w) and any(c.isalpha() for c in w) or not any(c.isalpha() for c in letters):
                return w

    def luhn(self, body):
        total = sum(d if i % 2 else sum(divmod(2 * d, 10)) for i, d in enumerate(int(c) for c in reversed(body)))
        return body + str(-total % 10)


def card(m):
    prefix, n = m.r.choice([("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16), ("65", 16), ("3528", 16)])
    digits = m.luhn(prefix + m.word(n - 1 - len(prefix), string.digits))
    groups = [digits[:4], digits[4:10], digits[10:]] if n == 15 else [digits[i:i + 4] for i in range(0, 16, 4)]
    return m.r.choice([digits, "-".join(groups), " ".join(groups)])


def password(m):
    return m.r.choice([
        lambda: m.word(m.r.randint(10, 16)),
        lambda: m.fake("en_US", "de_DE", "fr_FR").first_name().replace(" ", "") + str(m.r.randint(10, 9999)) + m.r.choice("!$.#*"),
        lambda: m.word(6) + m.r.choice("!$%^*+@") + m.word(6),
        lambda: "-".join(m.fake("en_US").word() for _ in range(4)) + str(m.r.randint(1, 99)),
    ])()


def phone(m):
    code, lengths = m.r.choice([("1", [10]), ("44", [10]), ("49", [10, 11]), ("33", [9]), ("34", [9]), ("39", [10]), ("31", [9]), ("46", [9]),
                                ("48", [9]), ("55", [11]), ("81", [10]), ("86", [11]), ("91", [10]), ("61", [9]), ("420", [9]), ("351", [9])])
    n = m.r.choice(lengths)
    first = {"1": "2", "44": "7", "49": "1", "33": "6", "34": "6", "39": "3", "31": "6", "46": "7", "48": "6", "55": "1", "81": "9", "86": "1",
             "91": "9", "61": "4", "420": "7", "351": "9"}[code]
    rest = first + (m.r.choice("23456789") + m.word(n - 2, string.digits))
    if code == "1":
        rest = m.r.choice("23456789") + "1" + m.r.choice("3456789") + m.r.choice("23456789") + m.word(6, string.digits)
    if code == "86":
        rest = "13" + m.word(9, string.digits)
    if code == "49":
        rest = "15" + m.word(n - 2, string.digits)
    split = m.r.randint(2, 4)
    return "+" + code + m.r.choice(["", " ", "-", " ("]).replace(" (", " ") + m.r.choice([rest, rest[:split] + " " + rest[split:],
                                                                                       rest[:3] + "-" + rest[3:6] + "-" + rest[6:]])


def jwt(m):
    def part(o):
        return base64.urlsafe_b64encode(json.dumps(o, separators=(",", ":")).encode()).rstrip(b"=").decode()
    return ".".join((part({"alg": m.r.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}),
                     part({"sub": m.word(8), "exp": m.r.randint(10**9, 2 * 10**9)}), m.word(43)))


def pem(m):
    body = "".join(m.r.choice(ALNUM + "+/") for _ in range(256))
    kind = m.r.choice(["RSA ", "EC ", "", "OPENSSH "])
    lines = [f"-----BEGIN {kind}PRIVATE KEY-----"] + [body[i:i + 64] for i in range(0, 256, 64)] + [f"-----END {kind}PRIVATE KEY-----"]
    return "\\n".join(lines)


def birth(m):
    y, mo, d = m.r.randint(1940, 2012), m.r.randint(1, 12), m.r.randint(1, 28)
    month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[mo - 1]
    return m.r.choice([f"{y}-{mo:02}-{d:02}", f"{d:02}.{mo:02}.{y}", f"{mo:02}/{d:02}/{y}", f"{d:02}/{mo:02}/{y}", f"{y}/{mo:02}/{d:02}",
                       f"{d} {month} {y}", f"{y}{mo:02}{d:02}", f"{y}-{mo:02}-{d:02}T00:00:00Z"])


def vin(m):
    value = dict(zip("ABCDEFGH", range(1, 9))) | dict(zip("JKLMN", range(1, 6))) | {"P": 7, "R": 9} | dict(zip("STUVWXYZ", range(2, 10)))
    weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
    body = list(m.word(17, "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"))
    body[0] = m.r.choice("123JWSVYZ")
    body[8] = "0"
    rest = sum(w * (int(c) if c.isdigit() else value[c]) for w, c in zip(weights, body)) % 11
    body[8] = "X" if rest == 10 else str(rest)
    return "".join(body)


def email(m):
    f = m.fake("en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "pt_BR", "sv_SE", "nl_NL", "fi_FI")
    local = f.user_name() + m.r.choice(["", "+news", ".x", "_1", str(m.r.randint(1, 99))])
    return local + "@" + m.r.choice(["gmail.com", "gmx.de", "orange.fr", f.domain_word() + m.r.choice([".com", ".io", ".co.uk", ".com.br", ".dev"])])


def aws(m):
    return "AKIA" + m.word(16, string.ascii_uppercase + "234567")


# type: (how a value is made, keys that it may stand after; None: it needs none)
KINDS = {
    "CREDIT_CARD": (card, [None, "card", "pan", "cardNumber", "credit_card"]),
    "EMAIL": (email, [None, "email", "user", "to", "contact_email"]),
    "PHONE": (phone, [None, "phone", "mobile", "tel"]),
    "PASSWORD": (password, ["password", "passwd", "pwd", "userPassword", "DB_PASSWORD", "new-password"]),
    "API_KEY": (lambda m: m.r.choice([m.word(32), m.word(40), m.word(32, "0123456789abcdef")]),
                ["api_key", "apiKey", "client_secret", "access_token", "X-Api-Key", "refresh_token", "secretKey"]),
    "JWT": (jwt, [None, "token", "id_token", "jwt"]),
    "PRIVATE_KEY": (pem, [None, "private_key", "key"]),
    "AWS_ACCESS_KEY_ID": (aws, [None, "accessKeyId", "aws_access_key_id"]),
    "AWS_SECRET_KEY": (lambda m: m.word(40, ALNUM + "+/"), ["aws_secret_access_key", "secretAccessKey", "AWS_SECRET_ACCESS_KEY"]),
    "GITHUB_TOKEN": (lambda m: "ghp_" + m.word(36), [None, "token", "GITHUB_TOKEN"]),
    "TRELLO_TOKEN": (lambda m: "ATTA" + m.word(72, "0123456789abcdef"), [None, "trello_token"]),
    "ADYEN_KEY": (lambda m: "AQE" + m.word(90) + "==" + "-" + m.word(40) + "=", [None, "adyenApiKey"]),
    "DBT_TOKEN": (lambda m: "dbtc_" + m.word(40), [None, "DBT_CLOUD_TOKEN"]),
    "LLAMACLOUD_KEY": (lambda m: "llx-" + m.word(48), [None, "key"]),
    "HONEYBADGER_TOKEN": (lambda m: "hbp_" + m.word(36), [None]),
    "NYLAS_KEY": (lambda m: "nyk_v0_" + m.word(64), [None, "nylasKey"]),
    "APIFY_TOKEN": (lambda m: "apify_api_" + m.word(36), [None, "token"]),
    "KAGGLE_TOKEN": (lambda m: "KGAT_" + m.word(32, "0123456789abcdef"), [None]),
    "POLAR_TOKEN": (lambda m: "polar_oat_" + m.word(43), [None, "polar_access_token"]),
    "MAILGUN_KEY": (lambda m: "-".join(m.word(n, "0123456789abcdef") for n in (32, 8, 8)), [None, "mailgun_key"]),
    "STRIPE_KEY": (lambda m: "sk_" + "live_" + m.word(24), [None, "stripe_key"]),
    "IBAN": (lambda m: m.fake("de_DE", "fr_FR", "en_GB", "it_IT", "es_ES", "nl_NL", "pl_PL", "pt_PT", "fi_FI", "no_NO", "de_AT", "fr_CH").iban(),
             [None, "iban", "account"]),
    "US_SSN": (lambda m: m.fake("en_US").ssn(), ["ssn", "social_security_number", "SSN"]),
    "BR_CPF": (lambda m: m.fake("pt_BR").cpf(), ["cpf", "CPF"]),
    "PL_PESEL": (lambda m: m.fake("pl_PL").pesel(), ["pesel", "PESEL"]),
    "IT_CODICE_FISCALE": (lambda m: m.fake("it_IT").ssn(), [None, "codice_fiscale", "codiceFiscale"]),
    "ES_NIF": (lambda m: m.fake("es_ES").nif(), ["nif", "dni"]),
    "FI_HETU": (lambda m: m.fake("fi_FI").ssn(), ["hetu", "henkilotunnus"]),
    "SE_PERSONNUMMER": (lambda m: m.fake("sv_SE").ssn(), ["personnummer"]),
    "NL_BSN": (lambda m: m.fake("nl_NL").ssn(), ["bsn", "burgerservicenummer"]),
    "CN_RIC": (lambda m: m.fake("zh_CN").ssn(), ["idcard", "ric", "id_card"]),
    "CVV": (lambda m: f"{m.r.randint(0, 999):03}", ["cvv", "cvc", "securityCode", "cvv2"]),
    "DOB": (birth, ["dob", "date_of_birth", "birthDate", "geburtsdatum"]),
    "GEO": (lambda m: f"{m.r.uniform(-89, 89):.5f},{m.r.uniform(-179, 179):.5f}", ["location", "latlng", "gps", "coordinates"]),
    "HEALTH": (lambda m: m.r.choice("ABCDEFGJKLMN") + f"{m.r.randint(0, 99):02}.{m.r.randint(0, 9)}", ["diagnosis", "icd10", "diagnosis_code"]),
    "PERSON_NAME": (lambda m: m.fake("en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "sv_SE").name(), ["full_name", "customerName", "cardholder"]),
    "IP_ADDRESS_PUBLIC": (lambda m: m.fake("en_US").ipv4_public(), ["client_ip", "remote_addr", "clientIp"]),
    "MAC_ADDRESS": (lambda m: m.fake("en_US").mac_address(), ["device_mac", "clientMac"]),
    "VIN": (vin, ["vin", "VIN"]),
    "IMEI": (lambda m: m.luhn("35" + m.word(12, string.digits)), ["imei", "IMEI"]),
    "SESSION_COOKIE": (lambda m: m.word(32, "0123456789ABCDEF"), ["JSESSIONID", "PHPSESSID", "session_id"]),
    "BEARER_TOKEN": (lambda m: m.word(40), ["Authorization: Bearer"]),
    "BASIC_AUTH": (lambda m: base64.b64encode((m.word(6) + ":" + m.word(10)).encode()).decode(), ["Authorization: Basic"]),
    "URL_CREDENTIALS": (lambda m: m.word(14), ["URL"]),
}


def stamp(m):
    return m.r.choice(["2026-03-0{} 12:{:02}:07,{:03}", "[0{}/Mar/2026:12:{:02}:07.{:03} +0000]", "2026-03-0{}T12:{:02}:07.{:03}Z", "Mar  {} 12:{:02}:07.{:03}"]).format(
        m.r.randint(1, 9), m.r.randint(0, 59), m.r.randint(0, 999))


def with_key(m, key, value):
    if key == "Authorization: Bearer":
        return "Authorization", "Bearer " + value
    if key == "Authorization: Basic":
        return "Authorization", "Basic " + value
    if key == "URL":
        return "url", m.r.choice(["postgres", "amqp", "mysql", "redis", "mongodb+srv", "https", "ftp"]) + f"://app:{value}@db{m.r.randint(1, 9)}.internal/shop"
    return key or "value", value


def json_line(m, k, v):
    return json.dumps({"ts": stamp(m), "level": "info", "user": {"id": m.r.randint(1, 10**6), k: v.replace("\\n", "\n")}, "ms": 3}, ensure_ascii=m.r.random() < .5)


def percent_url(m, k, v):
    return f'10.0.0.{m.r.randint(1, 250)} - - {stamp(m)} "GET /v1/x?n=3&{urllib.parse.quote(k)}={urllib.parse.quote(v, safe="")}&page=2 HTTP/1.1" 200 {m.r.randint(100, 9999)}'


FORMATS = {
    "plain": lambda m, k, v: f"{stamp(m)} INFO [main] checkout - {k}={v} done",
    "colon": lambda m, k, v: f"{stamp(m)} WARN {k}: {v}",
    "JSON, nested": json_line,
    "JSON in JSON": lambda m, k, v: json.dumps({"msg": "in", "body": json.dumps({"a": 1, k: v.replace("\\n", "\n"), "z": None})}),
    "JSON, indented": lambda m, k, v: json.dumps({"a": {k: v.replace("\\n", "\n")}}, indent=2),
    "logfmt": lambda m, k, v: f'ts={stamp(m).split()[0].strip("[]")} level=info caller=pay.go:{m.r.randint(10, 999)} {k.replace(" ", "_")}="{v}" took=12ms',
    "XML element": lambda m, k, v: f"<req id='{m.r.randint(1, 99)}'><{k}>{v}</{k}><n>1</n></req>",
    "XML attribute": lambda m, k, v: f'<user n="{m.r.randint(1, 99)}" {k}="{v}" active="true"/>',
    "CSV with quotes": lambda m, k, v: f'{stamp(m)};{k}="{v}";ok',
    "Java exception": lambda m, k, v: f"java.lang.IllegalStateException: rejected {k} [{v}] at com.acme.Pay.run(Pay.java:{m.r.randint(9, 400)})",
    "Java toString": lambda m, k, v: f"{stamp(m)} DEBUG Customer(id={m.r.randint(1, 9999)}, {k}={v}, active=true)",
    "Go %+v": lambda m, k, v: f"{stamp(m)} &{{ID:{m.r.randint(1, 999)} {k}:{v} Active:true}}",
    "Python repr": lambda m, k, v: f"{stamp(m)} ERROR got {{'id': {m.r.randint(1, 999)}, '{k}': '{v}', 'ok': True}}",
    "Ruby hash": lambda m, k, v: f'Parameters: {{"utf8"=>"x", "{k}"=>"{v}", "commit"=>"Go"}}',
    "SQL": lambda m, k, v: f"UPDATE users SET {k} = '{v}', n = n + 1 WHERE id = {m.r.randint(1, 999)}",
    "YAML": lambda m, k, v: f"    {k}: '{v}'",
    "tabs": lambda m, k, v: f"{stamp(m)}\t{m.r.randint(1, 99)}\t{k}:\t{v}\tend",
    "URL query": percent_url,
    "header dump": lambda m, k, v: f"> {k}: {v}\\r",
    "unicode around": lambda m, k, v: f"→ Größe ✓ {k}={v} naïve",
    "JSON in JSON in JSON": lambda m, k, v: json.dumps({"log": json.dumps({"m": json.dumps({"n": 1, k: v.replace("\\n", "\n")})})}),
    "JSON array of pairs": lambda m, k, v: json.dumps({"fields": [{"name": k, "value": v.replace("\\n", "\n")}], "n": m.r.randint(1, 99)}),
    "YAML, bare": lambda m, k, v: f"  {k}: {v}",
    "INI": lambda m, k, v: f"{k} = {v}",
    "Java map": lambda m, k, v: f"{stamp(m)} INFO c.a.Pay - got {{id={m.r.randint(1, 999)}, {k}={v}, ok=true}}",
    "Java record": lambda m, k, v: f"Order[id={m.r.randint(1, 999)}, {k}={v}]",
    "PHP array": lambda m, k, v: f"array ( 'id' => {m.r.randint(1, 999)}, '{k}' => '{v}', )",
    "PHP print_r": lambda m, k, v: f"    [{k}] => {v}",
    "Rust debug": lambda m, k, v: f'User {{ id: {m.r.randint(1, 999)}, {k}: "{v}", active: true }}',
    "Go %#v": lambda m, k, v: f'main.User{{ID:{m.r.randint(1, 999)}, {k}:"{v}", Active:true}}',
    "Go map": lambda m, k, v: f"{stamp(m)} got map[active:true {k}:{v} id:{m.r.randint(1, 999)}]",
    "Elixir": lambda m, k, v: f'%{{id: {m.r.randint(1, 999)}, {k}: "{v}"}}',
    "protobuf text": lambda m, k, v: f'user {{ id: {m.r.randint(1, 999)} {k}: "{v}" }}',
    "named tuple": lambda m, k, v: f"User(id={m.r.randint(1, 999)}, {k}='{v}')",
    "XML, CDATA": lambda m, k, v: f"<r><{k}><![CDATA[{v}]]></{k}></r>",
    "shell export": lambda m, k, v: f'+ export {k}="{v}"',
    "SQL insert": lambda m, k, v: f"INSERT INTO users (id, {k}) VALUES ({m.r.randint(1, 999)}, '{v}')",
    "syslog": lambda m, k, v: f"<134>Mar  {m.r.randint(1, 9)} 12:00:07 web-{m.r.randint(1, 9)} app[{m.r.randint(100, 9999)}]: {k}={v}",
    "CEF": lambda m, k, v: f"CEF:0|Acme|Shop|1.0|{m.r.randint(100, 999)}|login|3|src=10.0.0.{m.r.randint(1, 250)} {k}={v} outcome=ok",
    "arrow": lambda m, k, v: f"{stamp(m)} {k} -> {v}",
    "brackets": lambda m, k, v: f"{stamp(m)} [{k}={v}] [thread-{m.r.randint(1, 9)}]",
    "in parentheses": lambda m, k, v: f"{stamp(m)} rejected ({k}: {v})",
    "pipes": lambda m, k, v: f"{stamp(m)}|INFO|{k}={v}|{m.r.randint(1, 99)}",
    "escaped quotes": lambda m, k, v: f'msg="body={{\\"{k}\\":\\"{v}\\",\\"n\\":1}}"',
}
# What a format cannot hold, or holds as something else.
SKIP = {("URL query", "PRIVATE_KEY"), ("XML attribute", "BEARER_TOKEN"), ("XML attribute", "BASIC_AUTH")}


def negatives(m):
    """Lines with numbers and words that look like something and are not."""
    hexa = "0123456789abcdef"
    d = string.digits
    return [
        f"order 1{m.word(15, d)} shipped", f"order_id={m.luhn('4' + m.word(14, d))}", f"traceId={m.word(32, hexa)} spanId={m.word(16, hexa)}",
        f"ts={m.r.randint(17 * 10**14, 18 * 10**14)}", f"offset={m.luhn('5' + m.word(14, d))} lag=3", f"request id {m.fake('en_US').uuid4()}",
        f"commit {m.word(40, hexa)} merged", f"sha256:{m.word(64, hexa)}", f"ISBN {m.fake('en_US').isbn13()}", f"EAN {m.fake('en_US').ean13()}",
        f"tracking 1Z{m.word(16, string.ascii_uppercase + d)}", f"version 10.{m.r.randint(0, 99)}.{m.r.randint(1000, 30000)}.{m.r.randint(1, 999)}",
        f"block 0x{m.word(40, hexa)}", f"etag=\"{m.word(32, hexa)}\"", f"md5={m.word(32, hexa)} size={m.r.randint(10**9, 10**12)}",
        f"serial {m.luhn('35' + m.word(12, d))} plugged", f"at com.acme.Token$Inner{m.r.randint(1, 9)}.password(Token.java:{m.r.randint(1, 999)})",
        f"{m.word(8, hexa)}: {' '.join(m.word(4, hexa) for _ in range(8))}  |................|", f"eth0: {m.fake('en_US').mac_address()} up",
        f"heap 0x{m.word(12, hexa)}-0x{m.word(12, hexa)} rw-p", f"listening on 0.0.0.0:{m.r.randint(1024, 65535)}", f"GET /img/{m.word(20)}.png 200",
        f"cache key user:{m.r.randint(1, 10**9)}:profile", f"token expired after {m.r.randint(1, 9999)} s", f"password must have {m.r.randint(8, 20)} characters",
        f"invalid credentials for user {m.fake('en_US').user_name()}", f"pid {m.r.randint(1, 10**6)} exited {m.r.randint(0, 255)}", f"lat={m.r.uniform(.1, 90):.2f}ms p99={m.r.uniform(1, 900):.1f}ms",
        f"from 192.168.{m.r.randint(0, 255)}.{m.r.randint(1, 250)} port {m.r.randint(1024, 65535)}", f"batch {m.r.randint(10**8, 10**9)}-{m.r.randint(10, 99)}-{m.r.randint(1000, 9999)}",
        f"phone_count={m.r.randint(1, 10**6)} email_sent=true", f"cvv_check=pass avs_result={m.r.choice('YN')}", f"born process {m.r.randint(1, 9999)}",
        f"node-{m.word(5, string.ascii_lowercase + d)}-{m.word(10, hexa)} ready", f"queue=email.{m.fake('en_US').word()} depth={m.r.randint(1, 9999)}",
        f"name=\"{m.fake('en_US').word()}-service\" replicas={m.r.randint(1, 9)}", f"location=/api/v{m.r.randint(1, 9)}/items position={m.r.randint(1, 999)}",
        f"session timeout {m.r.randint(1, 99)} min; sid={m.r.randint(1, 9)}", f"user@{m.word(8, hexa)} (commit)", f"Chrome/{m.r.randint(80, 130)}.0.{m.r.randint(1000, 6000)}.{m.r.randint(1, 200)} Safari/537.36",
        f"snowflake {m.r.randint(10**17, 10**18)}", f"lsn={m.r.randint(10**9, 10**10)}/{m.word(8, hexa)}", f"base64 payload {base64.b64encode(m.r.randbytes(48)).decode()}",
        f"{m.r.randint(1, 12)}/{m.r.randint(1, 28)}/2026 {m.r.randint(10, 23)}:{m.r.randint(10, 59)} {m.word(9, d)} rows", f"secret \"{m.fake('en_US').word()}-tls\" mounted",
        f"epoch_us={m.r.randint(16 * 10**14, 18 * 10**14)}", f"at {m.r.randint(16 * 10**17, 18 * 10**17)} ns", f"unix {m.r.randint(16 * 10**8, 18 * 10**8)}.{m.word(6, d)}",
        f"pod checkout-{m.word(10, hexa)}-{m.word(5, string.ascii_lowercase + d)} evicted", f"image: registry.acme.io/shop@sha256:{m.word(64, hexa)}",
        f"traceparent: 00-{m.word(32, hexa)}-{m.word(16, hexa)}-01", f"X-Request-Id: {m.fake('en_US').uuid4()}", f"git-{m.word(7, hexa)} deployed by ci",
        f"fe80::{m.word(4, hexa)}:{m.word(4, hexa)}:{m.word(4, hexa)}:{m.word(4, hexa)}%eth0", f"#{m.r.randint(0, 30)} 0x{m.word(16, hexa)} in main () at main.c:{m.r.randint(1, 999)}",
        f"price={m.r.randint(1, 9999)}.{m.r.randint(10, 99)} EUR qty={m.r.randint(1, 99)}", f"libssl.so.3.0.{m.r.randint(1, 20)}-{m.r.randint(10**9, 10**10)}",
        f"parcel 00{m.word(18, d)} handed over", f"RR{m.word(9, d)}DE in transit", f"invoice {m.r.randint(2020, 2026)}-{m.word(8, d)} paid", f"sku=ACME-{m.word(4, d)}-{m.word(4, d)}",
        json.dumps({"id": int(m.luhn("4" + m.word(14, d))), "size": m.r.randint(10**12, 10**13)}), json.dumps({"ids": [m.r.randint(10**15, 10**16) for _ in range(4)]}),
        f"GET /o/{m.r.randint(10**15, 10**16)}/items?page=2&cursor={m.word(22)} 200", f"ETag: W/\"{m.word(4, hexa)}-{m.word(27)}\"", f"Sec-WebSocket-Key: {base64.b64encode(m.r.randbytes(16)).decode()}",
        f"integrity sha512-{base64.b64encode(m.r.randbytes(64)).decode()}", f"csrf_token={m.word(32)}", f"idempotency-key: {m.fake('en_US').uuid4()}", f"cache_key={m.word(40, hexa)}",
        f"password reset requested by user {m.r.randint(1, 10**6)}", "password: must not be empty", "token: unexpected '}' at line 3", f"secret/data/shop version {m.r.randint(1, 9)}", "Authorization: Bearer [REDACTED]",
        "password=********", "pwd=${DB_PASSWORD}", "api_key: <your key>", "passwd=null token=None secret=\"\"", f"ssn_valid=false card_type=visa last4={m.word(4, d)}", f"card ending in {m.word(4, d)} declined",
        f"iban_check ok, country DE, length 22, took {m.r.randint(1, 99)} ms", "user@localhost logged in", "mail from root@ip-10-0-0-1.internal", "contact: someone@example.org", f"phone verified for user {m.r.randint(1, 10**6)}",
        f"GLIBC_2.{m.r.randint(10, 40)} not found", f"call site main.c:{m.r.randint(1, 999)}:{m.r.randint(1, 80)}", f"+{m.r.randint(100, 999)} -{m.r.randint(10, 99)} lines", f"range 10-{m.word(12, d)}",
        f"dob_missing=true birth_year_range=19{m.r.randint(10, 99)}-20{m.r.randint(10, 26)}", f"zip {m.word(5, d)}-{m.word(4, d)}", f"v{m.r.randint(1, 9)}.{m.r.randint(0, 20)}.{m.r.randint(0, 9)}-rc.{m.r.randint(1, 9)}+build.{m.word(8, d)}",
        f"0x{m.word(8, hexa)} {m.word(8, d)} {m.word(8, d)} {m.word(8, d)}", f"{m.word(2, hexa)}:{m.word(2, hexa)}:00:00:00:00:00:00 wwn", f"MCU temp {m.r.uniform(20, 90):.1f} pressure {m.r.randint(100000, 110000)}",
        f"keyspace=shop key=user:{m.word(12, d)} hits={m.r.randint(1, 10**9)}", f"tokens={m.r.randint(1, 10**6)} prompt_tokens={m.r.randint(1, 10**5)}", f"secretName: shop-tls-{m.word(5, string.ascii_lowercase + d)}",
        f"cache-key-{m.word(32, hexa)} hit", f"idempotency-key-{m.fake('en_US').uuid4()}", f"shop-secret-{m.word(9, hexa)}-{m.word(5, string.ascii_lowercase + d)}", f"billing-api-{m.fake('en_US').uuid4()} started",
        f"background:url(data:image/png;base64,{base64.b64encode(bytes.fromhex('89504e470d0a1a0a') + m.r.randbytes(120)).decode()})", f"!function(e,t){{\"object\"==typeof exports?module.exports=t():e.{m.word(3)}=t()}}(this,function(){{var n=\"{m.word(6)}\",access=e.private,key={m.r.randint(1, 999)}}})",
        f"GET /a%20b/{m.word(12)}%2F{m.word(8)}?q=%22{m.fake('en_US').word()}%22 200", f"\x1b[32mINFO\x1b[0m \x1b[36mkey\x1b[0m=\x1b[33m{m.r.randint(1, 999)}\x1b[0m token=\x1b[31mnone\x1b[0m", f"&lt;token&gt;{m.fake('en_US').word()}&lt;/token&gt;",
        f"access granted to {m.word(32, hexa)}", f"private network 10.{m.r.randint(0, 255)}.0.0/16", f"sig=SIG{m.r.choice(['TERM', 'INT', 'HUP'])} pid={m.r.randint(1, 99999)}", f"body {base64.b64encode(json.dumps({'colour': m.fake('en_US').word(), 'n': m.r.randint(1, 9)}).encode()).decode()}",
        f"device {m.luhn('35' + m.word(12, d))} attached", f"parcel {m.luhn('4' + m.word(14, d))} at hub {m.r.randint(1, 99)}", f"ref DE{m.word(2, d)}{m.word(18, d)[:17]}X", f"Authorization: Digest username=\"{m.fake('en_US').user_name()}\", realm=\"x\"",
        f"gid={m.luhn('6011' + m.word(11, d))}", f"seq {m.luhn('37' + m.word(12, d))} acked", f"bytes={m.luhn('4' + m.word(14, d))} in 3 s",
    ]


def main():
    args = sys.argv[1:]
    if not args:
        sys.exit(__doc__)
    value_of = lambda flag, other: int(args[args.index(flag) + 1]) if flag in args else other  # noqa: E731
    seed, lines, show = value_of("--seed", 20261121), value_of("--lines", 6), "--show" in args
    m = Maker(seed)
    rows = []
    for kind, (make, keys) in KINDS.items():
        for name, form in FORMATS.items():
            for _ in range(lines):
                if (name, kind) in SKIP:
                    continue
                key, value = with_key(m, m.r.choice(keys), make(m))
                rows.append((kind, name, form(m, key, value)))
    found = scan(args[0], [r[2] for r in rows])
    total, hit, of_format, in_format = (collections.Counter() for _ in range(4))
    for (kind, name, text), matches in zip(rows, found):
        ok = any(e == kind for _, _, e in matches)
        total[kind] += 1
        hit[kind] += ok
        of_format[name] += 1
        in_format[name] += ok
        if show and not ok:
            print("missed", kind, "|", name, "|", text.replace("\n", "\\n")[:260], "|", [e for _, _, e in matches])
    table(f"made values in made lines (seed {seed})", ("type", "n", "typed recall %"), [(k, total[k], percent(hit[k], total[k])) for k in sorted(total)])
    table("the same by format", ("format", "n", "typed recall %"), [(k, of_format[k], percent(in_format[k], of_format[k])) for k in FORMATS])
    traps = [t for _ in range(lines * 10) for t in negatives(m)]
    wrong = [(t, f) for t, f in zip(traps, scan(args[0], traps)) if f]
    if show:
        for text, matches in wrong:
            print("false alarm", text, matches)
    recall, alarms = sum(hit.values()) / sum(total.values()), len(wrong) / len(traps)
    print(f"\ntyped recall {100 * recall:.2f} % of {sum(total.values())} (at least 97), false-alarm lines {100 * alarms:.3f} % of {len(traps)} (at most 0.2)")
    sys.exit(0 if recall >= 0.97 and alarms <= 0.002 else 1)


if __name__ == "__main__":
    main()
