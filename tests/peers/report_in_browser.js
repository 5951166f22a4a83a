// The report in a real browser: silent, self-contained, legible to everybody, usable without script or mouse.
//
//   node report_in_browser.js REPORT [--hostile]
//
// REPORT is a bundle's data/report.html. A hostile report was written from input that tries to run
// script as `window.pwned = …` or alert(…); it has to show such input as text.

const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");
const { chromium } = require("playwright-core");

const report = path.resolve(process.argv[2]);
const hostile = process.argv.includes("--hostile");
const url = pathToFileURL(report).href;
const name = hostile ? "hostile report" : "report";
const screens = path.resolve(process.env.SCREENS || "target/peers/screens");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const summary = path.join(path.dirname(report), "summary.json");

let failed = false;
function check(what, holds, detail) {
  console.log(`${holds ? "ok    " : "FAILED"}  ${name}: ${what}`);
  if (holds) return;
  failed = true;
  const text = typeof detail === "string" ? detail : JSON.stringify(detail, null, 1);
  for (const line of String(text).split("\n").slice(0, 40)) console.log(`        | ${line}`);
}

// Opens the report in a window of its own and notes all that it does.
async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const did = { requests: [], console: [], dialogs: [], windows: [] };
  context.on("request", (request) => did.requests.push(request.url()));
  context.on("page", (other) => did.windows.push(other.url()));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) did.console.push(message.text());
  });
  page.on("pageerror", (error) => did.console.push(String(error)));
  page.on("dialog", (dialog) => {
    did.dialogs.push(dialog.message());
    dialog.dismiss();
  });
  await page.goto(url, { waitUntil: "load" });
  return { context, page, did };
}

const openAll = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));

async function quietAndAlone(browser) {
  const { context, page, did } = await open(browser);
  await openAll(page);
  await page.evaluate(() => {
    for (const it of document.querySelectorAll("body *")) for (const event of ["mouseover", "focus"]) it.dispatchEvent(new Event(event));
  });
  await page.waitForTimeout(500);
  check("no error or warning in the console", did.console.length === 0, did.console);
  check("asks for nothing but itself", did.requests.length === 1 && did.requests[0] === url, did.requests);
  check("opens no dialog and no window", did.dialogs.length + did.windows.length === 0, did);
  const active = await page.evaluate(() => {
    const all = [...document.querySelectorAll("*")];
    const handlers = all.filter((it) => [...it.attributes].some((attribute) => /^on/i.test(attribute.name)));
    const schemes = all.filter((it) => /^\s*(javascript|vbscript|data:text)/i.test(it.getAttribute("href") || ""));
    const frames = all.filter((it) => /^(iframe|frame|object|embed|base|form)$/i.test(it.tagName));
    return [...handlers, ...schemes, ...frames].map((it) => it.outerHTML.slice(0, 200));
  });
  check("no inline handlers, script links, frames or forms", active.length === 0, active);
  if (hostile) {
    check("no script from its content ran", await page.evaluate(() => typeof window.pwned === "undefined"));
    check("its content is shown as text", (await page.innerText("body")).includes("pwned"), "'pwned' is not in the text");
  }
  await context.close();
}

async function accessible(browser, colorScheme) {
  const { context, page } = await open(browser, { colorScheme, bypassCSP: true });
  await page.screenshot({ path: `${screens}/${hostile ? "hostile-" : ""}${colorScheme}.png`, fullPage: true });
  await openAll(page);
  await page.evaluate(axe);
  // Of hundreds of rows that are alike, the first few tell what there is to tell.
  await page.evaluate(() => document.querySelectorAll(".alike tbody tr:nth-child(n+11)").forEach((row) => row.remove()));
  // What passes is named only: the places of all of it take longer to be told than to be found.
  const found = await page.evaluate(async () => {
    const { violations, passes } = await window.axe.run(document, { resultTypes: ["violations"] });
    return { violations, passes: passes.map(({ id }) => ({ id })) };
  });
  const grave = found.violations.filter((it) => ["serious", "critical"].includes(it.impact));
  const told = grave.map((it) => `${it.impact} ${it.id}: ${it.help}\n${it.nodes.map((n) => `${n.target} ${n.failureSummary}`).join("\n")}`);
  check(`${colorScheme}: axe looked at contrast and more`, found.passes.some((it) => it.id === "color-contrast") && found.passes.length > 8);
  check(`${colorScheme}: axe finds nothing serious or critical`, grave.length === 0, told.join("\n"));
  const paper = await page.evaluate(() => {
    const colours = [document.body, document.documentElement].map((it) => getComputedStyle(it).backgroundColor);
    return colours.find((colour) => !/rgba\(.*, 0\)/.test(colour)) || "none";
  });
  await context.close();
  return paper;
}

async function withoutScript(browser) {
  const { context, page } = await open(browser, { javaScriptEnabled: false });
  if (fs.existsSync(summary)) {
    const verdict = JSON.parse(fs.readFileSync(summary, "utf8")).verdict;
    const text = await page.innerText("body");
    check(`without script: the verdict '${verdict}' is to be read`, text.toLowerCase().includes(verdict.toLowerCase()), text.slice(0, 500));
  }
  const before = (await page.innerText("body")).length;
  const first = page.locator("details:not([open])").first();
  await first.locator("summary").first().click();
  const after = (await page.innerText("body")).length;
  check("without script: the details of a case can be opened", after > before, `${before} letters before, ${after} after`);
  await context.close();
}

async function byKeyboard(browser) {
  const { context, page } = await open(browser);
  const onClosedCase = () =>
    page.evaluate((word) => {
      const it = document.activeElement;
      return it.tagName === "SUMMARY" && !it.closest("details").open && it.innerText.includes(word);
    }, hostile ? "" : "201");
  let tabs = 0;
  while (tabs < 100 && !(await onClosedCase())) {
    await page.keyboard.press("Tab");
    tabs += 1;
  }
  check("Tab reaches the first case, closed", await onClosedCase(), `not within ${tabs} tabs`);
  const ring = await page.evaluate(() => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== "none" || style.boxShadow !== "none";
  });
  check("the focus can be seen", ring);
  await page.keyboard.press("Enter");
  check("Enter opens it", await page.evaluate(() => document.activeElement.closest("details")?.open === true));
  await context.close();
}

async function fits(browser, width) {
  const { context, page } = await open(browser, { viewport: { width, height: 900 } });
  if (width === 400) await page.screenshot({ path: `${screens}/${hostile ? "hostile-" : ""}narrow.png`, fullPage: true });
  await openAll(page);
  const [needed, given] = await page.evaluate(() => {
    const root = document.documentElement;
    return [Math.max(root.scrollWidth, document.body.scrollWidth), root.clientWidth];
  });
  check(`no sideways scroll at ${width} pixels`, needed <= given, `${needed} needed, ${given} given`);
  // A column of one or two letters a line scrolls nowhere, and nobody can read it.
  const narrow = await page.evaluate(() => {
    const least = 6 * parseFloat(getComputedStyle(document.documentElement).fontSize);
    const cells = [...document.querySelectorAll("td, tbody th")].filter((it) => it.innerText.trim().length > 40);
    const told = (it) => `${Math.round(it.getBoundingClientRect().width)} px: ${it.innerText.trim().slice(0, 60)}`;
    return cells.filter((it) => it.getBoundingClientRect().width < least).map(told);
  });
  check(`no long text in a narrow cell at ${width} pixels`, narrow.length === 0, narrow.join("\n"));
  const tall = await page.evaluate(() => {
    const lines = (it) => it.getBoundingClientRect().height / parseFloat(getComputedStyle(it).lineHeight);
    const told = (it) => `${lines(it).toFixed(1)} lines: ${it.innerText.trim()}`;
    return [...document.querySelectorAll(".badge")].filter((it) => it.offsetParent && lines(it) > 2.5).map(told);
  });
  check(`no outcome of more than two lines at ${width} pixels`, tall.length === 0, tall.join("\n"));
  await context.close();
}

async function prints(browser) {
  const { context, page } = await open(browser);
  const file = `${screens}/${hostile ? "hostile-" : ""}print.pdf`;
  const pdf = await page.pdf({ path: file, format: "A4", printBackground: true });
  check("prints to PDF", pdf.subarray(0, 5).toString() === "%PDF-" && pdf.length > 5000, `${pdf.length} bytes`);
  await context.close();
}

async function main() {
  fs.mkdirSync(screens, { recursive: true });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    await quietAndAlone(browser);
    const light = await accessible(browser, "light");
    const dark = await accessible(browser, "dark");
    check("dark is another paper than light", light !== dark, `${light} and ${dark}`);
    await withoutScript(browser);
    await byKeyboard(browser);
    for (const width of [1280, 961, 959, 834, 768, 400, 320]) await fits(browser, width);
    await prints(browser);
  } finally {
    await browser.close();
  }
  process.exit(failed ? 1 : 0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
