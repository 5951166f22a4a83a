"""For schemathesis: a good token for every call, and identifiers that mean something in most."""

import datetime
import hmac
import json
import os
import random
import urllib.request
import uuid
from hashlib import sha256

import schemathesis

MAILBOX = "X26ABC1"
BASE = os.environ["MESH_URL"]


def token():
    now = datetime.datetime.now(datetime.timezone.utc)
    fields = [MAILBOX, str(uuid.uuid4()), "0", now.strftime("%Y%m%d%H%M")]
    text = ":".join([*fields[:3], "password", fields[3]])
    return "NHSMESH " + ":".join([*fields, hmac.new(b"TestKey", text.encode(), sha256).hexdigest()])


def send(more):
    headers = {"Authorization": token(), "Mex-To": MAILBOX, "Mex-WorkflowID": "W", **more}
    headers["Accept"] = "application/vnd.mesh.v2+json"
    url = f"{BASE}/messageexchange/{MAILBOX}/outbox"
    request = urllib.request.Request(url, data=b"hello", method="POST", headers=headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)["message_id"]


# Two whole messages, and one of which chunks are still to come.
MESSAGES = [send({}), send({}), send({"Mex-Chunk-Range": "1:9"})]


@schemathesis.hook
def before_call(context, case, kwargs=None):
    parameters = case.path_parameters
    if parameters and "mailbox_id" in parameters:
        parameters["mailbox_id"] = MAILBOX
    if parameters and "message_id" in parameters and random.random() < 0.7:
        parameters["message_id"] = random.choice(MESSAGES)
    headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
    for name in headers:
        if name.lower() == "mex-to" and random.random() < 0.7:
            headers[name] = MAILBOX
    case.headers = {**headers, "Authorization": token()}
