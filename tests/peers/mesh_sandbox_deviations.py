"""The pack "endpoint" finds in NHS mesh-sandbox what features/deviations lists, no more and no fewer.

Also holds each listed source line to the installed program, and docs/mesh-sandbox.md to the list.
"""

import importlib.metadata
import re
from pathlib import Path

import mesh_sandbox
from peer import certificates, check, finish, read_json, sandbox, sandbox_config, scratch, unpack, witness

VERSION = "1.0.137"
LIST = Path("features/deviations") / f"mesh-sandbox-{VERSION}.yaml"
PAGE = Path("docs/mesh-sandbox.md")
PLAYED = "not @emulator-only"  # mesh-sandbox is not the emulator that a run has to itself
SHARED_KEY = "TestKey"  # mesh-sandbox's own, as suppliers have it


def unquoted(value):
    """A scalar of the list: plain, or between double quotes."""
    return value[1:-1].replace('\\"', '"') if value.startswith('"') else value


def entries_of(text):
    """The entries, each its own text, under their titles; the program itself reads the file strictly."""
    blocks = re.split(r"(?m)^- ", text)[1:]
    return {unquoted(re.match(r"scenario: (.*)", block)[1]): "- " + block for block in blocks}


def field(entry, name):
    return unquoted(re.search(rf"(?m)^  {name}: (.*)$", entry)[1])


def play(folder, config, secret, name, text):
    """Plays the pack with a list; gives the exit code, the outcomes by title, and what is wrong with the list."""
    known, bundle = folder / f"{name}.yaml", folder / f"{name}.zip"
    known.write_text(text, encoding="utf-8")
    options = ["--pack", "endpoint", "--tags", PLAYED, "--deviations", known, "--bundle", bundle]
    done = witness("run", "--config", config, *options, env=secret)
    if not check(f"{name}: a bundle is written", bundle.exists(), done.said):
        finish()
    summary = read_json(unpack(bundle, folder / name) / "data/summary.json")
    titles = [case["name"] for case in summary["cases"]]
    check(f"{name}: each scenario has a title of its own", len(titles) == len(set(titles)))
    return done, {case["name"]: case["outcome"] for case in summary["cases"]}, summary["deviation_problems"]


def played():
    text = LIST.read_text(encoding="utf-8")
    entries = entries_of(text)
    last = list(entries)[-1]
    with scratch() as name:
        folder = Path(name)
        certificates(folder)
        with sandbox(SHARED_KEY, folder) as port:
            config = sandbox_config(folder, f"https://localhost:{port}", SHARED_KEY, ca_file="ca.pem")

            done, outcomes, problems = play(folder, *config, "as it is", text)
            check("as it is: exit code 0", done.returncode == 0, done.said)
            check("as it is: the list holds", problems == [], problems)
            deviating = {title for title, outcome in outcomes.items() if outcome == "expected deviation"}
            check("as it is: every entry is found", deviating == set(entries), set(entries) ^ deviating)
            others = {title: outcome for title, outcome in outcomes.items() if title not in entries}
            check("as it is: all else passed", set(others.values()) == {"passed"}, others)
            passing = next(iter(others))

            one_less = text.replace(entries[last], "")
            done, outcomes, _ = play(folder, *config, "one less", one_less)
            check("one less: exit code 1", done.returncode == 1, done.said)
            check("one less: it has failed", outcomes.get(last) == "failed", outcomes.get(last))

            for name, title, expires, says in [
                ("one that passes", passing, "2999-01-01", "is not there any more"),
                ("one that matches nothing", "nothing of this name", "2999-01-01", "is about nothing"),
                ("one that has expired", last, "2020-01-01", "has expired on 2020-01-01"),
            ]:
                quoted = 'scenario: "' + title.replace('"', '\\"') + '"'
                changed = re.sub(r"scenario: .*", lambda _: quoted, entries[last])
                changed = re.sub(r"expires: .*", f"expires: {expires}", changed)
                kept = one_less if title == last else text
                done, outcomes, problems = play(folder, *config, name, kept.rstrip() + "\n\n" + changed)
                check(f"{name}: exit code 1", done.returncode == 1, done.said)
                check(f"{name}: it is named", len(problems) == 1 and says in problems[0], problems)


def cited(reference):
    """Whether what is between backquotes is in the lines that a reference names."""
    parts = re.fullmatch(r"mesh_sandbox/(\S+) lines? (\d+)(?:-(\d+))?: `(.+)`", reference)
    if not parts:
        return False
    path, first, last, quoted = parts.groups()
    source = Path(mesh_sandbox.__file__).parent / path
    lines = source.read_text(encoding="utf-8").splitlines() if source.exists() else []
    return any(quoted in line for line in lines[int(first) - 1 : int(last or first)])


def rows(page, heading):
    """The cells of the table below a heading."""
    part = page.split(f"\n## {heading}\n", 1)[-1].split("\n## ", 1)[0]
    table = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in table[1:]]


def written():
    check("mesh-sandbox is the version of the list", importlib.metadata.version("mesh-sandbox") == VERSION)
    entries = entries_of(LIST.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    for title, entry in entries.items():
        check(f"the source line is right: {title}", cited(field(entry, "reference")), field(entry, "reference"))
    table = rows(page, "What the pack finds")
    listed = [[title, field(entry, "reason"), field(entry, "reference")] for title, entry in entries.items()]
    shown = [[row[0], row[1], row[3]] for row in table if len(row) == 4 and row[2]]
    wrong = [row for row in listed + shown if row not in listed or row not in shown]
    check("the page has the list, row by row", shown == listed and len(table) == len(listed), wrong)
    for row in rows(page, "What the pack cannot show there"):
        check(f"the source line is right: {row[0]}", len(row) == 3 and cited(row[2]), row)


written()
played()
finish()
