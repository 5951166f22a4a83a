"""The calls that `sandbox_profile.py` makes of both: every operation, right and wrong, in v1 and v2."""

import gzip
from dataclasses import dataclass, field
from typing import Any, Optional

V1 = "application/vnd.mesh.v1+json"
V2 = "application/vnd.mesh.v2+json"
ALICE, BOB, CAROL = "X26ABC1", "X26ABC2", "X26ABC3"
ZIPPED = gzip.compress(b"hello, compressed", mtime=0)


@dataclass
class Call:
    name: str
    method: str
    path: str
    token: Any = None  # a mailbox, or what makes a token
    headers: dict = field(default_factory=dict)
    body: Any = None
    keep: Optional[str] = None  # what to call the message ID of the answer
    link: Optional[str] = None  # what to call the next page


CALLS: list[Call] = []


def call(name, method, path, token=None, body=None, keep=None, link=None, accept=None, raw=False, **headers):
    headers = {key.replace("_", "-"): value for key, value in headers.items() if value is not None}
    if accept:
        headers["Accept"] = accept
    path = path if raw else f"/messageexchange/{path}"
    CALLS.append(Call(name, method, path, token, headers, body, keep, link))


def both(name, *arguments, **options):
    """In v1 and v2."""
    call(f"{name}, v1", *arguments, accept=V1, **options)
    call(f"{name}, v2", *arguments, accept=V2, **options)


def send(name, keep=None, body=b"hello", accept=V2, to=BOB, workflow="TEST_WORKFLOW", sender=ALICE, **headers):
    more = {"Mex-To": to, "Mex-WorkflowID": workflow, **headers}
    call(name, "POST", f"{sender}/outbox", sender, body, keep, accept=accept, **more)


def chunk(name, message, number, range, body=b"more", accept=V2, sender=ALICE, **headers):
    path = f"{sender}/outbox/{{{message}}}/{number}"
    call(name, "POST", path, sender, body, accept=accept, Mex_Chunk_Range=range, **headers)


CLIENT = {"Mex_ClientVersion": "peer==1", "Mex_OSName": "Linux", "Mex_OSVersion": "1"}

# Handshake, and who is let in.
both("handshake by POST", "POST", ALICE, ALICE, **CLIENT)
both("handshake by GET", "GET", ALICE, ALICE, **CLIENT)
call("handshake of a path in lower case", "POST", ALICE.lower(), ALICE, **CLIENT)
call("handshake without client version", "POST", ALICE, ALICE, Mex_OSName="Linux", Mex_OSVersion="1")
call("handshake without any of its headers", "POST", ALICE, ALICE)
call("handshake with empty headers", "POST", ALICE, ALICE, Mex_ClientVersion="", Mex_OSName="", Mex_OSVersion="")
both("no token", "GET", f"{ALICE}/inbox")
call("no token and wrong headers", "POST", f"{ALICE}/outbox", body=b"x")
both("a wrong password", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, password="wrong"))
call("a wrong shared key", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, key="wrong"))
both("another mailbox's token", "GET", f"{ALICE}/inbox", BOB)
both("an unknown mailbox", "GET", "X26NONE/inbox", "X26NONE")
call("a token in lower case", "GET", f"{ALICE}/inbox", lambda token: token(ALICE.lower()))
call("a hash in upper case", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, nonce="n")[:-64] + token(ALICE, nonce="n")[-64:].upper())
call("no scheme", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, scheme=""))
call("a scheme in lower case", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, scheme="nhsmesh "))
call("a scheme with a colon", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, scheme="NHSMESH:"))
call("a scheme with two spaces", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, scheme="NHSMESH  "))
call("another scheme", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, scheme="Basic "))
call("a scheme alone", "GET", f"{ALICE}/inbox", lambda token: "NHSMESH")
call("an empty token", "GET", f"{ALICE}/inbox", lambda token: "")
call("a nonce that is no GUID", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, nonce="once"))
call("an empty nonce", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, nonce=""))
call("a count of many digits", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, count="123456789012"))
call("a count that is none", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, count="one"))
call("an empty count", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, count=""))
call("a time that is none", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, time="noon"))
call("an empty time", "GET", f"{ALICE}/inbox", lambda token: token(ALICE, time=""))
call("four fields", "GET", f"{ALICE}/inbox", lambda token: token(ALICE).rsplit(":", 1)[0])
call("six fields", "GET", f"{ALICE}/inbox", lambda token: token(ALICE) + ":more")
call("a hash that is short", "GET", f"{ALICE}/inbox", lambda token: token(ALICE)[:-1])
call("a token once", "GET", f"{ALICE}/count", lambda token: token(ALICE, nonce="twice"))
call("a token twice", "GET", f"{ALICE}/count", lambda token: token(ALICE, nonce="twice"))

# Versions.
call("no Accept", "GET", f"{ALICE}/inbox", ALICE)
for name, accept in {
    "any": "*/*",
    "plain JSON": "application/json",
    "version 0": "application/vnd.mesh.v0+json",
    "version 3": "application/vnd.mesh.v3+json",
    "version 10": "application/vnd.mesh.v10+json",
    "two types": f"{V2}, application/json",
    "two types, mesh last": f"application/json, {V2}",
    "two types by semicolon": f"application/json;{V2}",
    "a weight": f"{V2};q=0.9",
    "capitals": V2.upper(),
    "a misspelt type": "application/vnd.mesh.v2",
    "text": "text/plain",
}.items():
    call(f"Accept: {name}", "GET", f"{ALICE}/inbox", ALICE, accept=accept)
call("a wrong Accept and no token", "GET", f"{ALICE}/inbox", accept="application/vnd.mesh.v2")
call("a wrong Accept and wrong headers", "POST", ALICE, ALICE, accept="application/vnd.mesh.v2")

# Sending.
send("send, v1", "plain1", accept=V1)
send("send, v2", "plain2", Mex_LocalID="local-1", Mex_Subject="a subject", Mex_FileName="file.txt", Content_Type="text/plain",
     Mex_PartnerID="partner", Mex_Content_Checksum="b10a8db164e0754105b7a99be72e3fe5", Mex_Content_Encrypted="Y")
send("send with a content type of its own", "typed", Content_Type="application/xml", Mex_Content_Type="application/json", Mex_Content_Compressed="Y")
send("send gzip", "zipped", body=ZIPPED, Content_Encoding="gzip")
send("send GZIP in capitals", "capitals", body=ZIPPED, Content_Encoding=" GZIP ")
send("send to a mailbox in lower case", to=BOB.lower())
send("send to a mailbox with spaces", to=f" {BOB} ")
send("send to itself", to=ALICE)
send("send on a free workflow", "free", workflow="ANYTHING AT ALL")
send("send from the pack", "pack", Mex_From=ALICE, Mex_MessageType="DATA", Mex_Version="1.0")
send("send from another", Mex_From=CAROL)
send("send a report", Mex_MessageType="REPORT")
send("send without workflow", workflow=None)
send("send without recipient", to=None)
send("send without both", to=None, workflow=None)
send("send to nobody, v1", to="", accept=V1)
send("send to nobody, v2", to="")
send("send to an unknown mailbox, v1", to="X26NONE", accept=V1)
send("send to an unknown mailbox, v2", to="X26NONE")
send("send to a patient", to="GPPROVIDER_9990000018_30041957_SMITH")
send("send nothing, v1", body=b"", accept=V1)
send("send nothing, v2", body=b"")
send("send nothing to nobody", body=b"", to="X26NONE")
send("send deflate, v1", Content_Encoding="deflate", accept=V1)
send("send deflate, v2", Content_Encoding="deflate")
send("send identity", Content_Encoding="identity")
send("send x-gzip", Content_Encoding="x-gzip", body=ZIPPED)
send("send a tab in the subject, v1", Mex_Subject="a\tb", accept=V1)
send("send a tab in the subject, v2", Mex_Subject="a\tb")
send("send a tab in the recipient", to="X26\tABC2")
send("send to a URL", to="http://example.com")
send("send a URL as workflow", workflow="HTTPS://example.com")
send("send a URL as checksum", Mex_Content_Checksum="http://example.com")
send("send a URL as subject", Mex_Subject="http://example.com")
send("send a checksum with spaces and signs", "summed", Mex_Content_Checksum="SHA-256: ab/cd-ef 01")
send("send a checksum in base64, v1", Mex_Content_Checksum="ab+c=", accept=V1)
send("send a checksum in base64, v2", Mex_Content_Checksum="ab+c=")
for name, header, limit in [
    ("to", "Mex-To", 100), ("workflow", "Mex-WorkflowID", 300), ("subject", "Mex-Subject", 500), ("local ID", "Mex-LocalID", 300),
    ("partner", "Mex-PartnerID", 500), ("file name", "Mex-FileName", 300), ("encrypted", "Mex-Content-Encrypted", 20),
    ("compressed", "Mex-Content-Compressed", 20), ("checksum", "Mex-Content-Checksum", 100), ("type", "Mex-Content-Type", 100),
    ("chunk range", "Mex-Chunk-Range", 20),
]:
    send(f"send with a {name} of too many characters", **{header: "x" * (limit + 1)})
    send(f"send with a {name} of as many as may be", **{header: "x" * limit})
send("send compressed: yes", "flagged", Mex_Content_Compressed="yes", Mex_Content_Encrypted="true")
send("send compressed: no", "unflagged", Mex_Content_Compressed="N", Mex_Content_Encrypted="maybe")
send("send with a local ID twice (1)", Mex_LocalID="twice")
send("send with a local ID twice (2)", Mex_LocalID="twice")
send("send a file name in Latin-1", "latin", Mex_FileName=b"caf\xe9.txt")
send("send with labels that are empty", "bare", Mex_LocalID="", Mex_Subject="", Mex_FileName="", Mex_Content_Type="")
send("send with a wrong token", sender="X26NONE")

# Chunks.
for name, text in {"1:x": "1:x", "2:3": "2:3", "0:1": "0:1", "2:1": "2:1", "1": "1", "1:2:3": "1:2:3", "spaces": " 1 : 1 ", "sign": "+1:1"}.items():
    send(f"send with chunk range {name}", Mex_Chunk_Range=text)
send("send with chunk range x, v1", Mex_Chunk_Range="x", accept=V1)
send("send with chunk range x to nobody", Mex_Chunk_Range="x", to="X26NONE")
send("send with chunk range 1:1", "single", Mex_Chunk_Range="1:1")
send("send chunk 1 of 3", "three", Mex_Chunk_Range="1:3", Content_Type="text/plain")
send("send chunk 1 of 2, gzip", "two", body=ZIPPED, Mex_Chunk_Range="1:2", Content_Encoding="gzip", Mex_Content_Type="text/csv")
send("send chunk 1 of 3 again", "gap", Mex_Chunk_Range="1:3")
send("send chunk 1 of 2, never finished", "open", Mex_Chunk_Range="1:2", Mex_LocalID="open")
for version, accept in (("v1", V1), ("v2", V2)):
    chunk(f"chunk without range, {version}", "three", 2, None, accept=accept)
    chunk(f"chunk with another range, {version}", "three", 2, "3:3", accept=accept)
    chunk(f"chunk in another encoding, {version}", "three", 2, "2:3", accept=accept, body=ZIPPED, Content_Encoding="gzip")
    chunk(f"chunk beyond the total, {version}", "three", 4, "4:4", accept=accept)
    chunk(f"chunk 2 of 3, {version}", "three", 2, "2:3", accept=accept)
    call(f"chunk of no message, {version}", "POST", f"{ALICE}/outbox/NONESUCH/2", ALICE, b"x", accept=accept, Mex_Chunk_Range="2:3")
    call(f"chunk of no message, wrong range, {version}", "POST", f"{ALICE}/outbox/NONESUCH/2", ALICE, b"x", accept=accept, Mex_Chunk_Range="3:3")
    call(f"chunk of another's message, {version}", "POST", f"{BOB}/outbox/{{three}}/2", BOB, b"x", accept=accept, Mex_Chunk_Range="2:3")
chunk("chunk with another total", "three", 2, "2:9")
chunk("chunk 1 again", "three", 1, "1:3")
chunk("chunk with nothing in it", "three", 2, "2:3", body=b"")
chunk("chunk with a range in spaces", "three", 2, " 2 : 3 ")
chunk("chunk with a range too long", "three", 2, "2:3" + "0" * 20)
chunk("chunk by letters", "three", "two", "2:3")
chunk("chunk 0", "three", 0, "0:3")
chunk("chunk without gzip", "two", 2, "2:2")
chunk("chunk 2 of 2, gzip", "two", 2, "2:2", body=ZIPPED, Content_Encoding="gzip")
chunk("chunk of a whole message, v1", "two", 2, "2:2", accept=V1, Content_Encoding="gzip", body=ZIPPED)
chunk("chunk of a whole message, v2", "two", 2, "2:2", Content_Encoding="gzip", body=ZIPPED)
chunk("chunk of a message that was never chunked", "plain1", 2, "2:2")
chunk("chunk 3 of 3, v1", "three", 3, "3:3", accept=V1, body=b"end")
chunk("chunk 3 of 3 without the second", "gap", 3, "3:3", body=b"end")

# The inbox.
both("inbox", "GET", f"{BOB}/inbox", BOB)
both("count", "GET", f"{BOB}/count", BOB)
call("inbox in tens, v1", "GET", f"{BOB}/inbox?max_results=10", BOB, accept=V1)
call("inbox in tens, v2", "GET", f"{BOB}/inbox?max_results=10", BOB, accept=V2, link="page2")
call("inbox in tens, second page", "GET", "{page2}", BOB, accept=V2)
call("inbox from a message, v1", "GET", f"{BOB}/inbox?max_results=10&continue_from={{plain2}}", BOB, accept=V1)
call("inbox from an unknown message, v1", "GET", f"{BOB}/inbox?max_results=10&continue_from={'N' * 32}", BOB, accept=V1)
call("inbox from nowhere, v2", "GET", f"{BOB}/inbox?continue_from={'N' * 32}", BOB, accept=V2)
call("inbox from too near", "GET", f"{BOB}/inbox?continue_from=short", BOB, accept=V2)
call("inbox from too far", "GET", f"{BOB}/inbox?continue_from={'x' * 1001}", BOB, accept=V2)
for value in ("9", "5001", "ten", "", "-1", "500", "5000", "10.5", "+10"):
    call(f"inbox with max_results {value or 'empty'}", "GET", f"{BOB}/inbox?max_results={value}", BOB, accept=V2)
for value in ("ANYTHING AT ALL", "!TEST_WORKFLOW", "TEST*", "!TEST*", "*_WORK*", "!*_WORK*", "*AT ALL", "*AT ALLX", "!*AT ALLX", "T*T",
              "**", "!*", "!!", "T", "  ", " TEST_WORKFLOW ", "x" * 256):
    text = value.replace(" ", "%20").replace("!", "%21")
    call(f"inbox with filter {value[:20]!r}", "GET", f"{BOB}/inbox?workflow_filter={text}", BOB, accept=V2)
call("inbox with page and filter", "GET", f"{BOB}/inbox?max_results=10&workflow_filter=TEST%2A", BOB, accept=V2)
call("inbox with something else", "GET", f"{BOB}/inbox?nonsense=1", BOB, accept=V2)
both("inbox, rich", "GET", f"{BOB}/inbox/rich?max_results=3", BOB)
call("inbox, rich, all", "GET", f"{BOB}/inbox/rich", BOB, link="rich2")
call("inbox, rich, of none", "GET", f"{BOB}/inbox/rich?max_results=0", BOB)
call("outbox, rich", "GET", f"{ALICE}/outbox/rich?max_results=10", ALICE)
call("outbox, rich, of few", "GET", f"{ALICE}/outbox/rich?max_results=1", ALICE)
call("outbox, rich, of very many", "GET", f"{ALICE}/outbox/rich?max_results=5000", ALICE)
call("inbox with a parameter twice", "GET", f"{BOB}/inbox?max_results=10&max_results=20", BOB, accept=V2)
call("outbox, rich, since", "GET", f"{ALICE}/outbox/rich?start_time=2099-01-01T00:00:00", ALICE)
call("update", "POST", f"{ALICE}/update", ALICE, b"")
call("update without token", "POST", f"{ALICE}/update", body=b"")

# Download.
for name in ("plain1", "plain2", "typed", "zipped", "two", "single", "flagged", "unflagged", "summed", "free", "capitals", "latin", "bare"):
    both(f"download {name}", "GET", f"{BOB}/inbox/{{{name}}}", BOB)
both("download plain, taking gzip", "GET", f"{BOB}/inbox/{{plain2}}", BOB, Accept_Encoding="gzip")
both("download gzip, taking gzip", "GET", f"{BOB}/inbox/{{zipped}}", BOB, Accept_Encoding="gzip, deflate")
call("download gzip, refusing it", "GET", f"{BOB}/inbox/{{zipped}}", BOB, accept=V2, Accept_Encoding="gzip;q=0")
call("download plain, refusing gzip", "GET", f"{BOB}/inbox/{{plain1}}", BOB, accept=V2, Accept_Encoding="gzip;q=0")
call("download plain, taking anything", "GET", f"{BOB}/inbox/{{plain1}}", BOB, accept=V2, Accept_Encoding="*")
both("download an ID in lower case", "GET", f"{BOB}/inbox/nonesuch", BOB)
both("download another's", "GET", f"{CAROL}/inbox/{{plain1}}", CAROL)
both("download by its sender", "GET", f"{ALICE}/inbox/{{plain1}}", ALICE)
both("download what is still sent", "GET", f"{BOB}/inbox/{{open}}", BOB)
call("download chunk 1 of 2", "GET", f"{BOB}/inbox/{{two}}/1", BOB, accept=V2)
call("download chunk 2 of 2", "GET", f"{BOB}/inbox/{{two}}/2", BOB, accept=V2)
call("download chunk 2 of 2, as gzip", "GET", f"{BOB}/inbox/{{two}}/2", BOB, accept=V2, Accept_Encoding="gzip")
call("download chunk 1 of 1", "GET", f"{BOB}/inbox/{{plain1}}/1", BOB, accept=V2)
call("download chunk 3 of 2", "GET", f"{BOB}/inbox/{{two}}/3", BOB, accept=V2)
call("download chunk 0", "GET", f"{BOB}/inbox/{{two}}/0", BOB, accept=V2)
call("download chunk -1", "GET", f"{BOB}/inbox/{{two}}/-1", BOB, accept=V2)
call("download chunk by letters", "GET", f"{BOB}/inbox/{{two}}/one", BOB, accept=V2)
call("download chunk 02", "GET", f"{BOB}/inbox/{{two}}/02", BOB, accept=V2)
call("download chunk +2", "GET", f"{BOB}/inbox/{{two}}/+2", BOB, accept=V2)
call("download chunk 1 of a gap", "GET", f"{BOB}/inbox/{{gap}}", BOB, accept=V2)
call("download a chunk that never came", "GET", f"{BOB}/inbox/{{gap}}/2", BOB, accept=V2)
call("download the last of a gap", "GET", f"{BOB}/inbox/{{gap}}/3", BOB, accept=V2)
for name, mailbox, message in [
    ("its own", BOB, "{plain2}"), ("gzip", BOB, "{zipped}"), ("chunked", BOB, "{two}"), ("none", BOB, "NONESUCH"),
    ("another's", CAROL, "{plain2}"), ("by its sender", ALICE, "{plain2}"), ("still sent", BOB, "{open}"),
    ("still sent, by its sender", ALICE, "{open}"),
]:
    call(f"head: {name}", "HEAD", f"{mailbox}/inbox/{message}", mailbox, accept=V2)

# Acknowledging.
for name, mailbox, message in [
    ("its own", BOB, "{plain2}"), ("its own again", BOB, "{plain2}"), ("none", BOB, "NONESUCH"), ("another's", CAROL, "{plain1}"),
    ("by its sender", ALICE, "{plain1}"), ("still sent", BOB, "{open}"),
]:
    both(f"acknowledge: {name}", "PUT", f"{mailbox}/inbox/{message}/status/acknowledged", mailbox)
call("acknowledge: another status", "PUT", f"{BOB}/inbox/{{plain2}}/status/read", BOB)
both("download what is acknowledged", "GET", f"{BOB}/inbox/{{plain2}}", BOB)
call("head: acknowledged", "HEAD", f"{BOB}/inbox/{{plain2}}", BOB)
call("inbox after an acknowledgement", "GET", f"{BOB}/inbox?workflow_filter=NONE", BOB, accept=V2)

# Tracking and lookups.
for name, mailbox, message in [
    ("accepted", ALICE, "{plain1}"), ("acknowledged", ALICE, "{plain2}"), ("gzip", ALICE, "{zipped}"), ("flagged", ALICE, "{flagged}"),
    ("still sent", ALICE, "{open}"), ("none", ALICE, "NONESUCH"), ("by its recipient", BOB, "{plain1}"), ("another's", CAROL, "{plain1}"),
]:
    both(f"track: {name}", "GET", f"{mailbox}/outbox/tracking?messageID={message}", mailbox)
call("track by version 3", "GET", f"{ALICE}/outbox/tracking?messageID={{plain1}}", ALICE, accept="application/vnd.mesh.v3+json")
call("track: no ID", "GET", f"{ALICE}/outbox/tracking", ALICE)
call("track: an empty ID", "GET", f"{ALICE}/outbox/tracking?messageID=", ALICE)
call("track: by another name", "GET", f"{ALICE}/outbox/tracking?messageId={{plain1}}", ALICE)
both("track local ID", "GET", f"{ALICE}/outbox/tracking/local-1", ALICE)
both("track local ID: none", "GET", f"{ALICE}/outbox/tracking/nonesuch", ALICE)
both("track local ID: two", "GET", f"{ALICE}/outbox/tracking/twice", ALICE)
call("track local ID: still sent", "GET", f"{ALICE}/outbox/tracking/open", ALICE)
both("look up an endpoint", "GET", "endpointlookup/X26/TEST_WORKFLOW2")
both("look up an endpoint: none", "GET", "endpointlookup/X26/NONESUCH")
call("look up an endpoint: in lower case", "GET", "endpointlookup/x26/TEST_WORKFLOW2", accept=V2)
call("look up an endpoint: a space", "GET", "endpointlookup/%20/TEST_WORKFLOW2", accept=V2)
both("search a workflow", "GET", "workflowsearch/TEST_WORKFLOW_ACK")
both("search a workflow: none", "GET", "workflowsearch/NONESUCH")
call("search a workflow: a space", "GET", "workflowsearch/%20", accept=V1)

# What only a test endpoint has.
for path in ("/health", "/_status", "/_ping", "/healthcheck", "/messageexchange/_ping", "/messageexchange/deepping"):
    call(f"ping {path}", "GET", path, raw=True)
call("admin: a mailbox", "GET", f"admin/mailbox/{ALICE}")
call("admin: a mailbox, short path", "GET", f"/admin/mailbox/{ALICE}", raw=True)
call("a mailbox", "GET", f"mailbox/{ALICE}")
call("admin: a mailbox in lower case", "GET", f"admin/mailbox/{ALICE.lower()}")
call("admin: no mailbox", "GET", "admin/mailbox/X26NONE")
for name in ("plain1", "plain2", "zipped", "open", "flagged"):
    call(f"admin: message {name}", "GET", f"admin/message/{{{name}}}")
call("admin: message, short path", "GET", "/admin/message/{plain1}", raw=True)
call("admin: no message", "GET", "admin/message/NONESUCH")
JSON = {"Content_Type": "application/json"}
REPORT = '"mailbox_id": "X26ABC3", "code": "42", "description": "it failed", "workflow_id": "W"'
call("admin: report", "POST", "admin/report", body="{" + REPORT + "}", keep="ndr", **JSON)
call("admin: report with all", "POST", "admin/report", keep="ndr2", **JSON,
     body="{" + REPORT + ', "subject": "s", "local_id": "l", "status": "undeliverable", "file_name": "f.txt", "linked_message_id": "LINKED"}')
call("admin: report of an error", "POST", "admin/report", keep="failed", **JSON,
     body="{" + REPORT + ', "subject": "s", "local_id": "l", "status": "error", "file_name": "f.txt", "linked_message_id": "LINKED"}')
call("admin: report to nobody", "POST", "admin/report", body="{" + REPORT.replace("X26ABC3", "X26NONE") + "}", **JSON)
call("admin: report without code", "POST", "admin/report", body='{"mailbox_id": "X26ABC3"}', **JSON)
call("admin: report of nothing", "POST", "admin/report", body="nonsense", **JSON)
call("admin: report of another status", "POST", "admin/report", body="{" + REPORT + ', "status": "accepted"}', **JSON)
for name in ("ndr", "ndr2", "failed"):
    both(f"download report {name}", "GET", f"{CAROL}/inbox/{{{name}}}", CAROL)
    call(f"download chunk 1 of report {name}", "GET", f"{CAROL}/inbox/{{{name}}}/1", CAROL, accept=V2)
    call(f"head: report {name}", "HEAD", f"{CAROL}/inbox/{{{name}}}", CAROL)
    call(f"admin: message {name}", "GET", f"admin/message/{{{name}}}")
call("download report, taking gzip", "GET", f"{CAROL}/inbox/{{failed}}", CAROL, accept=V2, Accept_Encoding="gzip")
call("inbox with reports", "GET", f"{CAROL}/inbox", CAROL, accept=V2)
call("inbox with reports, rich", "GET", f"{CAROL}/inbox/rich", CAROL)
for status, message in {"acknowledged": "plain1", "undeliverable": "typed", "error": "single"}.items():
    body = f'{{"status": "{status}", "code": "21", "event": "TRANSFER", "description": "told so", "linked_message_id": "LINKED"}}'
    call(f"admin: event {status}", "POST", f"admin/message/{{{message}}}/event", body=body, **JSON)
    both(f"track after event {status}", "GET", f"{ALICE}/outbox/tracking?messageID={{{message}}}", ALICE)
    both(f"download after event {status}", "GET", f"{BOB}/inbox/{{{message}}}", BOB)
    call(f"head: after event {status}", "HEAD", f"{BOB}/inbox/{{{message}}}", BOB)
    call(f"admin: message after event {status}", "GET", f"admin/message/{{{message}}}")
    call(f"count after event {status}", "GET", f"{BOB}/count", BOB, accept=V2)
    call(f"inbox of the sender after event {status}", "GET", f"{ALICE}/inbox", ALICE, accept=V2)
call("admin: event of nothing", "POST", "admin/message/{plain1}/event", body="{}", **JSON)
call("admin: event of no message", "POST", "admin/message/NONESUCH/event", body='{"status": "error"}', **JSON)

# What a random comparison of the two has found (it is not kept: these are its findings).
for number in (2, 99):
    call(f"download chunk {number} of a report", "GET", f"{CAROL}/inbox/{{ndr}}/{number}", CAROL, accept=V2)
call("chunk of a report", "POST", f"{CAROL}/outbox/{{ndr}}/2", CAROL, b"x", accept=V2, Mex_Chunk_Range="2:2")
call("admin: report with texts that are empty", "POST", "admin/report", keep="blank", **JSON,
     body="{" + REPORT + ', "subject": "", "local_id": "", "file_name": "", "linked_message_id": ""}')
call("admin: report of an error with texts that are empty", "POST", "admin/report", keep="blank2", **JSON,
     body='{"mailbox_id": "X26ABC3", "code": "", "description": "", "workflow_id": "W", "status": "error", "subject": "", "file_name": ""}')
for name in ("blank", "blank2"):
    call(f"download report {name}", "GET", f"{CAROL}/inbox/{{{name}}}", CAROL, accept=V2)
    call(f"admin: message {name}", "GET", f"admin/message/{{{name}}}")
call("head: after event error, by its sender", "HEAD", f"{ALICE}/inbox/{{single}}", ALICE)
call("admin: event undeliverable of what was acknowledged", "POST", "admin/message/{plain2}/event", body='{"status": "undeliverable"}', **JSON)
call("admin: event error without a reason", "POST", "admin/message/{summed}/event", body='{"status": "error"}', **JSON)
for name in ("plain2", "summed"):
    both(f"track {name} after another event", "GET", f"{ALICE}/outbox/tracking?messageID={{{name}}}", ALICE)
    call(f"download {name} after another event", "GET", f"{BOB}/inbox/{{{name}}}", BOB, accept=V2)
    call(f"admin: message {name} after another event", "GET", f"admin/message/{{{name}}}")
    call(f"inbox, rich, after another event of {name}", "GET", f"{BOB}/inbox/rich", BOB)
call("admin: event of an ID in lower case", "POST", "admin/message/{zipped~}/event", body='{"status": "acknowledged"}', **JSON)
call("download what an event has acknowledged", "GET", f"{BOB}/inbox/{{zipped~}}", BOB, accept=V2)
both("track local ID: not ASCII", "GET", f"{ALICE}/outbox/tracking/%C3%A9", ALICE)
call("chunk of what can be no message", "POST", f"{ALICE}/outbox/a.b/2", ALICE, b"x", accept=V2, Mex_Chunk_Range="2:2")
call("download chunk by letters, a misspelt type", "GET", f"{BOB}/inbox/{{two}}/one", BOB, accept="application/vnd.mesh.v2")
call("head of what can be no message, a misspelt type", "HEAD", f"{BOB}/inbox/a.b", BOB, accept="application/vnd.mesh.v2")
call("chunk 0, a misspelt type", "POST", f"{ALICE}/outbox/{{two}}/0", ALICE, b"x", accept="application/vnd.mesh.v2")
call("download chunk of eleven digits", "GET", f"{BOB}/inbox/{{two}}/99999999999", BOB, accept=V2)
call("inbox with a tilde in the filter", "GET", f"{BOB}/inbox?workflow_filter=~-._", BOB, accept=V2)
for box in ("inbox", "outbox"):
    call(f"{box}, rich, of too many from too near", "GET", f"{BOB}/{box}/rich?max_results=9999&continue_from=short", BOB)
call("a mailbox that is percent-encoded", "GET", "%58" + BOB[1:] + "/count", BOB, accept=V2)
call("a message that is percent-encoded", "HEAD", f"{BOB}/inbox/NONE%53UCH", BOB, accept=V2)
call("look up an endpoint: no code", "GET", "endpointlookup//TEST_WORKFLOW")
call("look up an endpoint: no workflow", "GET", "endpointlookup/X26/")
for method, path in [("DELETE", "inbox/"), ("HEAD", "outbox/rich/"), ("PUT", "update/"), ("POST", "inbox/A/")]:
    call(f"a slash at the end of {path}, by {method}", method, f"{ALICE}/{path}", ALICE)
call("a slash at the end, after lower case", "GET", f"{ALICE.lower()}/inbox/", ALICE)
for method, path in [("GET", "reset"), ("PUT", "reset/X"), ("GET", "report"), ("PUT", "message/A"), ("GET", "message/A/event"),
                     ("DELETE", "mailbox/X"), ("GET", "nonsense"), ("GET", "message/A/B/C"), ("POST", "report/"), ("GET", "mailbox/X/")]:
    call(f"admin: {path} by {method}", method, f"admin/{path}")
    call(f"admin: {path} by {method}, short path", method, f"/admin/{path}", raw=True)
call("admin: a mailbox that is percent-encoded", "GET", f"admin/mailbox/%58{ALICE[1:]}")
call("a mailbox's details by another method", "PUT", f"mailbox/{ALICE}")
call("a mailbox's details with a slash at the end", "GET", f"mailbox/{ALICE}/")
call("ping /health by another method", "POST", "/health", raw=True)
for path in ("/health", "/messageexchange/_ping", "/messageexchange/deepping"):
    call(f"ping {path} with a slash at the end", "GET", f"{path}/", raw=True)
for method, path in [("GET", "update"), ("DELETE", "outbox/rich"), ("PUT", "outbox/A/1"), ("POST", "inbox/A/status/acknowledged")]:
    call(f"another method on {path}", method, f"{ALICE}/{path}", ALICE)

send("send to who is reset", "third", to=CAROL)
call("admin: reset a mailbox", "DELETE", f"admin/reset/{CAROL}")
call("admin: reset a mailbox in lower case", "DELETE", f"admin/reset/{CAROL.lower()}")
call("inbox after its reset", "GET", f"{CAROL}/inbox", CAROL, accept=V2)
call("track after the recipient's reset", "GET", f"{ALICE}/outbox/tracking?messageID={{third}}", ALICE, accept=V2)
call("download after its reset", "GET", f"{CAROL}/inbox/{{third}}", CAROL, accept=V2)
call("inbox of another after it", "GET", f"{BOB}/count", BOB, accept=V2)
call("admin: reset no mailbox", "DELETE", "admin/reset/X26NONE")
call("admin: event of a word", "POST", "admin/message/{free}/event", body='{"status": "lost"}', **JSON)
call("track after event of a word", "GET", f"{ALICE}/outbox/tracking?messageID={{free}}", ALICE, accept=V2)
call("admin: reset the sender", "DELETE", f"admin/reset/{ALICE}")
call("track after the sender's reset", "GET", f"{ALICE}/outbox/tracking?messageID={{zipped}}", ALICE, accept=V2)
call("download after the sender's reset", "GET", f"{BOB}/inbox/{{zipped}}", BOB, accept=V2)
call("admin: reset", "DELETE", "admin/reset")
call("admin: reset, short path", "DELETE", "/admin/reset", raw=True)
call("download after the reset", "GET", f"{BOB}/inbox/{{zipped}}", BOB, accept=V2)
call("inbox after the reset", "GET", f"{BOB}/inbox", BOB, accept=V2)

# What is no operation.
call("no path", "GET", "/", raw=True)
call("no operation", "GET", f"{ALICE}/nonsense", ALICE)
call("another method", "DELETE", f"{ALICE}/inbox", ALICE)
call("another method on a handshake", "PUT", ALICE, ALICE)
call("a slash at the end", "GET", f"{ALICE}/inbox/", ALICE)

# What one of the two takes and the other does not, last, so that nothing else differs for it.
send("send what is declared gzip and is not", body=b"not gzip", Content_Encoding="gzip")
send("send with an empty workflow", workflow="")
send("send with a space as workflow", workflow=" ")
send("send with a workflow that is not ASCII", workflow="caf\xe9")
call("admin: report without a workflow", "POST", "admin/report", body="{" + REPORT.replace('"W"', '""') + "}", **JSON)

# With AUTH_MODE=canned and AUTH_MODE=none: who is let in.
MODE_CALLS: list[Call] = []
for name, given in {
    "no token": None,
    "a good token": ALICE,
    "a token of another": BOB,
    "a canned token": lambda token: f"NHSMESH {ALICE}:VALID:::",
    "a canned token in lower case": lambda token: f"nhsmesh {ALICE}:valid",
    "a canned token of another": lambda token: f"NHSMESH {BOB}:VALID:::",
    "another nonce": lambda token: f"NHSMESH {ALICE}:invalid:::",
}.items():
    MODE_CALLS.append(Call(name, "GET", f"/messageexchange/{ALICE}/inbox", given, {"Accept": V2}))
MODE_CALLS.append(Call("an unknown mailbox", "GET", "/messageexchange/X26NONE/inbox", lambda token: "NHSMESH X26NONE:VALID:::"))
