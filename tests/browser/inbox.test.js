// The inbox of the stack.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.js";
import { ADA, start } from "./stack.js";

const PHONE = "+447400123456";
const EUM = {
  SmsProvider: "eum",
  SmsPool: "pool-0123456789abcdef",
  SmsConfigurationSet: "codes",
  VoiceProvider: "eum",
  VoiceNumber: "+12065550100",
};

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function open(t, parameters) {
  const stack = await start(t, parameters);
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
  context.setDefaultTimeout(15_000);
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(stack.inbox);
  return { stack, page };
}

test("a message shows what became of it, without a reload", async (t) => {
  const { stack, page } = await open(t, EUM);
  for (const [identifier, last] of [
    [ADA, "Delivered"],
    ["bounce@simulator.amazonses.com", "Failed"],
    [PHONE, "Delivered"],
    ["+14254147167", "Failed"],
  ]) {
    await stack.ask({ identifier });
    await page.locator("#to").filter({ hasText: identifier }).waitFor();
    await page.locator("#life li:first-child").filter({ hasText: "Sent" }).waitFor();
    await page.locator("#life li:last-child").filter({ hasText: last }).waitFor();
  }
  await page.locator("#list li").filter({ hasText: PHONE }).click();
  await page.locator("#life li:nth-child(2)").filter({ hasText: "Handed over" }).waitFor();
  // The time of each state, by the stack's clock.
  assert.match(await page.locator("#life li:last-child time").textContent(), /^\d{1,2}:\d\d:\d\d(\s[AP]M)?$/);
  const facts = await page.locator(".device dl").textContent();
  for (const fact of ["Parts1", "Price$0.055", "Sent byEUM"]) assert.ok(facts.includes(fact), facts);
});

test("a call is words with pauses", async (t) => {
  const { stack, page } = await open(t, EUM);
  const { challenge_id } = await stack.ask({ identifier: PHONE });
  await stack.wait(31);
  await stack.ask({ identifier: PHONE, challenge_id, channel: "voice" });
  await page.locator("#subject").filter({ hasText: "Call from +12065550100" }).waitFor();
  const code = await page.locator("#digits").textContent();
  assert.match(code, /^\d{6}$/);
  // A pause before each digit and after the last one, twice, and one at the beginning.
  await page.locator(".spoken .pause:first-child").waitFor();
  assert.equal(await page.locator(".spoken .pause").count(), 15);
  assert.ok((await page.locator(".spoken").textContent()).includes(code.split("").join(" … ")));
});

test("a message in Arabic reads from right to left", async (t) => {
  const { stack, page } = await open(t, EUM);
  for (const [identifier, part] of [
    ["layla@example.com", "#subject[dir=rtl]"],
    [PHONE, ".bubble[dir=rtl]"],
  ]) {
    await stack.ask({ identifier, locale: "ar" });
    await page.locator("#to").filter({ hasText: identifier }).waitFor();
    await page.locator(part).waitFor();
    await page.locator("#rtl:not([hidden])").waitFor();
  }
});

test("a notice is marked, and has no code to copy", async (t) => {
  const { stack, page } = await open(t, { Welcome: "on" });
  await stack.signIn(ADA, "https://example.org/");
  await page.locator("#kind:not([hidden])").filter({ hasText: "Notice" }).waitFor();
  assert.equal(await page.locator("#code:not([hidden])").count(), 0);
  assert.equal(await page.locator("#list .kind:not([hidden])").count(), 1);
});
