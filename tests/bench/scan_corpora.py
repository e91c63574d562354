#!/usr/bin/env python3
"""Quality of the scanner on the labelled corpora: a table by type.

usage: scan_corpora.py GAPSCOPE [CORPORA]

GAPSCOPE is a program whose `scan --json -` is measured. CORPORA is the folder with pii.tar.gz (or an unpacked pii/); by default the
one beside the project's checkout. Where it is absent this says so and ends with status 77. The corpora's own offsets count code
points; ours count bytes.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def corpora(path):
    """The folder with the unpacked corpora, or None."""
    path = path or os.path.join(HERE, "..", "..", "..", "shared", "corpora")
    if os.path.isdir(os.path.join(path, "pii")):
        return os.path.join(path, "pii"), None
    archive = os.path.join(path, "pii.tar.gz")
    if not os.path.exists(archive):
        return None, None
    keep = tempfile.TemporaryDirectory(prefix="gapscope-corpora-")
    with tarfile.open(archive) as tar:
        tar.extractall(keep.name, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(keep.name)
    return os.path.join(keep.name, "pii"), keep


def rows(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def scan(program, texts):
    """For each text the list of (start, end, entity), in bytes."""
    starts, line_of, blob = [], [], []
    for number, text in enumerate(texts):
        offset = 0
        for part in text.encode("utf-8", "surrogatepass").split(b"\n"):
            line_of.append((number, offset))
            offset += len(part) + 1
            blob.append(part)
    run = subprocess.run([program, "scan", "--json", "-"], input=b"\n".join(blob) + b"\n", stdout=subprocess.PIPE, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"{program}: status {run.returncode}")
    found = [[] for _ in texts]
    for line in run.stdout.splitlines():
        m = json.loads(line)
        number, offset = line_of[m["line"] - 1]
        found[number].append((m["start"] + offset, m["end"] + offset, m["entity"]))
    return found


def to_bytes(text, code_points):
    return len(text[:code_points].encode("utf-8", "surrogatepass"))


def table(title, header, lines):
    print(f"\n{title}")
    widths = [max(len(str(row[i])) for row in [header] + lines) for i in range(len(header))]
    for row in [header] + lines:
        print("  " + "  ".join(str(cell).ljust(w) if i == 0 else str(cell).rjust(w) for i, (cell, w) in enumerate(zip(row, widths))))


def percent(n, of):
    return f"{100 * n / of:.2f}" if of else "-"


def injected(program, folder, show):
    data = rows(folder, "logs_injected_tp.jsonl")
    found = scan(program, [r["text"] for r in data])
    total, typed, exact = (collections.Counter() for _ in range(3))
    for r, matches in zip(data, found):
        for e in r["entities"]:
            start, end = to_bytes(r["text"], e["start"]), to_bytes(r["text"], e["end"])
            total[e["type"]] += 1
            hits = [m for m in matches if m[2] == e["type"] and m[0] < end and m[1] > start]
            typed[e["type"]] += bool(hits)
            exact[e["type"]] += any(m[:2] == (start, end) for m in hits)
            if show and not hits:
                print("missed", e["type"], repr(r["text"][max(0, e["start"] - 30):e["end"] + 10]), matches)
            elif show and not any(m[:2] == (start, end) for m in hits):
                print("span", e["type"], repr(r["text"][max(0, e["start"] - 30):e["end"] + 10]), (start, end), hits)
    lines = [(t, total[t], percent(typed[t], total[t]), percent(exact[t], total[t])) for t in sorted(total)]
    n = sum(total.values())
    lines.append(("all", n, percent(sum(typed.values()), n), percent(sum(exact.values()), n)))
    table("injected into real lines (logs_injected_tp)", ("type", "n", "typed recall %", "exact span %"), lines)
    return sum(typed.values()) / n


def negatives(program, folder, show):
    data = rows(folder, "logs_hard_negatives.jsonl")
    found = scan(program, [r["text"] for r in data])
    total, wrong = collections.Counter(), collections.Counter()
    for r, matches in zip(data, found):
        # a carrier line may hold true values of its own: only the trap counts
        at = r["text"].find(r["trap"])
        low, high = to_bytes(r["text"], at), to_bytes(r["text"], at + len(r["trap"]))
        hits = [m for m in matches if m[0] < high and m[1] > low]
        total[r["rule"]] += 1
        wrong[r["rule"]] += bool(hits)
        if show and hits:
            print("false alarm", r["rule"], repr(r["trap"][:100]), hits)
    lines = [(t, total[t], wrong[t]) for t in sorted(total)]
    n, w = sum(total.values()), sum(wrong.values())
    lines.append(("all", n, f"{w} ({percent(w, n)} %)"))
    print(f"\nwhole hard-negative lines with any match, carriers included: {sum(map(bool, found))} of {len(data)}")
    table("traps (logs_hard_negatives)", ("trap", "n", "lines with a false alarm"), lines)
    return w / n


def real(program, folder, show):
    kinds = collections.Counter()
    lines = 0
    for name in sorted(os.listdir(os.path.join(folder, "logs_real"))):
        with open(os.path.join(folder, "logs_real", name), "rb") as f:
            texts = f.read().decode("utf-8", "replace").split("\n")
        lines += len(texts)
        for text, matches in zip(texts, scan(program, texts)):
            for start, end, entity in matches:
                kinds[entity] += 1
                if show and entity not in ("IP_ADDRESS_PUBLIC", "EMAIL"):
                    print("real", name, entity, text.encode()[max(0, start - 30):end + 10])
    table(f"real logs ({lines} lines)", ("type", "matches"), [(k, n) for k, n in sorted(kinds.items())])


def labelled(program, folder, show):
    data = rows(folder, "logs_sdlog_labelled.jsonl")
    kinds = collections.Counter()
    for r, matches in zip(data, scan(program, [r["text"] for r in data])):
        for start, end, entity in matches:
            kinds[entity] += 1
            if show and entity not in ("IP_ADDRESS_PUBLIC", "EMAIL"):
                print("sdlog", entity, r["text"].encode()[max(0, start - 30):end + 10])
    table(f"labelled LogHub lines ({len(data)})", ("type", "matches"), [(k, n) for k, n in sorted(kinds.items())])


def word_around(raw, start, end):
    """The span with what stands before and after it up to a blank."""
    while start > 0 and not raw[start - 1:start].isspace():
        start -= 1
    while end < len(raw) and not raw[end:end + 1].isspace():
        end += 1
    return start, end


def supported_vendors():
    """Words of the vendors' entities that the scanner's own table names (ADAFRUIT_KEY: adafruit): fixed before anything is measured."""
    tables = ""
    for name in ("entities.def", "services.def"):
        with open(os.path.join(HERE, "..", "..", "agent", "scan", name), encoding="utf-8") as f:
            tables += f.read()
    names = re.findall(r"^(?:VENDOR_ENTITY|SERVICE)\((\w+),", tables, re.M)
    words = re.findall(r"^SERVICE\(\w+, \"\w+\", \"[^\"]+\", \"([^\"]+)\"", tables, re.M)
    return {name.lower().split("_")[0] for name in names} | {"jwt"} | {word for row in words for word in row.split()}


# What a set's rule is about that is public by nature, and no secret whoever reads it: account names, hosts, identifiers. Where the rule's
# name does not say so, its marked values do: a host's name, or what a key calls an id, a user or an account.
PUBLIC = re.compile(r"client-id|access-id|user-api-id|browser-api|-id$|publishable|-pub-|arn|domain|host|url$")


HOST = re.compile(r"(?:[a-z0-9-]+\.)+(?:com|io|net|org|dev)", re.I)
IDENTIFIER = re.compile(r"(?:[_-]?(?:app(?:lication)?|client)[_-]?id|_id|user|account|account_?name|key_?name|public)[\"']?\s*(?:=|:|\s)\s*[\"']?$", re.I)


def is_identifier(r):
    """Is every value that the row marks the name of something, rather than what opens it?"""
    return bool(r["entities"]) and all(
        HOST.fullmatch(r["text"][e["start"]:e["end"]]) or IDENTIFIER.search(r["text"][max(0, e["start"] - 40):e["start"]]) for e in r["entities"])


def secrets(program, folder, show):
    out = []
    vendors = supported_vendors()
    for name in ("gitleaks", "noseyparker", "kingfisher", "credsweeper", "detect_secrets"):
        data = rows(folder, f"secrets_{name}.jsonl")
        found = scan(program, [r["text"] for r in data])
        total, hit, public = collections.Counter(), collections.Counter(), collections.Counter()
        false = [0, 0]
        for r, matches in zip(data, found):
            if r["label"] != "tp":
                false[0] += 1
                false[1] += bool(matches)
                continue
            total[r["rule"]] += 1
            public[r["rule"]] += is_identifier(r)
            spans = [(to_bytes(r["text"], e["start"]), to_bytes(r["text"], e["end"])) for e in r["entities"]]
            # some sets mark the account's name rather than the secret beside it: what counts is the word that both stand in
            spans = [word_around(r["text"].encode("utf-8", "surrogatepass"), s, e) for s, e in spans]
            hit[r["rule"]] += any(m[0] < e and m[1] > s for m in matches for s, e in spans) if spans else bool(matches)
        supported = [k for k in total if vendors & set(re.split(r"[^a-z0-9]+", k.lower())) and not PUBLIC.search(k)]
        n, h = sum(total.values()), sum(hit.values())
        sn, sh = sum(total[k] for k in supported), sum(hit[k] for k in supported)
        secret = [k for k in supported if public[k] < total[k]]
        en, eh = sum(total[k] for k in secret), sum(hit[k] for k in secret)
        out.append((name, n, percent(h, n), f"{len(supported)} of {len(total)}", percent(sh, sn), percent(eh, en), f"{false[1]} of {false[0]}"))
        if show:
            for k in sorted(total):
                if hit[k] < total[k]:
                    print("secrets", name, k, f"{hit[k]}/{total[k]}")
    table("vendor secrets", ("set", "n", "found %", "supported kinds*", "recall of these* %", "without identifiers** %", "false ones found"), out)
    print("  * kinds whose name has a vendor of agent/scan/entities.def or a service of services.def in it, and that are no public identifier")
    print("  ** of these, the kinds of which any marked value is something else than a host's name or an identifier")


ID_KEYS = {
    "br.cpf": ("cpf", "BR_CPF"), "br.cnpj": ("cnpj", "BR_CNPJ"), "ca.sin": ("sin", "CA_SIN"), "es.dni": ("dni", "ES_NIF"),
    "es.nie": ("nie", "ES_NIF"), "fi.hetu": ("hetu", "FI_HETU"), "fr.nir": ("nir", "FR_NIR"),
    "it.codicefiscale": ("codice_fiscale", "IT_CODICE_FISCALE"), "nl.bsn": ("bsn", "NL_BSN"), "pl.pesel": ("pesel", "PL_PESEL"),
    "se.personnummer": ("personnummer", "SE_PERSONNUMMER"), "cn.ric": ("ric", "CN_RIC"), "kr.rrn": ("rrn", "KR_RRN"),
    "au.tfn": ("tfn", "AU_TFN"), "gb.nhs": ("nhs", "UK_NHS"), "in_.aadhaar": ("aadhaar", "IN_AADHAAR"), "de.idnr": ("idnr", "DE_STEUER_ID"),
    "be.nn": ("rijksregisternummer", "BE_NN"), "dk.cpr": ("cpr", "DK_CPR"), "no.fodselsnummer": ("fodselsnummer", "NO_FNR"),
    "ch.ssn": ("ahv", "CH_AHV"), "pt.nif": ("contribuinte", "PT_NIF"), "tr.tckimlik": ("tckn", "TR_TCKN"), "us.ssn": ("ssn", "US_SSN"),
    "us.itin": ("itin", "US_ITIN"), "iban": ("iban", "IBAN"), "de.idcard": ("personalausweis", "DE_ID_CARD"), "luhn": (None, None), "imei": ("imei", "IMEI"), "vin": ("vin", "VIN"),
}
SDS_KEYS = {
    "brazilian_cpf_checksum": "br.cpf", "brazilian_cnpj_checksum": "br.cnpj", "iban_checker": "iban", "nhs_check_digit": "gb.nhs",
    "polish_national_id_checksum": "pl.pesel", "dutch_bsn_checksum": "nl.bsn", "verhoeff_checksum": "in_.aadhaar",
    "italian_national_id_checksum": "it.codicefiscale", "spain_dni_checksum": "es.dni", "finnish_hetu_checksum": "fi.hetu",
    "france_ssn_checksum": "fr.nir", "nir_checksum": "fr.nir", "sweden_pin_checksum": "se.personnummer", "chinese_id_checksum": "cn.ric",
    "german_ids_checksum": "de.idcard", "portuguese_tax_id_checksum": "pt.nif", "australian_tfn_checksum": "au.tfn",
    "belgium_national_register_checksum": "be.nn",
}


def ids(program, folder, show):
    out = []
    texts, want = [], []
    for name in ("ids_stdnum_doctests.jsonl", "ids_dd_sds_validators.jsonl"):
        for r in rows(folder, name):
            kind = r["rule"].split(".", 1)[1]
            kind = kind if name.startswith("ids_stdnum") else SDS_KEYS.get(kind)
            key, entity = ID_KEYS.get(kind, (None, None))
            # a bare checksum test is one of the id only where the value has the id's shape
            if r["rule"].endswith("verhoeff_checksum") and not re.fullmatch(r"[2-9][0-9]{11}", re.sub(r"[ -]", "", r["text"])):
                continue
            if entity is not None and "\n" not in r["text"]:
                texts.append(f"{key}: {r['text']}")
                want.append((entity, r))
    good, bad, g, b = (collections.Counter() for _ in range(4))
    for (entity, r), matches in zip(want, scan(program, texts)):
        hit = any(m[2] == entity for m in matches)
        if r["label"] == "valid":
            good[entity] += 1
            g[entity] += hit
        else:
            bad[entity] += 1
            b[entity] += hit
        if show and hit != (r["label"] == "valid"):
            print("id", entity, r["label"], r["text"], r.get("why"), matches)
    for entity in sorted(set(good) | set(bad)):
        out.append((entity, good[entity], g[entity], bad[entity], b[entity]))
    table("ids after their key (stdnum and dd-sds sets)", ("type", "valid", "found", "invalid", "found wrongly"), out)


def phones(program, folder):
    data = rows(folder, "phones_libphonenumber.jsonl")
    total, hit = collections.Counter(), collections.Counter()
    texts = [("phone: " if r["rule"].endswith("NATIONAL") else "call ") + r["text"] for r in data]
    for r, matches in zip(data, scan(program, texts)):
        form = r["rule"].rsplit("/", 1)[1]
        total[form] += 1
        hit[form] += any(m[2] == "PHONE" for m in matches)
    table("phones (national ones after a key)", ("form", "n", "found %"), [(k, total[k], percent(hit[k], total[k])) for k in sorted(total)])


def main():
    show = "--show" in sys.argv
    args = [a for a in sys.argv[1:] if a != "--show"]
    if not args:
        sys.exit(__doc__)
    folder, keep = corpora(args[1] if len(args) > 1 else None)
    if folder is None:
        print("skipped: the corpora (../shared/corpora beside the checkout) are not there")
        sys.exit(77)
    program = args[0]
    recall = injected(program, folder, show)
    alarms = negatives(program, folder, show)
    real(program, folder, show)
    labelled(program, folder, show)
    ids(program, folder, show)
    phones(program, folder)
    secrets(program, folder, show)
    print(f"\ntyped recall {100 * recall:.2f} % (at least 97), false-alarm lines {100 * alarms:.3f} % (at most 0.2)")
    sys.exit(0 if recall >= 0.97 and alarms <= 0.002 else 1)


if __name__ == "__main__":
    main()
