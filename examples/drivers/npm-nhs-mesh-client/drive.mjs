#!/usr/bin/env node
// The npm package nhs-mesh-client as a product, as mesh-witness asks it to act:
//
//   drive.mjs handshake|send|receive|track
//
// Everything else is in the environment (docs/drivers.md). npm install nhs-mesh-client
// The package is used as it is: what it does not do is not done here in its place.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getMessageCount, handShake, loadConfig, markAsRead, readMessage, sendChunkedMessage, sendMessage } from "nhs-mesh-client";

const env = process.env;
const { senderAgent: agent } = await loadConfig({
  logLevel: "WARN",
  sandbox: "false",
  senderCert: readFileSync(env.MESH_CLIENT_CERT),
  senderKey: readFileSync(env.MESH_CLIENT_KEY),
});
const access = {
  url: env.MESH_URL,
  mailboxID: env.MESH_MAILBOX_ID,
  mailboxPassword: env.MESH_MAILBOX_PASSWORD,
  sharedKey: env.MESH_SHARED_KEY,
  agent,
};

// The package gives errors back instead of throwing them.
function good(what, answer) {
  const status = answer?.status ?? answer?.response?.status;
  if (!(status >= 200 && status < 300)) {
    throw new Error(`${what}: ${status ?? answer?.message ?? "no answer"}`);
  }
  return answer;
}

async function send() {
  const content = readFileSync(env.MESH_PAYLOAD_FILE);
  const mailboxTarget = env.MESH_RECIPIENT_ID;
  if (env.MESH_CHUNK_SIZE) {
    // Its chunks are of 10 MiB, whatever it is asked for.
    good("send", await sendChunkedMessage({ ...access, mailboxTarget, fileContent: content }));
    return;
  }
  good("send", await sendMessage({
    ...access,
    mailboxTarget,
    message: content,
    workFlowId: env.MESH_WORKFLOW_ID,
    fileName: env.MESH_FILE_NAME,
    compressed: env.MESH_COMPRESS === "yes",
  }));
}

async function receive() {
  const seen = new Set();
  for (;;) {
    const listed = good("inbox", await getMessageCount(access)).data.messages;
    const fresh = listed.filter((message) => !seen.has(message));
    if (fresh.length === 0) return;
    for (const messageID of fresh) {
      seen.add(messageID);
      const message = await readMessage({ ...access, messageID });
      const status = message?.status ?? message?.response?.status;
      if (status === 404 || status === 410) {
        console.log("cannot be had:", messageID, status);
        continue;
      }
      writeFileSync(join(env.MESH_OUTPUT_DIR, messageID), good("download", message).data);
      good("acknowledge", await markAsRead({ ...access, message: messageID }));
    }
  }
}

const actions = { handshake: async () => good("handshake", await handShake(access)), send, receive };

try {
  const action = actions[process.argv[2]];
  if (!action) throw new Error(`the package has no ${process.argv[2]}`);
  await action();
  process.exit(0);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
