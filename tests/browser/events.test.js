// The page with the events of the stack, beside the inbox.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.js";
import { ADA, start } from "./stack.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function open(t, parameters) {
  const stack = await start(t, parameters);
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${stack.inbox}/events`);
  return { stack, page };
}

test("an event appears by itself", async (t) => {
  const { stack, page } = await open(t);
  await page.getByText("No events yet.").waitFor();
  await page.getByText("EVENTS=security").waitFor();
  await stack.signIn(ADA, "https://example.org/?utm_source=news");
  const created = page.locator("#list li").filter({ hasText: "user.created" });
  await created.waitFor();
  assert.match(await page.locator("#list dl").textContent(), /methodotp_email/);
  await page.locator("#list summary").click();
  const whole = page.locator("#list details[open] pre");
  await whole.waitFor();
  assert.equal(JSON.parse(await whole.textContent())["detail-type"], "user.created");
  assert.equal(await page.locator("#none:not([hidden])").count(), 0);
  assert.ok(!(await page.evaluate(() => document.documentElement.outerHTML)).includes(ADA));

  // An open row stays open when another event comes above it.
  await stack.putEvent("user.erased", { user: "1" });
  await page.locator("#list li:first-child").filter({ hasText: "user.erased" }).waitFor();
  await page.locator("#list li:last-child details[open] pre").waitFor();

  await page.getByRole("link", { name: "Inbox" }).click();
  await page.getByRole("link", { name: "Events" }).click();
  await created.waitFor();
});

test("markup in an event is shown as text", async (t) => {
  const { stack, page } = await open(t);
  const markup = (word) => `<img src=x onerror="document.title='${word}'"><b>${word}</b>`;
  const words = ["type", "user", "tenant", "name", "value"];
  await stack.putEvent(markup("type"), { user: markup("user"), tenant: markup("tenant"), [markup("name")]: [markup("value")] });
  await page.locator("#list li").waitFor();
  const text = await page.locator("#list li").textContent();
  for (const word of words) assert.ok(text.includes(markup(word)), word);
  assert.equal(await page.locator("main img, main b").count(), 0);
  assert.equal(await page.evaluate(() => document.title), "Events");
});

test("a poison record appears with the count of its queue", async (t) => {
  const { stack, page } = await open(t, { Events: "off" });
  await page.locator("#queues section:first-child .empty").waitFor();
  await page.getByText("Start the stack with --env EVENTS=all").waitFor();
  await stack.faults({ stream: [{ fault: "poison", times: 2 }] });
  await page.locator("#queues .count[data-bad]").filter({ hasText: "2" }).waitFor();
  assert.equal(await page.locator("#queues li").count(), 2);
  // Failures come before the events.
  await page.locator("#queues + #bus").waitFor();
});
