"""schemathesis makes calls of every kind from the official OpenAPI document: the emulator, in the
profile `spec`, answers with no server error, no status that is not documented, no body that is not
as its schema has it. The document is not part of this project: MESH_OPENAPI names it."""

import os
import re
import subprocess
import sys
from pathlib import Path

from peer import check, emulator, finish

GENERATOR = Path(sys.argv[1])
DOCUMENT = Path(os.environ["MESH_OPENAPI"]).resolve()
HERE = str(Path(__file__).resolve().parent)
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
]

with emulator("--plain-http", "--profile", "spec") as url:
    hooks = {"MESH_URL": url, "SCHEMATHESIS_HOOKS": "openapi_generator_hooks", "PYTHONPATH": HERE}
    command = [GENERATOR, "run", DOCUMENT, "--url", url, "--checks", ",".join(CHECKS)]
    command += ["--phases", "examples,fuzzing", "--max-examples", "100", "--no-color"]
    done = subprocess.run(command, env={**os.environ, **hooks}, capture_output=True, text=True, timeout=240, cwd="target/peers")
    said = done.stdout + done.stderr
    made = re.search(r"(\d+) generated, (\d+) passed", said)
    check("all 13 operations were called", "Tested: 13" in said, said)
    check("some hundred calls were made", made and int(made[1]) >= 500, said)
    check("every answer is as the OpenAPI has it", done.returncode == 0 and made and made[1] == made[2], said)
finish()
