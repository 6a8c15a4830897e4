// The page with the report of the stack, beside the inbox.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.js";
import { ADA, start } from "./stack.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function open(t) {
  const stack = await start(t);
  const context = await browser.newContext({ locale: "en-GB" });
  context.setDefaultTimeout(15_000);
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${stack.inbox}/report`);
  await page.getByRole("heading", { name: "Users by source" }).waitFor();
  return { stack, page };
}

// A figure, by its name.
const figure = (page, name) => page.locator(`[data-figure="${name}"]`);
const texts = (page, selector) =>
  page.evaluate((selector) => [...document.querySelectorAll(selector)].map((found) => found.textContent), selector);
const cells = (page, table) => texts(page, `#${table} tbody tr:first-child td`);

test("a sign-up is in the report after a reload", async (t) => {
  const { stack, page } = await open(t);
  assert.equal(await figure(page, "Sign-ups").textContent(), "0");
  assert.equal(await figure(page, "Cost per sign-in").textContent(), "–");
  assert.deepEqual(await cells(page, "sources"), ["None yet"]);
  await page.getByText("No sign-up named a source yet").waitFor();

  await stack.signIn(ADA, "https://example.com/?utm_source=facebook&utm_campaign=spring");
  // `record` counts it a second later. The page itself asks only when it is told to.
  const counted = async () => (await (await fetch(`${stack.inbox}/api/report`)).json()).sign_ups === 1;
  while (!(await counted()));
  await page.getByRole("button", { name: "Reload" }).click();
  await figure(page, "Sign-ups").filter({ hasText: "1" }).waitFor();
  assert.equal(await figure(page, "Active today").textContent(), "1");
  assert.deepEqual(await cells(page, "methods"), ["otp_email", "1", "1"]);
  assert.deepEqual(await cells(page, "codes"), ["email", "1", "0", "0", "1", "100%"]);
  const campaign = ["Facebook", "Facebook - Spring Campaign", "https://example.com?utm_source=facebook&utm_campaign=spring", "1"];
  assert.deepEqual(await cells(page, "sources"), campaign);
  assert.equal(await page.locator("#top-sources .name").textContent(), "Facebook");
  // The bar of today is as high as the chart, and the one of yesterday has no height.
  const heights = await page.evaluate(() => [...document.querySelectorAll("#days .ups")].map((bar) => bar.offsetHeight));
  assert.equal(heights.length, 30);
  assert.ok(heights[29] > 100 && heights.slice(0, 29).every((height) => height === 0), heights.join());
});

test("a stack that is gone is named", async (t) => {
  const { page } = await open(t);
  await page.evaluate(() => {
    window.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  });
  await page.getByRole("button", { name: "Reload" }).click();
  await page.getByText("The stack does not answer. Start it, then reload.").waitFor();
});
