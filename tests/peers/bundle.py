"""A bundle is sound by other people's tools, and any change to it is found by them and by `verify`."""

import logging
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from datetime import datetime
from pathlib import Path

import bagit
import jsonschema_rs
from junitparser import JUnitXml

from peer import check, finish, outcomes, read_json, scratch, witness

FIRST_CASES = ["201", "202", "401", "402"]
MANIFESTS = ["manifest-sha256.txt", "tagmanifest-sha256.txt"]
TOKEN = re.compile(rb"NHSMESH +[^:\s]+:[^:\s]+:[^:\s]+:[^:\s]+:([^\s\"]*)")
HASH = re.compile(rb"[0-9a-fA-F]{64}")

logging.getLogger("bagit").setLevel(logging.CRITICAL)  # it raises what it logs


def tool(*command, cwd=None):
    """Whether a standard tool is content, and what it said."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    return done.returncode == 0, done.stdout + done.stderr


def bagit_objects(bag):
    """What bagit's validator has against the bag, or None."""
    try:
        bagit.Bag(str(bag)).validate()
    except bagit.BagError as error:
        return str(error)
    return None


def standard_tools_object(bag):
    sums = [tool("sha256sum", "--strict", "--check", "--quiet", name, cwd=bag)[0] for name in MANIFESTS]
    return bagit_objects(bag) is not None or not all(sums)


def zipped(root, order, target):
    """Zips a folder as it was zipped before: what `order` names first, then what is new."""
    files = [str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files, key=lambda name: (order.index(name) if name in order else len(order), name)):
            archive.write(root / name, name)
    return target


def flip(data):
    """The same bytes but for one bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else b"\0"


def sound(bundle, root):
    passed, said = tool("unzip", "-q", bundle, "-d", root)
    check("unzip opens it", passed, said)
    passed, said = tool(sys.executable, "-m", "zipfile", "-t", bundle)
    check("python's zipfile finds every CRC right", passed and "Done testing" in said, said)
    bag = next(root.rglob("bagit.txt")).parent
    for name in MANIFESTS:
        passed, said = tool("sha256sum", "--strict", "--check", name, cwd=bag)
        check(f"sha256sum --check {name}", passed, said)
    check("bagit's validator is content", bagit_objects(bag) is None, bagit_objects(bag))
    return bag


def changed(bag, root, order, folder):
    def tampered(what, change, named):
        """`change` is done to a copy; `named` are the words of which `verify` must say one."""
        copy = folder / "copy"
        shutil.copytree(root, copy)
        bag_copy = copy / bag.relative_to(root)
        change(bag_copy)
        said = witness("verify", zipped(copy, order, folder / "changed.zip"))
        check(f"{what}: standard tools object", standard_tools_object(bag_copy))
        check(
            f"{what}: verify exits 1 and names it",
            said.returncode == 1 and any(name in said.said for name in named),
            f"exit code {said.returncode}, expected one of {named}\n{said.said}",
        )
        shutil.rmtree(copy)

    untouched = witness("verify", zipped(root, order, folder / "same.zip"))
    check("zipped again unchanged: verify exits 0", untouched.returncode == 0, untouched.said)

    names = sorted(str(file.relative_to(bag)) for file in bag.rglob("*") if file.is_file())
    names = [name for name in names if not name.startswith("signatures/")]
    for name in names:
        # A changed tagmanifest no longer fits some other file, and nothing tells which of the two was changed.
        named = names if name == "tagmanifest-sha256.txt" else [name]
        tampered(
            f"one bit of {name}",
            lambda bag, name=name: (bag / name).write_bytes(flip((bag / name).read_bytes())),
            named,
        )

    for name in ["data/report.html", "data/run/exchanges.har", "bag-info.txt", "manifest-sha256.txt"]:
        tampered(f"without {name}", lambda bag, name=name: (bag / name).unlink(), [name])
    tampered("with data/extra.txt", lambda bag: (bag / "data/extra.txt").write_text("extra"), ["data/extra.txt"])
    tampered(
        "data/report.html under another name",
        lambda bag: (bag / "data/report.html").rename(bag / "data/report.htm"),
        ["data/report.html", "data/report.htm"],
    )


def changed_as_a_zip(bundle, order, folder):
    """What tools that read a folder never see."""
    cut = folder / "cut.zip"
    cut.write_bytes(bundle.read_bytes()[:-1000])
    done = witness("verify", cut)
    check("cut short: unzip objects", not tool("unzip", "-qt", cut)[0])
    check("cut short: verify exits 1", done.returncode == 1, f"exit code {done.returncode}\n{done.said}")

    with zipfile.ZipFile(bundle) as archive:
        largest = max(archive.infolist(), key=lambda info: info.compress_size)
        start = largest.header_offset + 30 + len(largest.filename)
    data = bytearray(bundle.read_bytes())
    data[start + largest.compress_size // 2] ^= 1
    rotten = folder / "rotten.zip"
    rotten.write_bytes(data)
    done = witness("verify", rotten)
    check("one bit of the zip itself: unzip objects", not tool("unzip", "-qt", rotten)[0])
    check(
        "one bit of the zip itself: verify exits 1 and names the file",
        done.returncode == 1 and largest.filename in done.said,
        f"exit code {done.returncode}\n{done.said}",
    )

    report = next(name for name in order if name.endswith("data/report.html"))
    for place in ["first", "last"]:
        twice = folder / f"twice-{place}.zip"
        with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(twice, "w") as new, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            false = (report, "<p>another report of the same name</p>")
            true = [(name, old.read(name)) for name in order]
            for name, data in [false, *true] if place == "first" else [*true, false]:
                new.writestr(name, data)
        done = witness("verify", twice)
        check(
            f"two files of one name, the false one {place}: verify exits 1 and names it",
            done.returncode == 1 and report in done.said,
            f"exit code {done.returncode}\n{done.said}",
        )


def junit(bag):
    every = [test for suite in JUnitXml.fromfile(str(bag / "data/run/junit.xml")) for test in suite]
    rules = [test for test in every if test.classname == "rules"]
    tests = [test for test in every if test.classname != "rules"]
    check("junit.xml: sixteen test cases", len(tests) == 16, tests)
    check("junit.xml: a test case a rule, none failed", len(rules) == 39 and all(test.is_passed or test.is_skipped for test in rules), rules)
    # Nobody was asked for the declarations, and in practice that does not count.
    declared = [test for test in tests if test.name[:3] in ("801", "802", "803")]
    check("junit.xml: the declarations are skipped", len(declared) == 3 and all(test.is_skipped for test in declared))
    others = [test for test in tests if test not in declared]
    check("junit.xml: all else passed", len(others) == 13 and all(test.is_passed for test in others))
    missing = [case for case in FIRST_CASES if not any(case in test.name for test in tests)]
    check("junit.xml: each case is named", not missing, [test.name for test in tests])


def validator(schema):
    jsonschema_rs.meta.validate(schema)
    return jsonschema_rs.validator_for(schema)


def summary(bag):
    found = read_json(bag / "data/summary.json")
    schema = read_json(bag / "data/schemas/summary.schema.json")
    kind = validator(schema)
    faults = [error.message for error in kind.iter_errors(found)]
    check("summary.json is what its schema says", not faults, faults)
    silent = [key for key in found if kind.is_valid({k: v for k, v in found.items() if k != key})]
    check("summary.schema.json asks for every field there is", not silent, silent)
    check("summary.schema.json allows no other verdict", not kind.is_valid({**found, "verdict": "splendid"}))
    check(
        "summary.json: the four cases passed", all(outcomes(bag).get(c) == "passed" for c in FIRST_CASES), outcomes(bag)
    )
    words = (bag / "data/summary.json").read_text(encoding="utf-8").lower()
    check("summary.json says that this was the emulator", "emulat" in words)


def other_schemas(bag):
    for name, schema in [("environment.json", "environment"), ("tls/facts.json", "tls")]:
        found = read_json(bag / "data" / name)
        schema = read_json(bag / f"data/schemas/{schema}.schema.json")
        kind = validator(schema)
        faults = [error.message for error in kind.iter_errors(found)]
        check(f"{name} is what its schema says", not faults, faults)
        silent = [key for key in found if kind.is_valid({k: v for k, v in found.items() if k != key})]
        check(f"the schema of {name} asks for every field there is", not silent, silent)
        words = (bag / "data" / name).read_text(encoding="utf-8").lower()
        check(f"{name} says that this was the emulator", "emulat" in words)


def certificates(bag):
    """What openssl reads in each PEM file is what facts.json says of it."""
    chains = [chain for chain in read_json(bag / "data/tls/facts.json")["chains"] if chain["file"]]
    check("tls: there is a certificate", chains)
    for chain in chains:
        own = chain["certificates"][0]
        asked = ["-noout", "-subject", "-issuer", "-serial", "-fingerprint", "-sha256", "-nameopt", "RFC2253"]
        read, said = tool("openssl", "x509", "-in", bag / "data" / chain["file"], *asked)
        told = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        bare = {key: value.replace(":", "").lower() for key, value in told.items()}
        same = (
            read
            and told.get("subject") == own["subject"]
            and told.get("issuer") == own["issuer"]
            and int(bare.get("serial", "0"), 16) == int(own["serial"].replace(":", ""), 16)
            and own["sha256"] in bare.values()
        )
        check(f"{chain['file']}: openssl reads in it what facts.json says", same, f"{said}\n{own}")


def har_faults(har):
    """What is against HAR 1.2 in it."""
    faults = []

    def has(where, thing, fields):
        for name, kind in fields.items():
            if not isinstance(thing.get(name), kind) or isinstance(thing.get(name), bool):
                faults.append(f"{where}.{name}: {thing.get(name)!r}")

    log, number = har["log"], (int, float)
    has("log", log, {"version": str, "creator": dict, "entries": list})
    has("log.creator", log.get("creator", {}), {"name": str, "version": str})
    if log.get("version") != "1.2":
        faults.append(f"log.version: {log.get('version')}")
    message = {"httpVersion": str, "cookies": list, "headers": list, "headersSize": int, "bodySize": int}
    for at, entry in enumerate(log["entries"]):
        where = f"entries[{at}]"
        has(where, entry, {"startedDateTime": str, "time": number, "cache": dict, "timings": dict})
        has(where, entry, {"request": dict, "response": dict})
        request, response, timings = (entry.get(part, {}) for part in ["request", "response", "timings"])
        has(f"{where}.request", request, {"method": str, "url": str, "queryString": list, **message})
        has(
            f"{where}.response",
            response,
            {"status": int, "statusText": str, "redirectURL": str, "content": dict, **message},
        )
        has(f"{where}.response.content", response.get("content", {}), {"size": int, "mimeType": str})
        if "postData" in request:
            has(f"{where}.request.postData", request["postData"], {"mimeType": str})
        for pair in request.get("headers", []) + request.get("queryString", []) + response.get("headers", []):
            has(f"{where} name and value", pair, {"name": str, "value": str})
        has(f"{where}.timings", timings, {"send": number, "wait": number, "receive": number})
        if any(timings.get(part, 0) < 0 for part in ["send", "wait", "receive"]):
            faults.append(f"{where}.timings: send, wait and receive may not be negative")
        if datetime.fromisoformat(entry.get("startedDateTime", "0001-01-01")).tzinfo is None:
            faults.append(f"{where}.startedDateTime has no zone")
    return faults


def har(bag):
    found = read_json(bag / "data/run/exchanges.har")
    faults = har_faults(found)
    check("exchanges.har is HAR 1.2", not faults, "\n".join(faults))
    entries = found["log"]["entries"]
    calls = {(entry["request"]["method"], entry["request"]["url"].rsplit("/", 1)[-1]) for entry in entries}
    wanted = {("POST", "outbox"), ("GET", "inbox"), ("PUT", "acknowledged")}
    check("exchanges.har holds sends, inbox checks and acknowledgements", wanted <= calls, calls)
    times = [datetime.fromisoformat(entry["startedDateTime"]) for entry in entries]
    check("exchanges.har is in order of time", times == sorted(times), times)


def secrets(bag):
    masked = 0
    for file in sorted(file for file in bag.rglob("*") if file.is_file()):
        hashes = TOKEN.findall(file.read_bytes())
        bare = [found for found in hashes if HASH.match(found)]
        masked += len(hashes) - len(bare)
        if bare:
            check(f"no token that could be used in {file.relative_to(bag)}", False, f"{len(bare)} found")
    check("tokens are shown, with the hash masked", masked > 0)
    headers = [
        header["value"]
        for entry in read_json(bag / "data/run/exchanges.har")["log"]["entries"]
        for header in entry["request"]["headers"]
        if header["name"].lower() == "authorization"
    ]
    bare = [value for value in headers if HASH.search(value.encode())]
    check("exchanges.har: Authorization in every call, and never a hash", headers and not bare, bare)


with scratch() as name:
    folder = Path(name)
    bundle, root = folder / "bundle.zip", folder / "unzipped"
    done = witness("run", "--bundle", bundle)
    check("run without a config: exit code 0", done.returncode == 0, f"exit code {done.returncode}\n{done.said}")
    with zipfile.ZipFile(bundle) as archive:
        order = archive.namelist()
    bag = sound(bundle, root)
    done = witness("verify", bundle)
    check("verify: exit code 0", done.returncode == 0, f"exit code {done.returncode}\n{done.said}")
    junit(bag)
    summary(bag)
    other_schemas(bag)
    certificates(bag)
    har(bag)
    secrets(bag)
    changed(bag, root, order, folder)
    changed_as_a_zip(bundle, order, folder)
finish()
