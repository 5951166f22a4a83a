// A product in one file, as mesh-witness asks it to act: Node.js 18 or later and what it has built in, no package.
//   node drive.mjs handshake|send|receive|track
// Everything else is in the environment (docs/drivers.md). It does what the witness pack asks of a product, so it is
// also a pattern to follow. Exit code 0 only when MESH has accepted what was asked for.

import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

const env = process.env;
const mailbox = env.MESH_MAILBOX_ID;
const nonce = randomUUID();
let count = 0;

// One socket: a mailbox makes one call at a time. Whoever answers is verified, which is the default: keep it so.
// node:https and not fetch(), whose version in Node takes no client certificate without a package.
const agent = new https.Agent({
  keepAlive: true,
  maxSockets: 1,
  ca: readFileSync(env.MESH_CA_FILE),
  cert: readFileSync(env.MESH_CLIENT_CERT),
  key: readFileSync(env.MESH_CLIENT_KEY),
});

/** A token is good for one call: the count goes up with each. */
function token() {
  const at = new Date().toISOString().replace(/\D/g, '').slice(0, 12);
  const used = count++;
  const hash = createHmac('sha256', env.MESH_SHARED_KEY)
    .update([mailbox, nonce, used, env.MESH_MAILBOX_PASSWORD, at].join(':')).digest('hex');
  return `NHSMESH ${mailbox}:${nonce}:${used}:${at}:${hash}`;
}

/** Status, headers and content, as bytes. Never repeats a call: a send that was not answered may have been taken. */
function call(method, where = '', body = Buffer.alloc(0), headers = {}) {
  return new Promise((resolve, reject) => {
    const all = { Authorization: token(), Accept: 'application/vnd.mesh.v2+json', ...headers };
    if (method === 'POST') all['Content-Length'] = body.length;
    const url = `${env.MESH_URL}/messageexchange/${mailbox}${where}`;
    const request = https.request(url, { agent, method, headers: all, timeout: 60_000 }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject); // the connection ended in the middle of the content
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        const zipped = response.headers['content-encoding'] === 'gzip';
        try {
          resolve({ status: response.statusCode, content: zipped ? gunzipSync(bytes) : bytes });
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${where}: no answer`)));
    request.on('error', reject);
    request.end(body);
  });
}

async function demand(expected, method, where, body, headers) {
  const answer = await call(method, where, body, headers);
  if (!expected.includes(answer.status)) {
    throw new Error(`${method} ${where}: ${answer.status} ${answer.content.toString().slice(0, 300)}`);
  }
  return answer;
}

async function handshake() {
  const { platform, version, arch } = process;
  const system = { 'Mex-OSName': platform, 'Mex-OSVersion': version, 'Mex-OSArchitecture': arch };
  await demand([200], 'POST', '', undefined, { 'Mex-ClientVersion': 'drive.mjs==1', ...system });
}

async function send() {
  const payload = readFileSync(env.MESH_PAYLOAD_FILE);
  const size = Number(env.MESH_CHUNK_SIZE) || payload.length || 1;
  const total = Math.ceil(payload.length / size) || 1;
  let message;
  for (let number = 1; number <= total; number++) {
    let part = payload.subarray((number - 1) * size, number * size);
    const headers = { 'Content-Type': 'application/octet-stream' };
    if (env.MESH_COMPRESS === 'yes') {
      part = gzipSync(part);
      Object.assign(headers, { 'Content-Encoding': 'gzip', 'Mex-Content-Compressed': 'Y' });
    }
    if (total > 1) headers['Mex-Chunk-Range'] = `${number}:${total}`;
    if (number === 1) {
      Object.assign(headers, {
        'Mex-From': mailbox, 'Mex-To': env.MESH_RECIPIENT_ID,
        'Mex-WorkflowID': env.MESH_WORKFLOW_ID,
        'Mex-LocalID': env.MESH_LOCAL_ID,
        'Mex-Subject': env.MESH_SUBJECT,
        'Mex-FileName': env.MESH_FILE_NAME,
      });
    }
    const where = number === 1 ? '/outbox' : `/outbox/${message}/${number}`;
    const { content } = await demand([202], 'POST', where, part, headers);
    if (number === 1) message = JSON.parse(content).message_id;
  }
  console.log('sent', message);
}

/** Works the inbox off: what a look lists is taken, and then comes another look, until nothing new is listed. */
async function receive() {
  const seen = new Set();
  for (;;) {
    const { content } = await demand([200], 'GET', '/inbox');
    const fresh = JSON.parse(content).messages.filter((message) => !seen.has(message));
    if (fresh.length === 0) return;
    for (const message of fresh) {
      seen.add(message);
      await take(message);
    }
  }
}

async function take(message) {
  const accept = env.MESH_COMPRESS === 'yes' ? { 'Accept-Encoding': 'gzip' } : {};
  let part = await call('GET', `/inbox/${message}`, undefined, accept);
  if (part.status === 404 || part.status === 410) {
    console.log('cannot be had:', message, part.status); // listed, and gone: nothing to acknowledge or repeat
    return;
  }
  const parts = [part.content];
  for (let number = 2; part.status === 206; number++) {
    part = await call('GET', `/inbox/${message}/${number}`, undefined, accept);
    parts.push(part.content);
  }
  if (part.status !== 200) throw new Error(`download of ${message}: ${part.status}`);
  // Kept first, acknowledged then: what is acknowledged is gone from MESH.
  writeFileSync(path.join(env.MESH_OUTPUT_DIR, message), Buffer.concat(parts));
  await demand([200], 'PUT', `/inbox/${message}/status/acknowledged`);
  console.log('received', message);
}

async function track() {
  const where = `/outbox/tracking?messageID=${encodeURIComponent(env.MESH_MESSAGE_ID)}`;
  const { content } = await demand([200], 'GET', where);
  console.log(content.toString());
}

try {
  await { handshake, send, receive, track }[process.argv[2]]();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
agent.destroy();
