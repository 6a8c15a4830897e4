// Accessibility of the page: keyboard, accessible names, both color schemes, every screen size and a fast start.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import { launch, onlyChromium } from "./browser.js";
import { Person } from "./person.js";
import { ADA, SCREENS, start } from "./stack.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function arrive(t, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(10_000);
  t.after(() => context.close());
  return new Person(await context.newPage(), await start(t));
}

test("everything works by keyboard, and the focus is on the next field", async (t) => {
  const ada = await arrive(t);
  const { keyboard } = ada.page;
  const focus = () => ada.page.evaluate(() => document.activeElement.textContent || document.activeElement.id);
  /** Presses Tab until `name` has the focus. */
  const tabTo = async (name) => {
    for (let steps = 0; (await focus()) !== name; steps += 1) {
      assert.ok(steps < 8, `${name} is not reached, but ${await focus()}`);
      await ada.press("Tab");
    }
  };
  await ada.open();
  await ada.sees("Sign in");
  assert.equal(await focus(), "identifier");
  await keyboard.type("adda@example.com");
  await ada.press("Enter");
  await ada.sees("Enter the code");
  assert.equal(await focus(), "code");
  await ada.press("Shift+Tab");
  assert.equal(await focus(), "Change");
  await ada.press("Enter");
  assert.equal(await focus(), "identifier"); // its text is selected
  await keyboard.type(ADA);
  await ada.press("Enter");
  await ada.sees("Enter the code");
  await keyboard.type("000000");
  await ada.press("Enter");
  await ada.isTold("This code does not work.");
  await keyboard.type(await ada.stack.code()); // the wrong code is selected
  await ada.press("Enter");
  await ada.isInside(ADA);
  assert.equal(await focus(), "Signed in");
  await tabTo("Sign out");
  await ada.press("Enter");
  await ada.sees("Sign in");
  assert.equal(await focus(), "identifier");
});

test("every element has an accessible name", onlyChromium, async (t) => {
  const ada = await arrive(t);
  const tree = async () => (await ada.page.locator("main").ariaSnapshot()).replace(/in \d+ s/, "in 30 s");
  await ada.open();
  await ada.sees("Sign in");
  assert.equal(await tree(), `- main:
  - heading "Sign in" [level=1]
  - paragraph: "No password: we send you a code."
  - text: Email or phone number
  - textbox "Email or phone number"
  - alert
  - button "Send the code"`);
  await ada.ask(ADA);
  assert.equal(await tree(), `- main:
  - heading "Enter the code" [level=1]
  - paragraph:
    - text: We sent it to
    - strong: ada@example.com
    - text: .
    - button "Change"
  - text: Code
  - textbox "Code"
  - alert
  - status
  - button "Sign in"
  - paragraph:
    - button "Send a new code in 30 s" [disabled]
    - button "No code?"
    - button "My code has letters"`);
  await ada.answer(await ada.stack.code());
  await ada.isInside(ADA);
  await ada.seesActivity();
  const signedIn = (await tree()).replace(/time: .+/g, "time: then");
  assert.equal(signedIn, `- main:
  - heading "Signed in" [level=1]
  - region "Signed in":
    - paragraph:
      - text: You are signed in as
      - strong: ada@example.com
      - text: .
    - heading "Where you are signed in" [level=2]
    - list:
      - listitem: Chrome on Linux This browser
    - alert
    - button "Sign out"
    - paragraph:
      - button "Sign out everywhere"
    - region "Second step":
      - heading "Second step" [level=2]
      - paragraph: Add an authenticator app, so that a code alone does not sign in.
      - list
      - alert
      - paragraph:
        - button "Add an authenticator app"
    - region "Activity":
      - heading "Activity" [level=2]
      - paragraph: New entries appear after a minute or two.
      - list:
        - listitem:
          - text: Signed up with a code by email
          - time: then
        - listitem:
          - text: Signed in with a code by email
          - time: then
          - text: · Chrome on Linux
      - alert`);
});

for (const [screen, options] of Object.entries(SCREENS)) {
  test(`on a ${screen}, axe finds no problem and nothing moves`, options.colorScheme === "dark" ? onlyChromium : {}, async (t) => {
    const ada = await arrive(t, options);
    await ada.page.addInitScript(() => {
      window.moved = [];
      const note = (list) => window.moved.push(...list.getEntries().map(({ sources }) => sources.map(({ node }) => node?.id || node?.nodeName)));
      new PerformanceObserver(note).observe({ type: "layout-shift", buffered: true });
    });
    const check = async (step) => {
      await ada.page.evaluate(axe.source);
      const { violations } = await ada.page.evaluate(() => window.axe.run());
      const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
      assert.deepEqual(told, [], step);
      assert.deepEqual(await ada.page.evaluate(() => window.moved), [], step);
      const wider = await ada.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wider, false, `${step} scrolls sideways`);
    };
    await ada.open();
    await ada.sees("Sign in");
    await check("the beginning");
    await ada.identifier.fill("ada@");
    await ada.button("Send the code").click();
    await ada.isTold("This does not look like an email address");
    await check("a wrong address");
    await ada.ask("ada.lovelace.of.the.analytical.engine@mathematics.example.com");
    await check("the code");
    await ada.answer("000000");
    await ada.isTold("This code does not work.");
    await check("a wrong code");
    await ada.answer(await ada.stack.code("ada.lovelace.of.the.analytical.engine@mathematics.example.com"));
    await ada.page.getByText("This browser").waitFor();
    await check("signed in");
    await ada.seesActivity();
    await check("signed in, with activity");
    await ada.stack.faults({ gateway_status: 503 });
    await ada.page.reload();
    await ada.sees("Not available");
    await check("out of order");
  });
}

test("the page weighs under 24 KB compressed and comes from one origin", onlyChromium, async (t) => {
  const ada = await arrive(t);
  const weights = [];
  ada.page.on("response", async (response) => {
    if (response.request().method() === "GET") weights.push([new URL(response.url()).origin, gzipSync(await response.body()).length]);
  });
  await ada.open();
  await ada.sees("Sign in");
  await ada.page.waitForLoadState("networkidle");
  assert.deepEqual([...new Set(weights.map(([origin]) => origin))], [ada.stack.page]);
  const weight = weights.reduce((sum, [, length]) => sum + length, 0);
  assert.ok(weight < 24_000, `${weight} bytes`);
  const times = [];
  for (let load = 0; load < 5; load += 1) {
    await ada.page.reload();
    await ada.sees("Sign in");
    times.push(await ada.page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
  }
  // Not asserted, because a busy machine is slower.
  t.diagnostic(`first contentful paint: ${times.map(Math.round).join(", ")} ms`);
});
