#!/usr/bin/env python3
"""A product in one file, as mesh-witness asks it to act: no package, only Python's standard library.

    drive.py handshake|send|receive|track

Everything else is in the environment (docs/drivers.md). It does what the witness pack asks of a product,
so it is also a pattern to follow. Exit code 0 only when MESH has accepted what was asked for.
"""

import gzip
import hashlib
import hmac
import http.client
import json
import os
import ssl
import sys
import urllib.parse
import uuid
from datetime import datetime, timezone
from pathlib import Path

ENV = os.environ
MAILBOX = ENV["MESH_MAILBOX_ID"]
V2 = "application/vnd.mesh.v2+json"


class Refused(Exception):
    """MESH said no."""


class Mailbox:
    """Calls for one mailbox, one after the other, on one connection."""

    def __init__(self):
        tls = ssl.create_default_context(cafile=ENV["MESH_CA_FILE"])
        tls.load_cert_chain(ENV["MESH_CLIENT_CERT"], ENV["MESH_CLIENT_KEY"])
        url = urllib.parse.urlsplit(ENV["MESH_URL"])
        self.connection = http.client.HTTPSConnection(url.hostname, url.port, context=tls, timeout=30)
        self.nonce, self.count = str(uuid.uuid4()), 0

    def token(self):
        """A token is good for one call: the count goes up with each."""
        at = datetime.now(timezone.utc).strftime("%Y%m%d%H%M")
        nonce, count = self.nonce, self.count
        self.count += 1
        text = f"{MAILBOX}:{nonce}:{count}:{ENV['MESH_MAILBOX_PASSWORD']}:{at}"
        hashed = hmac.new(ENV["MESH_SHARED_KEY"].encode(), text.encode(), hashlib.sha256).hexdigest()
        return f"NHSMESH {MAILBOX}:{nonce}:{count}:{at}:{hashed}"

    def call(self, method, path="", body=None, **headers):
        """Status, headers and content. Never repeats a call: a send that was not answered may have been taken."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers |= {"Authorization": self.token(), "Accept": V2}
        self.connection.request(method, f"/messageexchange/{MAILBOX}{path}", body, headers)
        response = self.connection.getresponse()
        content = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return response.status, response.headers, content

    def demand(self, expected, method, path="", body=None, **headers):
        status, fields, content = self.call(method, path, body, **headers)
        if status not in expected:
            raise Refused(f"{method} {path}: {status} {content[:300].decode(errors='replace')}")
        return status, fields, content


def handshake(mailbox):
    mailbox.demand(
        {200}, "POST", Mex_ClientVersion="drive.py==1", Mex_OSName="python", Mex_OSVersion="3", Mex_OSArchitecture="any"
    )


def send(mailbox):
    payload = Path(ENV["MESH_PAYLOAD_FILE"]).read_bytes()
    size = int(ENV["MESH_CHUNK_SIZE"] or len(payload) or 1)
    parts = [payload[start : start + size] for start in range(0, len(payload), size)] or [b""]
    compress = ENV["MESH_COMPRESS"] == "yes"
    common = {"Content_Type": "application/octet-stream"}
    if compress:
        common |= {"Content_Encoding": "gzip", "Mex_Content_Compressed": "Y"}
        parts = [gzip.compress(part) for part in parts]
    first = common | {
        "Mex_From": MAILBOX,
        "Mex_To": ENV["MESH_RECIPIENT_ID"],
        "Mex_WorkflowID": ENV["MESH_WORKFLOW_ID"],
        "Mex_LocalID": ENV["MESH_LOCAL_ID"],
        "Mex_Subject": ENV["MESH_SUBJECT"],
        "Mex_FileName": ENV["MESH_FILE_NAME"],
    }
    if len(parts) > 1:
        first["Mex_Chunk_Range"] = f"1:{len(parts)}"
    _, _, answer = mailbox.demand({202}, "POST", "/outbox", parts[0], **first)
    message = json.loads(answer)["message_id"]
    for number, part in enumerate(parts[1:], start=2):
        chunk = common | {"Mex_Chunk_Range": f"{number}:{len(parts)}"}
        mailbox.demand({202}, "POST", f"/outbox/{message}/{number}", part, **chunk)
    print("sent", message)


def receive(mailbox):
    """Works the inbox off: what a look lists is taken, and then comes another look, until nothing new is listed."""
    seen = set()
    while True:
        _, _, answer = mailbox.demand({200}, "GET", "/inbox")
        new = [message for message in json.loads(answer)["messages"] if message not in seen]
        if not new:
            return
        for message in new:
            seen.add(message)
            take(mailbox, message)


def take(mailbox, message):
    accept = {"Accept_Encoding": "gzip"} if ENV["MESH_COMPRESS"] == "yes" else {}
    status, fields, content = mailbox.call("GET", f"/inbox/{message}", **accept)
    if status in (404, 410):
        print("cannot be had:", message, status)  # listed, and gone: nothing to acknowledge, nothing to repeat
        return
    if status not in (200, 206):
        raise Refused(f"download of {message}: {status}")
    number = 1
    while status == 206:
        number += 1
        status, fields, part = mailbox.demand({200, 206}, "GET", f"/inbox/{message}/{number}", **accept)
        content += part
    # Kept first, acknowledged then: what is acknowledged is gone from MESH.
    (Path(ENV["MESH_OUTPUT_DIR"]) / message).write_bytes(content)
    mailbox.demand({200}, "PUT", f"/inbox/{message}/status/acknowledged")
    print("received", message, fields.get("Mex-MessageType"))


def track(mailbox):
    message = urllib.parse.quote(ENV["MESH_MESSAGE_ID"])
    _, _, answer = mailbox.demand({200}, "GET", f"/outbox/tracking?messageID={message}")
    print(answer.decode())


ACTIONS = {"handshake": handshake, "send": send, "receive": receive, "track": track}

if __name__ == "__main__":
    try:
        ACTIONS[sys.argv[1]](Mailbox())
    except (Refused, OSError, http.client.HTTPException) as error:
        sys.exit(str(error))
