// A bundle's Cucumber Messages, read by Cucumber's own libraries and shown by its own formatter.
//
//   node cucumber_messages.js BUNDLE
//
// BUNDLE is a folder that a bundle was unpacked into.

const fs = require("fs");
const path = require("path");
const { once } = require("events");
const { pathToFileURL } = require("url");
const { chromium } = require("playwright-core");

const bundle = path.resolve(process.argv[2]);
const name = path.basename(bundle);
const read = (file) => fs.readFileSync(path.join(bundle, "data", file), "utf8");
const summary = JSON.parse(read("summary.json"));

let failed = false;
function check(what, holds, detail) {
  console.log(`${holds ? "ok    " : "FAILED"}  ${name}: ${what}`);
  if (holds) return;
  failed = true;
  const text = typeof detail === "string" ? detail : JSON.stringify(detail, null, 1);
  for (const line of String(text).split("\n").slice(0, 40)) console.log(`        | ${line}`);
}

// Cucumber's packages are modules, which are not looked for in NODE_PATH.
const load = (module) => import(pathToFileURL(require.resolve(module)).href);

// The same without IDs: each tool gives out its own.
function bare(value) {
  if (Array.isArray(value)) return value.map(bare);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([key, inner]) => !/^(id|astNodeIds?)$/.test(key) && inner !== undefined);
  return Object.fromEntries(kept.sort().map(([key, inner]) => [key, bare(inner)]));
}

// Where the first difference is.
function difference(ours, theirs, at = "") {
  if (typeof ours !== "object" || typeof theirs !== "object" || ours === null || theirs === null)
    return ours === theirs ? null : `${at}: ${JSON.stringify(ours)} and not ${JSON.stringify(theirs)}`;
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const found = difference(ours[key], theirs[key], `${at}/${key}`);
    if (found) return found;
  }
  return null;
}

// What the status of a scenario may be, by what summary.json says of it.
function statuses(outcome) {
  return {
    passed: ["PASSED"],
    warning: ["PASSED", "SKIPPED"], // what followed the warning was not played
    attested: ["SKIPPED"],
    failed: ["FAILED"],
    error: ["FAILED"],
    "not applicable": ["SKIPPED"],
    "expected deviation": ["SKIPPED"],
    "not run": ["PENDING", "SKIPPED"], // the second where it does not count
  }[outcome];
}

async function main() {
  const { parseEnvelope } = await load("@cucumber/messages");
  const { generateMessages } = await load("@cucumber/gherkin");
  const { Query } = await load("@cucumber/query");
  const { CucumberHtmlStream } = await load("@cucumber/html-formatter");
  const envelopes = read("run/messages.ndjson").trimEnd().split("\n").map(parseEnvelope);
  const all = (kind) => envelopes.filter((it) => it[kind]).map((it) => it[kind]);

  const last = Object.keys(envelopes.at(-1))[0];
  const ends = all("testRunFinished").length;
  if (summary.cut_short === null) check("testRunFinished is there once, and last", ends === 1 && last === "testRunFinished", last);
  else check("cut short: there is no testRunFinished", ends === 0, last);
  if (ends) check("success where the verdict is passed", all("testRunFinished")[0].success === (summary.verdict === "passed"), summary.verdict);

  // As Cucumber's own parser reads the same files.
  let documents = 0;
  let pickles = 0;
  const wrong = [];
  for (const { uri, data, mediaType } of all("source")) {
    check(`${uri} is the file of that name`, data === fs.readFileSync(path.join(bundle, uri), "utf8"), uri);
    let id = 0;
    const options = { includeSource: false, includeGherkinDocument: true, includePickles: true, newId: () => `${id++}` };
    const theirs = generateMessages(data, uri, mediaType, options);
    const document = theirs.find((it) => it.gherkinDocument).gherkinDocument;
    const own = all("gherkinDocument").find((it) => it.uri === uri);
    const differs = difference(bare(own), bare(document));
    documents += 1;
    if (differs) wrong.push(`${uri}${differs}`);
    for (const pickle of all("pickle").filter((it) => it.uri === uri)) {
      const same = theirs.find((it) => it.pickle && it.pickle.location.line === pickle.location.line);
      const differs = difference(bare(pickle), bare(same ? same.pickle : {}));
      pickles += 1;
      if (differs) wrong.push(`${uri}:${pickle.location.line}${differs}`);
    }
  }
  check(`${documents} documents and ${pickles} pickles are as @cucumber/gherkin has them`, documents > 0 && pickles > 0 && wrong.length === 0, wrong.join("\n"));
  check("a pickle for each case of the summary", pickles === summary.cases.length, `${pickles} and ${summary.cases.length}`);

  // What Cucumber's own library says of each scenario.
  const query = new Query();
  envelopes.forEach((it) => query.update(it));
  const told = new Map();
  for (const started of query.findAllTestCaseStarted()) {
    const results = query.findTestStepFinishedAndTestStepBy(started).map(([finished]) => finished.testStepResult);
    const worst = ["FAILED", "PENDING", "SKIPPED", "PASSED"].find((status) => results.some((it) => it.status === status));
    told.set(query.findPickleBy(started).id, worst);
  }
  const odd = all("pickle")
    .map((pickle, at) => [pickle, summary.cases[at]])
    .filter(([pickle, of]) => {
      const status = told.get(pickle.id);
      if (status === undefined) return summary.cut_short === null || of.started_at !== null;
      return pickle.name !== of.name || !statuses(of.outcome).includes(status);
    })
    .map(([pickle, of]) => `${of.name}: ${of.outcome} in the summary, ${told.get(pickle.id)} by @cucumber/query`);
  check("@cucumber/query says of each scenario what the summary says", odd.length === 0, odd.join("\n"));
  const passed = [...told.values()].filter((status) => status === "PASSED").length;
  const good = summary.counts.passed + summary.counts.warning;
  check("no more passed for it than did", passed <= good && passed >= summary.counts.passed, `${passed} and ${good}`);
  const defined = query.findAllTestSteps().filter((step) => query.findUnambiguousStepDefinitionBy(step));
  check("each step has its definition", defined.length === query.findAllTestSteps().length, `${defined.length} of ${query.findAllTestSteps().length}`);
  const elsewhere = query.findAllStepDefinitions().filter((it) => !/^steps\/[a-z/_]+\.rs$/.test(it.sourceReference.uri));
  check("definitions are in steps/", elsewhere.length === 0, elsewhere);

  // As people see it.
  const page = path.join(bundle, "..", `${name}.html`);
  const stream = new CucumberHtmlStream();
  const file = fs.createWriteStream(page);
  stream.pipe(file);
  envelopes.forEach((it) => stream.write(it));
  stream.end();
  await once(file, "finish");
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const tab = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  const errors = [];
  tab.on("pageerror", (error) => errors.push(String(error)));
  await tab.goto(pathToFileURL(page).href, { waitUntil: "load" });
  await tab.waitForTimeout(1000);
  const text = await tab.innerText("body");
  if (process.env.SCREENS) await tab.screenshot({ path: path.join(process.env.SCREENS, `cucumber-${name}.png`) });
  await browser.close();
  check("@cucumber/html-formatter shows it without an error", errors.length === 0, errors.join("\n"));
  const counts = {};
  for (const status of told.values()) counts[status] = (counts[status] || 0) + 1;
  // Where there is one status only it does not say how many have it.
  const several = Object.keys(counts).length > 1;
  const missing = Object.entries(counts).filter(([status, count]) => several && !new RegExp(`${status}\\s+${count}\\b`).test(text));
  const all_told = text.includes(`(${passed} / ${told.size}) passed`);
  check("it counts as @cucumber/query does", missing.length === 0 && all_told, `${JSON.stringify(counts)}\n${text.slice(0, 600)}`);
  check("it says that this is practice, where it is", text.includes("EMULATED: practice, not evidence") === !summary.evidence, text.slice(-600));
  check("it names the tool and its version", text.includes(`mesh-witness@${summary.tool_version}`), text.slice(0, 600));
}

main().then(
  () => process.exit(failed ? 1 : 0),
  (error) => {
    check("the script came to its end", false, error.stack);
    process.exit(1);
  },
);
