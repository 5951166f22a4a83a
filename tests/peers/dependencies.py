"""What a build takes: licences, sources and unwanted packages, by the rules of deny.toml.

cargo-deny reads the same file and checks the same, but has to be compiled for minutes where it is not there.
"""

import subprocess
import tomllib
from pathlib import Path

from license_expression import LicenseSymbol, LicenseWithExceptionSymbol, Licensing

from peer import check, finish

ROOT = Path(__file__).resolve().parents[2]
LICENSING = Licensing()


def is_allowed(expression, allowed):
    """Whether an expression of SPDX can be met by licences that are allowed."""
    if isinstance(expression, (LicenseSymbol, LicenseWithExceptionSymbol)):
        return str(expression) in allowed
    parts = [is_allowed(part, allowed) for part in expression.args]
    return all(parts) if isinstance(expression, LICENSING.AND) else any(parts)


def packages():
    """A line for each package that any build of any target takes: its name, version and where it is from, and its licence."""
    command = ["cargo", "tree", "--locked", "--target", "all", "--edges", "normal,build,dev", "--prefix", "none"]
    tree = subprocess.run([*command, "--format", "{p}|{l}"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    # What was shown already is marked.
    return sorted({line.removesuffix(" (*)") for line in tree.splitlines() if line})


def faults(lines, rules):
    """Each package that is not as the rules have it, and why. Without words, cargo's own registry is meant."""
    allowed, banned = set(rules["licenses"]["allow"]), {entry["name"] for entry in rules["bans"]["deny"]}
    told = []
    for line in lines:
        package, licence = line.split("|")
        name, version, *source = package.removesuffix(" (proc-macro)").split(" ", 2)
        # Older packages write "MIT/Apache-2.0".
        licence = licence.replace("/", " OR ")
        if not licence:
            told.append(f"{name} {version} names no licence")
        elif not is_allowed(LICENSING.parse(licence), allowed):
            told.append(f"{name} {version} has the licence {licence}")
        if name in banned:
            told.append(f"{name} {version} is banned")
        if source and source != [f"({ROOT})"]:
            told.append(f"{name} {version} comes from {source[0]}")
    return told


def wild(manifest):
    """Dependencies of which any version is taken."""
    targets = [manifest, *manifest.get("target", {}).values()]
    tables = [table.get(kind, {}) for table in targets for kind in ("dependencies", "dev-dependencies", "build-dependencies")]
    versions = [(name, entry if isinstance(entry, str) else entry.get("version", "*")) for table in tables for name, entry in table.items()]
    return [name for name, version in versions if version == "*"]


rules = tomllib.loads((ROOT / "deny.toml").read_text("utf-8"))
lines = packages()
told = faults(lines, rules)
check(f"each of {len(lines)} packages may be used", len(lines) > 100 and not told, "\n".join(told))
manifest = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))
check("no dependency is taken in any version", not wild(manifest), wild(manifest))

# A check that cannot fail is none: a line more, which has to be told.
for line, words in [
    ("bytes v1.0.0|GPL-3.0-only", "has the licence GPL-3.0-only"),
    ("bytes v1.0.0|MIT AND GPL-3.0-only", "has the licence MIT AND"),
    ("bytes v1.0.0|Apache-2.0 WITH LLVM-exception", "has the licence Apache-2.0 WITH"),
    ("bytes v1.0.0|", "names no licence"),
    ("openssl-sys v0.9.0|MIT", "is banned"),
    ("bytes v1.0.0 (https://example.org/bytes#0123abcd)|MIT", "comes from (https://example.org"),
    ("bytes v1.0.0 (registry `elsewhere`) (proc-macro)|MIT", "comes from (registry `elsewhere`)"),
    ("bytes v1.0.0 (/elsewhere/bytes)|MIT", "comes from (/elsewhere"),
]:
    told = faults([*lines, line], rules)
    check(f"it would be told: {line}", len(told) == 1 and words in told[0], told)
told = wild({"target": {"cfg(unix)": {"dev-dependencies": {"bytes": {"version": "*"}}}}})
check("it would be told: any version of a dependency", told == ["bytes"], told)
finish()
