"""A bundle's Cucumber Messages are what Cucumber's schema, parser, library and formatter take them for."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import jsonschema_rs

from peer import WITNESS, check, finish, read_json, scratch, unpack, witness

HERE = Path(__file__).parent
SCHEMA = Path(os.environ["NODE_PATH"]) / "@cucumber/messages/messages.schema.json"
# Everything that may come of a scenario on the emulator, and everything that Gherkin has.
OWN = """\
# A comment

@own
Feature: Own
  With a description,
    over several lines.

  # Another
  Background:
    Given a mailbox for the product and another for an independent counterpart

  @req-SEND-01 @case-991
  Scenario: Good
    # Before a step
    When the product sends a message of 16 bytes to the counterpart
    Then MESH accepts the message and gives it a message ID
    And the message was sent with these headers
      | Mex-To         |
      # Within a table
      | Mex-WorkflowID |

  Scenario Outline: Answered with <status>
    What it is about.

    When the product tries to check its inbox
    Then MESH answers with <status>
    And MESH answers with <status>

    @known
    Examples: of what it is not
      | status |
      | 404    |

    Examples:
      Of what it is.

      | nothing | status |
      | a\\|b    | 403    |

  @declared
  Rule: What a person says
    In a rule.

    @attestation @case-992
    Scenario: Declared
      Then a named person attests that it is so

    @attestation @case-993
    Scenario: Not declared
      Then a named person attests that it is not so
"""
SAID = '- {case: "992", name: A. Person, role: Owner, statement: It is., date: 2026-01-01}\n'


def play(folder, name, *arguments):
    """The folder of a bundle, unpacked, and the exit code of the run that left it."""
    bundle = folder / f"{name}.zip"
    done = witness("run", "--bundle", bundle, *arguments)
    check(f"{name}: there is a bundle", bundle.exists(), done.said)
    return unpack(bundle, folder / name), done.returncode


def cut_short(folder):
    """A run that is interrupted while a scenario is played."""
    bundle = folder / "cut-short.zip"
    run = subprocess.Popen(
        [WITNESS, "run", "--pack", "endpoint", "--concurrency", "1", "--bundle", bundle],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    time.sleep(1)
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=60)
    check("cut-short: the run says so", run.returncode == 3, f"exit code {run.returncode}\n{said}")
    done = witness("verify", bundle)
    check("cut-short: verify agrees", done.returncode == 0 and "cut short" in done.said, done.said)
    return unpack(bundle, folder / "cut-short")


def schema(validator, bag):
    lines = (bag / "data/run/messages.ndjson").read_text(encoding="utf-8").splitlines()
    faults = []
    for number, line in enumerate(lines, 1):
        for error in validator.iter_errors(json.loads(line)):
            faults.append(f"line {number}: {error.instance_path}: {error.message}")
    check(f"{bag.name}: each of {len(lines)} messages is as their schema has it", lines and not faults, "\n".join(faults))


def statuses(bag):
    """Every status of a step or hook."""
    lines = (bag / "data/run/messages.ndjson").read_text(encoding="utf-8").splitlines()
    messages = [json.loads(line) for line in lines]
    results = [message["testStepFinished"]["testStepResult"] for message in messages if "testStepFinished" in message]
    return {result["status"] for result in results}


with scratch() as name:
    folder = Path(name)
    validator = jsonschema_rs.validator_for(read_json(SCHEMA))
    check("the schema refuses what is none", not validator.is_valid({"testRunFinished": {"success": "yes"}}))
    (folder / "own").mkdir()
    (folder / "own/own.feature").write_text(OWN, encoding="utf-8")
    (folder / "said.yaml").write_text(SAID, encoding="utf-8")
    practice, code = play(folder, "practice")
    check("practice: exit code 0", code == 0, code)
    own, code = play(folder, "mixed", "--pack", folder / "own", "--attestations", folder / "said.yaml")
    check("mixed: it did not pass", code not in (0, None), code)
    check("mixed: there is something of every kind", statuses(own) == {"PASSED", "FAILED", "SKIPPED"}, statuses(own))
    endpoint, code = play(folder, "endpoint", "--pack", "endpoint")
    check("endpoint: exit code 0", code == 0, code)
    for bag in [practice, own, endpoint, cut_short(folder)]:
        schema(validator, bag)
        done = subprocess.run(["node", HERE / "cucumber_messages.js", bag], capture_output=True, text=True, timeout=200)
        print(done.stdout, end="", flush=True)
        check(f"{bag.name}: the reader came to its end", done.returncode in (0, 1) and "ok " in done.stdout, done.stderr)
finish()
