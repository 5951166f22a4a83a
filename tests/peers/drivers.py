"""Products that nobody here wrote, driven through the witness pack; and one that a person operates.

What fails in them is real, and so is part of the check: mesh-client sends neither Mex-From nor
Mex-Content-Compressed, nhs-mesh-client takes payloads for text and trusts any certificate.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from peer import WITNESS, check, emulator, finish, outcomes, read_json, scratch, together, unpack, witness

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "drivers"
MINUTES_10 = 600
PLAYED = ["201", "202", "401", "402", "501", "502", "601", "701", "702", "703", "704", "705"]


def configured(folder, name, command, more):
    """A copy of an example in a folder, with its driver and more lines in the configuration."""
    shutil.copytree(EXAMPLES / name, folder / "product")
    config = folder / "product" / "mesh-witness.yaml"
    quoted = ", ".join(f'"{part}"' for part in command)
    config.write_text(
        f'product: {{name: {name}, version: "1", driver: {{command: [{quoted}], timeout: 9m}}}}\n{more}', "utf-8"
    )
    return config


def play(name, command, failing, more="", reason=(), doubtful=()):
    """Plays the pack with an example's driver; cases in `failing` must fail, all others pass. Of the rules over
    all of the product's traffic those in `doubtful` give a warning, and none is broken."""
    with scratch() as folder:
        folder = Path(folder)
        config = configured(folder, name, command, more)
        done = witness("run", "--config", config, "--bundle", folder / "bundle.zip", timeout=MINUTES_10)
        check(f"{name}: exit code", done.returncode == (1 if failing else 0), done.said)
        bag = unpack(folder / "bundle.zip", folder / "bag")
        seen = outcomes(bag)
        for case in PLAYED:
            expected = "failed" if case in failing else "passed"
            check(f"{name}: case {case} {expected}", seen.get(case) == expected, done.said)
        rules = {rule["id"]: rule["verdict"] for rule in read_json(bag / "data/summary.json")["rules"]}
        found = {rule: verdict for rule, verdict in rules.items() if verdict in ("broken", "warning")}
        check(f"{name}: what the rules find", found == dict.fromkeys(doubtful, "warning"), found)
        for words in reason:
            check(f"{name}: says {words!r}", words in done.said, done.said)
        check(f"{name}: what its program put out is kept", any((bag / "data/product").iterdir()))


def play_product(name, command, failing=None, warned=(), more=""):
    """Plays the pack that makes things hard. So many scenarios fail for each reason in `failing`, those in `warned` pass
    with a warning, and all others pass."""
    failing = failing or {}
    with scratch() as folder:
        folder = Path(folder)
        config = configured(folder, name, command, more)
        bundle = folder / "bundle.zip"
        done = witness("run", "--pack", "product", "--config", config, "--bundle", bundle, timeout=MINUTES_10)
        bag = unpack(bundle, folder / "bag")
        cases = read_json(bag / "data/summary.json")["cases"]
        outcome = {outcome: [case for case in cases if case["outcome"] == outcome] for outcome in ("failed", "warning")}
        reasons = {words: [case for case in outcome["failed"] if words in case["fault"]["what"]] for words in failing}
        for words, count in failing.items():
            check(f"{name}: {count} hard scenarios fail: {words}", len(reasons[words]) == count, done.said)
        check(f"{name}: and no other of the {len(cases)}", len(outcome["failed"]) == sum(failing.values()), done.said)
        names = sorted(case["name"] for case in outcome["warning"])
        check(f"{name}: warnings", names == sorted(warned), names)
        rest = {case["outcome"] for case in cases} - {"passed", "failed", "warning"}
        check(f"{name}: everything was played", not rest, done.said)
        met = read_json(bag / "data/run/exchanges.har")["log"]["_attempts"]
        trusted = sum("trusted" in case["fault"]["what"] for case in outcome["failed"])
        check(f"{name}: each of 10 certificates was met", len({attempt["scenario"]["line"] for attempt in met}) >= 6)
        came = [attempt for attempt in met if attempt["received"]]
        check(f"{name}: and something came over {trusted} of them", len(came) >= trusted and bool(came) == bool(trusted))


def at_an_endpoint():
    """mesh-client in front of an endpoint that stands alone, through the recording proxy of a run."""
    with scratch() as folder:
        folder = Path(folder)
        shutil.copytree(EXAMPLES / "python-mesh-client", folder / "product")
        mailboxes = {"X26ABC1": "first-pass-phrase", "X26ABC2": "second-pass-phrase"}
        named = [part for name, password in mailboxes.items() for part in ("--mailbox", f"{name}:{password}")]
        with emulator("--pki", folder / "pki", "--shared-key", "a-shared-k3y", *named) as url:
            seats = "".join(
                f"  {role}: {{id: {name}, password: {mailboxes[name]}, client_certificate_file: ../pki/{name}.pem, "
                f"client_key_file: ../pki/{name}-key.pem}}\n"
                for role, name in (("product", "X26ABC1"), ("counterpart", "X26ABC2"))
            )
            config = folder / "product" / "mesh-witness.yaml"
            config.write_text(
                f"environment: standalone\nendpoint: {{url: '{url}', ca_file: ../pki/ca.pem, shared_key: a-shared-k3y}}\n"
                f"mailboxes:\n{seats}workflow_id: TEST_WORKFLOW\nsupplier: {{name: somebody}}\n"
                f"product: {{name: mesh-client, version: '1', driver: {{command: ['{sys.executable}', drive.py], timeout: 9m}}}}\n"
                "timeouts: {delivery_seconds: 5}\nchunking: {message_bytes: 2500000, chunk_bytes: 1000000}\n",
                "utf-8",
            )
            done = witness("run", "--config", config, "--bundle", folder / "bundle.zip", timeout=MINUTES_10)
        check("at an endpoint: exit code", done.returncode == 1, done.said)
        bag = unpack(folder / "bundle.zip", folder / "bag")
        seen = outcomes(bag)
        expected = {
            **dict.fromkeys(["401", "402", "501", "502", "601", "702"], "passed"),
            **dict.fromkeys(["201", "202"], "failed"),
            **dict.fromkeys(["701", "703", "704"], "not run"),
        }
        for case, outcome in expected.items():
            check(f"at an endpoint: case {case} {outcome}", seen.get(case) == outcome, done.said)
        entries = read_json(bag / "data/run/exchanges.har")["log"]["entries"]
        own = [entry for entry in entries if entry["_actor"] == "product"]
        host = url.removeprefix("https://")
        through = all(entry["_vantage"] == "proxy" and entry["_relay"]["hostReplacedBy"] == host for entry in own)
        check("at an endpoint: every call of mesh-client passed through the proxy", own and through)
        check("at an endpoint: and mesh-client's tokens are right", all(entry["_token"]["hash"] == "matches" for entry in own))


def by_hand():
    """A person at a terminal: told what to do, does it with another product, attaches a screenshot."""
    with scratch() as folder:
        folder = Path(folder)
        config = folder / "mesh-witness.yaml"
        config.write_text(
            'product: {name: by hand, version: "1", driver: {manual: {timeout: 2m}}}\n'
            "emulator: {folder: settings}\n",
            "utf-8",
        )
        (folder / "screen shot.png").write_bytes(b"not really a picture")
        inner, outer = pty.openpty()
        run = subprocess.Popen(
            [WITNESS, "run", "--tags", "@case-401", "--config", config, "--bundle", folder / "bundle.zip"],
            stdin=outer,
            stdout=subprocess.PIPE,
            stderr=outer,
            text=True,
        )
        os.close(outer)
        said, acted = "", 0
        until = time.monotonic() + 120
        while run.poll() is None and time.monotonic() < until:
            if not select.select([inner], [], [], 0.1)[0]:
                continue
            try:
                said += os.read(inner, 65536).decode(errors="replace")
            except OSError:  # the other end is closed
                break
            asked = re.findall(r"NOW have the product ([^\r\n]*)\.[\s\S]*?attach PATH", said)
            while acted < len(asked):
                if acted == 0:
                    os.write(inner, f"attach {folder}/screen shot.png\nWhat the operator saw\n".encode())
                    time.sleep(1)
                operate(folder, "handshake" if "validate" in asked[acted] else "receive")
                acted += 1
        output = run.communicate(timeout=20)[0]
        check("by hand: passes", run.returncode == 0, said + output)
        check("by hand: shows the calls as they come", re.search(r"> \S+Z GET \S+/inbox: 200", said), said)
        bag = unpack(folder / "bundle.zip", folder / "bag")
        attached = list((bag / "data/attachments").glob("*screen_shot.png"))
        check("by hand: what was attached is in the bundle", len(attached) == 1, said)
        report = (bag / "data/report.html").read_text("utf-8")
        check("by hand: with what the operator said of it", "What the operator saw" in report)
        check("by hand: and the summary says practice", read_json(bag / "data/summary.json")["environment"]["emulated"])


def operate(folder, action):
    """Does by the settings that were left for a person."""
    settings = dict(line.split("=", 1) for line in (folder / "settings/product.env").read_text().splitlines())
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    env = {**os.environ, **settings, "MESH_OUTPUT_DIR": str(inbox), "MESH_COMPRESS": "no"}
    subprocess.run([sys.executable, EXAMPLES / "python-stdlib/drive.py", action], env=env, check=True, timeout=60)


STDLIB = ["python-stdlib", [sys.executable, "drive.py"]]
CURL = ["curl", ["./drive.sh"]]
NODE = ["node", ["node", "drive.mjs"]]
# Compiled once: each action would compile it anew.
COMPILED = '[ -e Drive.class ] || javac Drive.java; exec java -XX:TieredStopAtLevel=1 Drive "$1"'
JAVA = ["java", ["sh", "-c", COMPILED.replace('"', '\\"'), "sh"]]
MESH_CLIENT = ["python-mesh-client", [sys.executable, "drive.py"]]
LARGE = "chunking: {message_bytes: 25000000, chunk_bytes: 10485760}\n"

# The longest first.
calls = [
    partial(play_product, *CURL),
    # Its verification is tied to MESH's address: elsewhere it verifies by the authorities that certifi has, and http:// it follows.
    partial(play_product, *MESH_CLIENT, warned=["A send is redirected to another host, without TLS"]),
    partial(play_product, *NODE),
    partial(play, *JAVA, []),
    partial(play_product, *STDLIB),
    partial(play, *STDLIB, []),
    partial(play, *NODE, []),
    partial(play, *CURL, []),
    partial(
        play,
        *MESH_CLIENT,
        ["201", "202"],
        reason=["the send lacks Mex-From", "Mex-Content-Compressed"],
        doubtful=["mex-from", "gzip-declared"],
    ),
    at_an_endpoint,
]
modules = os.environ.get("NODE_PATH", "")
if (Path(modules) / "nhs-mesh-client").is_dir():
    link = f'ln -sfn "{modules}" node_modules; exec node drive.mjs "$1"'
    nhs_mesh_client = ["npm-nhs-mesh-client", ["sh", "-c", link.replace('"', '\\"'), "sh"]]
    calls[:0] = [
        partial(
            play_product,
            *nhs_mesh_client,
            failing={
                "is not what was sent": 25,
                "the product trusted a certificate": 10,
                "sent it 4096 bytes of content in the clear": 1,
            },
            warned=["A send is redirected to another host", "The handshake is redirected to another host"],
            more=LARGE,
        ),
        partial(
            play,
            *nhs_mesh_client,
            ["202", "401", "402", "501", "502", "601"],
            more=LARGE,
            reason=["the send lacks Mex-Content-Compressed", "is not what was sent", "seen      Mex-WorkflowID: API-DOCS-TEST"],
            doubtful=["gzip-declared"],
        ),
    ]
together(calls)
by_hand()
finish()
