"""The NHS's own mesh-client finds in the emulator what it finds in the NHS's own mesh-sandbox.

The same calls are made first on mesh-sandbox: if they fail there, the test is wrong, not the emulator.
"""

import functools
import json
import os
import shutil
import subprocess
import warnings
from pathlib import Path

import requests
from mesh_client import AuthTokenGenerator, MeshClient, MeshError

from peer import WITNESS, certificates, check, emulator, finish, raises, recorder, sandbox, scratch, sha256

PASSWORD = "password"
SHARED_KEY = "TestKey"
SENDER, RECEIVER = "X26ABC1", "X26ABC2"
WORKFLOW = "TEST_WORKFLOW"
SMALL = b"Every byte counts: \x00\r\n\xff\xc3\x28"
THREE_MEGABYTES = os.urandom(1_500_000) + bytes(1_500_000)

warnings.simplefilter("ignore", DeprecationWarning)  # count is deprecated, and still to be served


def client_of(url, ca=None, pki=None):
    """Makes clients for this endpoint: client(mailbox, password=…, shared_key=…, cert=…)."""

    def client(mailbox, password=PASSWORD, shared_key=SHARED_KEY, **options):
        if pki:
            options.setdefault("cert", (str(pki / f"{mailbox}.pem"), str(pki / f"{mailbox}-key.pem")))
        return MeshClient(
            url, mailbox, password, shared_key=shared_key, verify=ca and str(ca), timeout=20, max_retries=0, **options
        )

    return client


def status_of(call):
    error = raises(requests.HTTPError, call)
    return error.response.status_code if error is not None else "no error"


def round_trips(where, client):
    with client(SENDER) as sender, client(RECEIVER) as receiver:
        check(f"{where}: ping", isinstance(sender.ping(), dict))
        check(f"{where}: handshake", sender.handshake() == b"hello" and receiver.handshake() == b"hello")
        check(
            f"{where}: the inbox is empty at first", receiver.list_messages() == [] and receiver.count_messages() == 0
        )

        for name, data, how in [
            ("a few bytes, uncompressed", SMALL, {}),
            ("a few bytes, compressed", SMALL, {"compress": True}),
            ("3 MB, uncompressed", THREE_MEGABYTES, {}),
            ("3 MB, compressed", THREE_MEGABYTES, {"compress": True}),
            ("3 MB in three chunks, uncompressed", THREE_MEGABYTES, {"max_chunk_size": 1_000_000}),
            ("3 MB in three chunks, compressed", THREE_MEGABYTES, {"max_chunk_size": 1_000_000, "compress": True}),
        ]:
            one_message(f"{where}: {name}", sender, receiver, data, how)

        many_messages(where, sender, receiver)

        error = raises(MeshError, lambda: sender.send_message("X26NOBODY", SMALL, workflow_id=WORKFLOW))
        code = error.args[1]["detail"][0]["code"] if error else None
        check(f"{where}: an unknown recipient is refused with code 12", code == "12", repr(error))

        check(f"{where}: an unknown message is 404", status_of(lambda: receiver.retrieve_message("NO_SUCH_ID")) == 404)

        lookups(where, sender)
        tracking(where, sender, receiver)

    for what, wrong in [("password", {"password": "wrong"}), ("shared key", {"shared_key": "wrong"})]:
        with client(SENDER, **wrong) as stranger:
            status = status_of(stranger.handshake)
            check(f"{where}: a wrong {what} is refused with 403", status == 403, status)


def one_message(what, sender, receiver, data, how):
    labels = {"workflow_id": WORKFLOW, "local_id": "peer-1", "subject": "A subject", "filename": "peer.bin"}
    sent = sender.send_message(RECEIVER, data, **labels, **how)

    waiting = receiver.list_messages()
    check(f"{what}: listed and counted", waiting == [sent] and receiver.count_messages() == 1, waiting)

    message = receiver.retrieve_message(sent)
    got = message.read()
    check(f"{what}: bytes in = bytes out", sha256(got) == sha256(data), f"{len(data)} in, {len(got)} out")

    kept = {name: getattr(message, name) for name in labels}
    check(f"{what}: its labels are kept", kept == labels, kept)
    people = (message.sender, message.recipient, message.message_type)
    check(f"{what}: from, to and type are right", people == (SENDER, RECEIVER, "DATA"), people)

    message.acknowledge()
    left = receiver.list_messages()
    check(f"{what}: gone from the inbox when acknowledged", left == [] and receiver.count_messages() == 0, left)

    tracked = sender.track_message(sent)
    check(f"{what}: tracked as acknowledged", tracked["status"].lower() == "acknowledged", tracked)


def tokens():
    """`token` finds the NHS's own tokens good, and sees what they were made with when they are not."""
    for what, key, password, code, said in [
        ("a token of its", SHARED_KEY, PASSWORD, 0, "GOOD"),
        ("with the secrets swapped", PASSWORD, SHARED_KEY, 1, "the password and the shared key are swapped"),
        ("with a line end behind the key", SHARED_KEY + "\n", PASSWORD, 1, "the shared key has a line end behind it"),
        ("with another password", SHARED_KEY, "another", 1, "none of the known mistakes gives it"),
    ]:
        generator = AuthTokenGenerator(key.encode(), SENDER, password)
        for use in ["first", "second"]:
            explained = subprocess.run(
                [WITNESS, "token", "--mailbox", SENDER, "--explain", "-"],
                env={**os.environ, "MESH_MAILBOX_PASSWORD": PASSWORD, "MESH_SHARED_KEY": SHARED_KEY},
                input=generator(),
                capture_output=True,
                text=True,
                timeout=20,
            )
            right = explained.returncode == code and said in explained.stdout
            check(f"token: {what}, {use} use of the nonce: {said}", right, explained.stdout + explained.stderr)


def many_messages(where, sender, receiver):
    sent = {sender.send_message(RECEIVER, str(n).encode(), workflow_id=WORKFLOW): str(n).encode() for n in range(25)}

    first_page = receiver.list_messages(max_results=10)
    check(f"{where}: a page has no more than max_results", len(first_page) == 10, first_page)

    pages = list(receiver.iterate_message_ids(batch_size=10))
    check(f"{where}: pages are followed to the end, oldest first", pages == list(sent), pages)

    filtered = receiver.list_messages(workflow_filter="NOTHING_LIKE_IT")
    check(f"{where}: a workflow filter leaves others out", filtered == [], filtered)

    got = {}
    for message in receiver.iterate_all_messages():
        with message:  # acknowledges when all went well
            got[message.id()] = message.read()
    check(f"{where}: 25 messages, read and acknowledged one by one", got == sent, got)
    check(f"{where}: nothing is left", receiver.list_messages() == [])


def lookups(where, sender):
    found = [entry["mailbox_id"] for entry in sender.lookup_endpoint("X26", WORKFLOW)["results"]]
    check(f"{where}: the endpoint lookup gives the receiver's mailbox", found == [RECEIVER], found)
    found = sender.lookup_endpoint("X99", WORKFLOW)["results"]
    check(f"{where}: the endpoint lookup of another organisation gives nothing", found == [], found)


def tracking(where, sender, receiver):
    data = THREE_MEGABYTES[:250]
    sent = sender.send_message(RECEIVER, data, workflow_id=WORKFLOW, local_id="tracked", max_chunk_size=100)
    tracked = sender.track_message(sent)
    told = (tracked["status"].lower(), tracked["message_id"], tracked["local_id"], tracked["recipient"])
    check(f"{where}: a chunked message is tracked as accepted", told == ("accepted", sent, "tracked", RECEIVER), tracked)
    status = status_of(functools.partial(receiver.track_message, sent))
    check(f"{where}: nobody tracks another's message", status == 404, status)

    message = receiver.retrieve_message(sent)
    pieces = []
    while piece := message.read(70):  # across the edges of chunks
        pieces.append(piece)
    check(f"{where}: chunks are read piece by piece", b"".join(pieces) == data, [len(piece) for piece in pieces])
    receiver.acknowledge_message(sent)
    status = sender.track_message(sent)["status"].lower()
    check(f"{where}: it is tracked as acknowledged then", status == "acknowledged", status)


def reports_and_expiry(url, client):
    """What mesh-sandbox cannot: a REPORT after 417, and one after five days that take no time."""
    with client(SENDER) as sender, client(RECEIVER) as receiver:
        raises(MeshError, lambda: sender.send_message("X26NOBODY", SMALL, workflow_id=WORKFLOW))
        message = sender.retrieve_message(sender.list_messages()[0])
        told = (message.message_type, message.mex_header("statuscode"), message.read())
        check("emulator: an unknown recipient is reported too", told == ("REPORT", "12", b""), told)
        message.acknowledge()

        sent = sender.send_message(RECEIVER, SMALL, workflow_id=WORKFLOW, local_id="late")
        sender.handshake()
        five_days = 5 * 86400 - 3600
        for seconds, waiting in [(five_days, 1), (7200, 0)]:
            requests.post(f"{url}/messageexchange/admin/clock", json={"move_seconds": seconds}, timeout=20)
            left = requests.get(f"{url}/messageexchange/admin/message/{sent}", timeout=20).json()["status"]
            check(f"emulator: after {seconds} s more", left == ("Accepted" if waiting else "Undeliverable"), left)
        status = status_of(receiver.handshake)
        check("emulator: a token of before the move is refused", status == 403, status)
        requests.post(f"{url}/messageexchange/admin/clock", json={"move_seconds": -five_days - 7200}, timeout=20)
        message = sender.retrieve_message(sender.list_messages()[0])
        told = (message.message_type, message.mex_header("statuscode"), message.local_id, message.mex_header("linkedmsgid"))
        check("emulator: what was not collected is reported", told == ("REPORT", "14", "late", sent), told)


def only_with_a_certificate(client):
    with client(SENDER, cert=()) as stranger:
        # An alert, or a connection cut while the client still wrote; never an answer.
        error = raises(requests.RequestException, stranger.handshake)
        cut = isinstance(error, requests.ConnectionError) and "refused" not in str(error).lower()
        check("emulator: no client certificate is refused in TLS", cut, repr(error))
    with client(SENDER) as known:
        check("emulator: and the next client with one is served", known.handshake() == b"hello")


def gone_when_acknowledged(client):
    with client(SENDER) as sender, client(RECEIVER) as receiver:
        sent = sender.send_message(RECEIVER, SMALL, workflow_id=WORKFLOW)
        receiver.acknowledge_message(sent)
        status = status_of(functools.partial(receiver.retrieve_message, sent))
        check("emulator: an acknowledged message is 410", status == 410, status)


def recorded(folder, url):
    """The same calls through the recording proxy: it changes nothing, and all of them are on its tape."""
    config = folder / "mesh-witness.yaml"
    config.write_text(
        f"""environment: peer test
endpoint: {{url: "{url}", ca_file: ca.pem, client_certificate_file: {SENDER}.pem,
           client_key_file: {SENDER}-key.pem, shared_key: {SHARED_KEY}}}
mailboxes: {{product: {{id: {SENDER}, password: {PASSWORD}}}, counterpart: {{id: {RECEIVER}, password: {PASSWORD}}}}}
workflow_id: {WORKFLOW}
product: {{name: mesh-client, version: "peer"}}
supplier: {{name: NHS}}
"""
    )
    pki, tape = folder / "front", folder / "tape"
    with recorder(config, tape, "--pki", pki) as url:
        for mailbox in SENDER, RECEIVER:
            shutil.copy(pki / "product.pem", pki / f"{mailbox}.pem")
            shutil.copy(pki / "product-key.pem", pki / f"{mailbox}-key.pem")
        round_trips("emulator through record", client_of(url, pki / "ca.pem", pki))
    lines = [json.loads(line) for line in (tape / "tape.ndjson").read_text().splitlines()]
    exchanges = [line for line in lines if "request" in line]
    whole = [line for line in exchanges if line["response"] and not line["failure"]]
    check("record: every call is on the tape, whole", len(exchanges) == len(whole) > 100, len(exchanges) - len(whole))
    hashes = [line["token"]["hash"] for line in exchanges if line["token"]]
    check(
        "record: it knows right tokens and the two wrong ones",
        (hashes.count("differs"), hashes.count("matches")) == (2, len(hashes) - 2),
        hashes,
    )
    end = lines[-1].get("mesh_witness_mark", {}).get("end")
    check("record: the tape ends in good order", end and end["exchanges"] == len(exchanges), lines[-1])


tokens()

with scratch() as folder:
    tls = certificates(folder)
    with sandbox(SHARED_KEY, tls) as port:
        round_trips("mesh-sandbox", client_of(f"https://localhost:{port}", tls / "ca.pem"))

with scratch() as folder:
    pki = Path(folder)
    with emulator("--pki", pki, "--shared-key", SHARED_KEY) as url:
        client = client_of(url, pki / "ca.pem", pki)
        round_trips("emulator", client)
        only_with_a_certificate(client)
        gone_when_acknowledged(client)

with scratch() as folder:
    pki = Path(folder)
    with emulator("--pki", pki, "--shared-key", SHARED_KEY) as url:
        recorded(pki, url)

with emulator("--plain-http", "--shared-key", SHARED_KEY) as url:
    round_trips("emulator over plain HTTP", client_of(url))

with emulator("--plain-http", "--shared-key", SHARED_KEY) as url:
    reports_and_expiry(url, client_of(url))

with emulator("--plain-http", "--shared-key", SHARED_KEY, "--profile", "sandbox") as url:
    round_trips("emulator as mesh-sandbox", client_of(url))

finish()
