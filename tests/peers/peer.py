"""What the peer tests written in Python share: checks, certificates, servers, the binary."""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path

WITNESS = os.environ.get("MESH_WITNESS_BIN", "target/release/mesh-witness")
START_SECONDS = 30
RUN_SECONDS = 180
SANDBOX_PASSWORD = "password"  # of every mailbox of mesh-sandbox
SANDBOX_CONFIG = """\
environment: NHS mesh-sandbox
endpoint:
  url: {url}
  {ca_file}
  shared_key: ${{MESH_SHARED_KEY}}
mailboxes:
  product: {{id: X26ABC1, password: "${{MESH_PRODUCT_PASSWORD}}"}}
  counterpart: {{id: X26ABC2, password: "${{MESH_COUNTERPART_PASSWORD}}"}}
workflow_id: TEST_WORKFLOW
product: {{name: mesh-witness reference client, version: 0.1.0, driver: reference}}
supplier: {{name: Example Supplier}}
timeouts: {{connect_seconds: 5, response_seconds: 15, delivery_seconds: 30}}
"""

signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # so that servers are ended too

_failed = 0
_own = threading.local()


def check(what, holds, detail=""):
    """One line per check. The detail is shown only when it does not hold."""
    lines = [f"ok      {what}"]
    if not holds:
        lines = [f"FAILED  {what}", *(f"        | {line}" for line in str(detail).strip().splitlines()[-30:])]
    said = getattr(_own, "said", None)
    if said is None:
        _say(lines)
    else:
        said += lines
    return bool(holds)


def together(calls, at_once=3):
    """Makes these calls a few at once, since each of them mostly waits; what each one checked is said as one."""

    def one(call):
        _own.said = []
        try:
            call()
        finally:
            said, _own.said = _own.said, None
            with _saying:
                _say(said)

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for done in concurrent.futures.as_completed([pool.submit(one, call) for call in calls]):
            done.result()


_saying = threading.Lock()


def _say(lines):
    global _failed
    _failed += sum(line.startswith("FAILED") for line in lines)
    print(*lines, sep="\n", flush=True)


def raises(kind, call):
    """The exception of this kind that the call ends with, or None."""
    try:
        call()
    except kind as error:
        return error
    return None


def finish():
    sys.exit(1 if _failed else 0)


def scratch():
    """A folder that vanishes."""
    return tempfile.TemporaryDirectory(prefix="mesh-witness-peer-")


@contextlib.contextmanager
def server(command, ready, env=None, log=None):
    """Starts a server, gives what the pattern `ready` caught in its output, and ends it.

    Servers are asked for port 0 and tell the port they got: nothing can take it in between.
    """
    process = subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines = log if log is not None else []
    found = []
    said = threading.Event()

    def listen():
        for line in process.stdout:
            lines.append(line)
            match = re.search(ready, line)
            if match and not found:
                found.append(match.group(1))
                said.set()
        said.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        said.wait(START_SECONDS)
        if not found:
            raise RuntimeError(f"{command[0]} was not ready in {START_SECONDS} s:\n" + "".join(lines))
        yield found[0]
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def sandbox(shared_key, tls=None, log=None, auth_mode="full"):
    """NHS mesh-sandbox on a free port; gives its port. `tls` is a folder made by `certificates`."""
    command = [sys.executable, "-m", "uvicorn", "mesh_sandbox.api:app", "--host", "127.0.0.1", "--port", "0"]
    if tls:
        command += ["--ssl-certfile", str(tls / "server.pem"), "--ssl-keyfile", str(tls / "server-key.pem")]
    env = {"AUTH_MODE": auth_mode, "STORE_MODE": "memory", "SHARED_KEY": shared_key, "PYTHONWARNINGS": "ignore"}
    return server(command, r"Uvicorn running on https?://127\.0\.0\.1:(\d+)", env, log)


def sandbox_config(folder, url, shared_key, password=SANDBOX_PASSWORD, ca_file=None):
    """Writes a configuration for mesh-sandbox; gives its path, and what the environment must hold for it."""
    config = Path(folder) / "config.yaml"
    config.write_text(SANDBOX_CONFIG.format(url=url, ca_file=f"ca_file: {ca_file}" if ca_file else ""))
    return config, {
        "MESH_SHARED_KEY": shared_key,
        "MESH_PRODUCT_PASSWORD": password,
        "MESH_COUNTERPART_PASSWORD": SANDBOX_PASSWORD,
    }


def emulator(*options):
    """`mesh-witness emulate` on a free port; gives its URL."""
    return server(
        [WITNESS, "emulate", "--listen", "127.0.0.1:0", *map(str, options)],
        r"^listening on (https?://127\.0\.0\.1:\d+)\s*$",
    )


def recorder(config, tape, *options):
    """`mesh-witness record` on a free port; gives its URL."""
    return server(
        [WITNESS, "record", "--listen", "127.0.0.1:0", "--config", str(config), "--tape", str(tape), *map(str, options)],
        r"^listening on (https?://127\.0\.0\.1:\d+)\s*$",
    )


def certificates(folder):
    """A certificate authority (ca.pem) and a certificate for localhost (server.pem), by openssl."""
    folder = Path(folder)
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"]

    def request(name, subject, *extensions, signed_by=()):
        command = ["openssl", "req", "-x509", *new_key, "-subj", subject, *signed_by]
        command += ["-out", folder / f"{name}.pem", "-keyout", folder / f"{name}-key.pem"]
        for extension in extensions:
            command += ["-addext", extension]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    request("ca", "/CN=Peer test authority", "keyUsage=critical,keyCertSign,cRLSign")
    request(
        "server",
        "/CN=localhost",
        "basicConstraints=critical,CA:FALSE",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "extendedKeyUsage=serverAuth",
        signed_by=("-CA", folder / "ca.pem", "-CAkey", folder / "ca-key.pem"),
    )
    return folder


def witness(*arguments, env=None, timeout=RUN_SECONDS):
    """Runs the binary; gives the finished process with `said`: all that it printed."""
    done = subprocess.run(
        [WITNESS, *map(str, arguments)],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
    )
    done.said = done.stdout + done.stderr
    return done


def unpack(bundle, folder):
    """Unzips a bundle; gives the folder that holds its bagit.txt."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return next(Path(folder).rglob("bagit.txt")).parent


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def outcomes(bag):
    """The outcome of each case, by its number; of several scenarios of one, that of the worst."""
    worst = {}
    for case in read_json(bag / "data/summary.json")["cases"]:
        name, outcome = str(case["id"]), case["outcome"]
        if name not in worst or worst[name] == "passed":
            worst[name] = outcome
    return worst


def sha256(data):
    return hashlib.sha256(data).hexdigest()
