"""`mesh-witness run` judges the NHS's own mesh-sandbox, and what it reports is what the sandbox saw."""

import json
import secrets
from pathlib import Path

import requests
from mesh_client import MeshClient

from peer import (
    SANDBOX_PASSWORD,
    certificates,
    check,
    finish,
    outcomes,
    read_json,
    sandbox,
    sandbox_config,
    scratch,
    unpack,
    witness,
)

FIRST_CASES = ["201", "202", "401", "402"]


def run(folder, url, shared_key, **more):
    """Gives the finished run and its unpacked bundle, or None where it wrote none."""
    config, secret = sandbox_config(folder, url, shared_key, **more)
    bundle = folder / "bundle.zip"
    # The cases that mesh-sandbox can support: it serves what was acknowledged, expires nothing and disables nobody.
    tags = " or ".join(f"@case-{case}" for case in [*FIRST_CASES, "702", "704"])
    done = witness("run", "--config", config, "--tags", tags, "--bundle", bundle, env=secret)
    return done, unpack(bundle, folder / "bundle") if bundle.exists() else None


def all_passed(where, done, bag):
    check(f"{where}: exit code 0", done.returncode == 0, f"exit code {done.returncode}\n{done.said}")
    if not check(f"{where}: a bundle is written", bag, done.said):
        return False
    found = outcomes(bag)
    for case in FIRST_CASES:
        check(f"{where}: case {case} passed", found.get(case) == "passed", found)
    return True


def warns_of_plain_http(bag):
    return "plain http" in (bag / "data/report.html").read_text(encoding="utf-8").lower()


def sent_messages(bag):
    """What the HAR says was accepted for sending: each message ID with its sender."""
    senders = {}
    for entry in read_json(bag / "data/run/exchanges.har")["log"]["entries"]:
        request, response = entry["request"], entry["response"]
        if request["method"] == "POST" and request["url"].endswith("/outbox") and response["status"] == 202:
            reply = json.loads(response["content"]["text"])
            senders[reply.get("message_id") or reply.get("messageID")] = request["url"].split("/")[-2]
    return senders


def tracked(url, ca_file, shared_key, sender, message):
    """What the sandbox says of a message, or None if it does not know it."""
    with MeshClient(url, sender, SANDBOX_PASSWORD, shared_key, verify=str(ca_file)) as client:
        try:
            found = client.track_message(message)
        except requests.HTTPError:
            return None
    return found["status"].lower(), found["workflow_id"], found["recipient"]


def over_tls():
    with scratch() as name:
        folder, shared_key, log = Path(name), secrets.token_hex(16), []
        certificates(folder)
        with sandbox(shared_key, folder, log) as port:
            url = f"https://localhost:{port}"
            done, bag = run(folder, url, shared_key, ca_file="ca.pem")
            if not all_passed("over TLS", done, bag):
                return
            check("over TLS: no warning of plain HTTP", not warns_of_plain_http(bag))

            sent = sent_messages(bag)
            known = {m: tracked(url, folder / "ca.pem", shared_key, sender, m) for m, sender in sent.items()}
            check("over TLS: the sandbox knows every message that was sent", sent and all(known.values()), known)
            for recipient in ["X26ABC1", "X26ABC2"]:
                one = ("acknowledged", "TEST_WORKFLOW", recipient) in known.values()
                check(f"over TLS: the sandbox saw {recipient} acknowledge one", one, known)

            lines = "".join(log)
            calls = ['"POST /messageexchange/X26ABC1 HTTP', '"POST /messageexchange/X26ABC1/outbox HTTP']
            places = [lines.find(call) for call in calls]
            check("over TLS: the sandbox saw a handshake before the first send", 0 <= places[0] < places[1], lines)

            leaks = [
                str(file.relative_to(bag))
                for file in bag.rglob("*")
                if file.is_file() and shared_key.encode() in file.read_bytes()
            ]
            check("over TLS: the shared key is in no file of the bundle", not leaks, leaks)
            check("over TLS: nor is it printed", shared_key not in done.said)


def over_plain_http():
    with scratch() as name, sandbox("TestKey") as port:
        done, bag = run(Path(name), f"http://127.0.0.1:{port}", "TestKey")
        if all_passed("over plain HTTP", done, bag):
            check("over plain HTTP: the report warns of it", warns_of_plain_http(bag))


def wrong_password():
    with scratch() as name, sandbox("TestKey") as port:
        done, bag = run(Path(name), f"http://127.0.0.1:{port}", "TestKey", password="wrong-" + secrets.token_hex(8))
        check("wrong password: exit code 1", done.returncode == 1, f"exit code {done.returncode}\n{done.said}")
        if check("wrong password: a bundle is written all the same", bag, done.said):
            found = outcomes(bag)
            check("wrong password: case 201 failed", found.get("201") == "failed", found)


def unknown_authority():
    with scratch() as name, scratch() as other:
        folder, stranger = Path(name), certificates(other)
        certificates(folder)
        with sandbox("TestKey", stranger) as port:
            done, bag = run(folder, f"https://localhost:{port}", "TestKey", ca_file="ca.pem")
            exit_code = f"exit code {done.returncode}\n{done.said}"
            check("a certificate of another authority: exit code 2", done.returncode == 2, exit_code)
            passed = "passed" in outcomes(bag).values() if bag else False
            check("a certificate of another authority: nothing passed", not passed)


over_tls()
over_plain_http()
wrong_password()
unknown_authority()
finish()
