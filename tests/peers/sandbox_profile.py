"""The same calls go to the NHS's mesh-sandbox and to `emulate --profile sandbox`: statuses, headers and
bodies are the same, but for the differences that `sandbox_profile_differences.txt` lists with their reasons.
A listed difference that is none any more is a failure too."""

import gzip
import hmac
import http.client
import json
import re
import uuid
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import mesh_sandbox

from peer import check, emulator, finish, sandbox
from sandbox_profile_calls import CALLS, MODE_CALLS

LISTED = Path(__file__).with_name("sandbox_profile_differences.txt")
# What differs by the nature of things: the server's name, its time, how a body is framed.
UNCOMPARED = {"date", "server", "connection", "content-length", "transfer-encoding"}


def token(mailbox, password="password", nonce=None, count="0", time="202001010000", key="TestKey", scheme="NHSMESH "):
    """A good token: a time in the past is none the worse for mesh-sandbox."""
    nonce = str(uuid.uuid4()) if nonce is None else nonce
    text = f"{mailbox}:{nonce}:{count}:{password}:{time}"
    digest = hmac.new(key.encode(), text.encode(), sha256).hexdigest()
    return f"{scheme}{mailbox}:{nonce}:{count}:{time}:{digest}"


class Endpoint:
    """One of the two, and the message IDs that it gave, by the names that the calls gave them."""

    def __init__(self, url):
        self.address = urlsplit(url).netloc
        self.ids = {}

    def answer(self, call):
        headers = {name: self.fill(value) if isinstance(value, str) else value for name, value in call.headers.items()}
        if call.token is not None:
            headers["Authorization"] = call.token(token) if callable(call.token) else token(call.token)
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.putrequest(call.method, self.fill(call.path), skip_accept_encoding=True)
            body = call.body.encode() if isinstance(call.body, str) else call.body
            if body is not None:
                headers["Content-Length"] = str(len(body))
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return self.read(call, response, response.read())
        finally:
            connection.close()

    def read(self, call, response, body):
        if call.keep:
            found = re.search(rb'"message_?I[dD]"\s*:\s*"([^"]+)"|"message_id"\s*:\s*"([^"]+)"', body)
            self.ids[call.keep] = (found[1] or found[2]).decode() if found else "NONE"
        headers = {name.lower(): value for name, value in response.getheaders()}
        if call.link:
            link = json.loads(body).get("links", {}).get("next", "") if body else ""
            self.ids[call.link] = link.removeprefix("/messageexchange/")
        if headers.get("content-encoding") == "gzip" and body:
            body = b"(gzip) " + gzip.decompress(body)
        try:
            body = json.loads(body) if "json" in headers.get("content-type", "") else body.decode()
        except ValueError:
            body = body.decode(errors="replace")
        if "location" in headers:  # a relative reference leads to the same place as an absolute one
            headers["location"] = headers["location"].removeprefix(f"http://{self.address}")
        compared = {name: value for name, value in headers.items() if name not in UNCOMPARED}
        return self.plain({"status": response.status, "headers": compared, "body": body})

    def fill(self, text):
        """With the IDs in the places of their names, in lower case where `~` asks for it."""
        known = lambda found: self.ids[found[1]].lower() if found[2] else self.ids[found[1]]
        return re.sub(r"\{(\w+)(~?)\}", known, text)

    def plain(self, value):
        """Without what is never the same twice: IDs, times, places in a list."""
        if isinstance(value, dict):
            return {key: self.plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if not isinstance(value, str):
            return value
        value = re.sub(r"start_time=[^&]*", "start_time=<time>", value)
        value = re.sub(r"continue_from=[^&]*", "continue_from=<place>", value)
        for name, known in self.ids.items():
            value = value.replace(known, f"<{name}>") if len(known) > 5 else value
        value = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", _iso, value)
        value = re.sub(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d (\w{3})", r"<date \1>", value)
        value = re.sub(r"\b[0-9a-f]{32}\b", "<32 hex>", value)
        value = re.sub(r"\b[0-9A-F]{32}\b", "<32 HEX>", value)
        return re.sub(r"\b20\d{12}\b", "<14 digits>", value)


def _iso(found):
    fraction = ".<fraction>" if found[1] else ""
    return f"<time>{fraction}{found[2] or ''}"


def differences(ours, theirs, place=""):
    """Where two answers differ, each place with both values."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from differences(ours.get(key, "(none)"), theirs.get(key, "(none)"), f"{place}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, f"{place}/{index}")
    elif ours != theirs:
        yield place, f"emulator {ours!r}, mesh-sandbox {theirs!r}"


def listed():
    """Call and place of every known difference; the place `*` is the whole answer. `#` begins a reason,
    which the lines below share."""
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    return {tuple(line.rsplit(" ", 1)) for line in lines if line.strip() and not line.startswith("#")}


def compare(*options):
    known, found = listed(), set()
    with sandbox("TestKey") as port, emulator("--plain-http", "--profile", "sandbox", *options) as url:
        theirs, ours = Endpoint(f"http://127.0.0.1:{port}"), Endpoint(url)
        for call in CALLS:
            answered = {(call.name, place): why for place, why in differences(ours.answer(call), theirs.answer(call))}
            whole = (call.name, "*")
            found |= {whole} if whole in known and answered else answered.keys()
            new = [] if whole in known else [f"{place}: {why}" for (_, place), why in answered.items() if (call.name, place) not in known]
            check(call.name, not new, "\n".join(new))
    gone = sorted(known - found)
    check("every listed difference is one", not gone, "\n".join(" ".join(one) for one in gone))
    check("at least 100 calls were compared", len(CALLS) >= 100, len(CALLS))
    check("no two calls have one name", len({call.name for call in CALLS}) == len(CALLS))


def compare_modes():
    for mode in ("canned", "none"):
        options = ("--plain-http", "--profile", "sandbox", "--auth-mode", mode)
        with sandbox("TestKey", auth_mode=mode) as port, emulator(*options) as url:
            theirs, ours = Endpoint(f"http://127.0.0.1:{port}"), Endpoint(url)
            for call in MODE_CALLS:
                found = list(differences(ours.answer(call), theirs.answer(call)))
                check(f"--auth-mode {mode}: {call.name}", not found, found)


if __name__ == "__main__":
    compare()
    # The same of its own mailboxes.jsonl and workflows.jsonl.
    compare("--data-dir", Path(mesh_sandbox.__file__).parent / "store" / "data")
    compare_modes()
    finish()
