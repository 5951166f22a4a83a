#!/usr/bin/env python3
"""NHS England's mesh-client (PyPI) as a product, as mesh-witness asks it to act:

    drive.py handshake|send|receive|track

Everything else is in the environment (docs/drivers.md). pip install mesh-client
"""

import os
import sys
from pathlib import Path

import requests
from mesh_client import MeshClient, MeshError

ENV = os.environ


def handshake(client):
    client.handshake()


def send(client):
    options = {"max_chunk_size": int(ENV["MESH_CHUNK_SIZE"])} if ENV["MESH_CHUNK_SIZE"] else {}
    with open(ENV["MESH_PAYLOAD_FILE"], "rb") as payload:
        message = client.send_message(
            ENV["MESH_RECIPIENT_ID"],
            payload.read(),
            workflow_id=ENV["MESH_WORKFLOW_ID"],
            local_id=ENV["MESH_LOCAL_ID"],
            subject=ENV["MESH_SUBJECT"],
            filename=ENV["MESH_FILE_NAME"],
            compress=ENV["MESH_COMPRESS"] == "yes",
            **options,
        )
    print("sent", message)


def receive(client):
    seen = set()
    while new := [message for message in client.list_messages() if message not in seen]:
        for message_id in new:
            seen.add(message_id)
            try:
                message = client.retrieve_message(message_id)
            except requests.HTTPError as error:
                if error.response.status_code not in (404, 410):
                    raise
                print("cannot be had:", message_id, error.response.status_code)
                continue
            (Path(ENV["MESH_OUTPUT_DIR"]) / message_id).write_bytes(message.read())
            message.acknowledge()
            print("received", message_id, message.message_type)


def track(client):
    print(client.track_message(ENV["MESH_MESSAGE_ID"]))


ACTIONS = {"handshake": handshake, "send": send, "receive": receive, "track": track}

if __name__ == "__main__":
    client = MeshClient(
        ENV["MESH_URL"],
        ENV["MESH_MAILBOX_ID"],
        ENV["MESH_MAILBOX_PASSWORD"],
        shared_key=ENV["MESH_SHARED_KEY"],
        cert=(ENV["MESH_CLIENT_CERT"], ENV["MESH_CLIENT_KEY"]),
        verify=ENV["MESH_CA_FILE"],
    )
    try:
        with client:
            ACTIONS[sys.argv[1]](client)
    except (MeshError, requests.RequestException) as error:
        sys.exit(f"{type(error).__name__}: {error}")
