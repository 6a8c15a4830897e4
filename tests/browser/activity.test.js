// The activity on the page. `local` reads the stream each second, and `record` writes the entries.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { app, codeOf, signIn } from "./app.js";
import { launch, onlyChromium } from "./browser.js";
import { FOREIGN, Spoiler, withFields } from "./front.js";
import { Person } from "./person.js";
import { ADA, start } from "./stack.js";

const BOB = "bob@example.com";
const ACTIVITY = "/api/account/activity";
const NOTE = "New entries appear after a minute or two.";
const EMPTY = "There are no entries. New ones appear after a minute or two.";
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Ada's browser, whose requests go through `road`. */
async function arrive(t) {
  const stack = await start(t);
  const road = await new Spoiler().open(t);
  const context = await browser.newContext({ proxy: road.proxy });
  context.setDefaultTimeout(15_000);
  t.after(() => context.close());
  return { road, stack, ada: new Person(await context.newPage(), stack) };
}

/** A client on another device of Ada's, signed in. */
async function elsewhere(t, stack) {
  const auth = app(t, stack.api);
  await signIn(auth, stack);
  return auth;
}

/** Waits until all pages of the activity together have this many entries. */
async function recorded(auth, expected) {
  const end = performance.now() + 15_000;
  for (let found; found !== expected; ) {
    assert.ok(performance.now() < end, `${found} entries`);
    found = 0;
    for (let before; before !== null; ) {
      const { activity, next } = await auth.activity({ before });
      found += activity.length;
      before = next;
    }
  }
}

/** Nothing is recorded until the faults change. */
const LATE = { stream: [{ fault: "delay", times: 1_000_000 }] };

/** The words of each entry on the page, with the device. The times are left out. */
async function entries({ page }) {
  return page.evaluate(() => [...document.querySelectorAll("#entries li")].map((entry) => {
    const [words, device] = [".words", ".device"].map((part) => entry.querySelector(part).textContent);
    return device ? `${words} (${device})` : words;
  }));
}

const noted = ({ page }, text) => page.getByText(text).waitFor();
const asked = (road) => road.asked.filter((line) => line.startsWith(`GET ${ACTIVITY}`)).map((line) => line.slice(`GET ${ACTIVITY}`.length));
const isAt = ({ url }) => new URL(url).pathname === ACTIVITY;

test("what happened is listed newest first and in plain words, and is fetched once", async (t) => {
  const { road, stack, ada } = await arrive(t);
  const phone = await elsewhere(t, stack);
  await stack.wait(60);
  await phone.signOut();
  await stack.wait(60);
  const tablet = await elsewhere(t, stack);
  await stack.wait(60);
  await ada.open();
  await ada.signIn(ADA);
  await recorded(tablet, 5);
  await ada.page.reload();
  await noted(ada, NOTE);
  const [mine, ...others] = await entries(ada);
  assert.match(mine, /^Signed in with a code by email \((Chrome|Firefox) on Linux\)$/);
  assert.deepEqual(others, [
    "Signed in with a code by email (Unknown device)",
    "Signed out (Unknown device)",
    "Signed up with a code by email",
    "Signed in with a code by email (Unknown device)",
  ]);
  assert.equal(await ada.button("Show more").count(), 0);

  await stack.wait(60);
  await ada.page.getByRole("button", { name: /^End the session of Unknown device/ }).click();
  await ada.page.getByText("The session has ended.").waitFor({ state: "attached" });
  assert.deepEqual(asked(road), ["", ""], "once for each load of the page");
  assert.equal(await codeOf(tablet.profile()), "signed_out");
  await stack.wait(60);
  const watch = await elsewhere(t, stack);
  await recorded(watch, 7);
  await ada.page.reload();
  await noted(ada, NOTE);
  assert.deepEqual((await entries(ada)).slice(0, 2), [
    "Signed in with a code by email (Unknown device)",
    "Session ended from another browser (Unknown device)",
  ]);

  await stack.wait(60);
  await ada.button("Sign out everywhere").click();
  await ada.sees("Sign in");
  assert.equal(await codeOf(watch.profile()), "signed_out");
  await stack.wait(60);
  await recorded(await elsewhere(t, stack), 10);
  await ada.signIn(ADA);
  await noted(ada, NOTE);
  const ended = (await entries(ada)).filter((words) => words.startsWith("Signed out everywhere"));
  assert.equal(ended.length, 2, "of two sessions");
  assert.deepEqual(asked(road), ["", "", "", ""]);
});

test("a list of two pages shows one, and then the other", async (t) => {
  const { road, stack, ada } = await arrive(t);
  for (let device = 0; device < 30; device += 1) {
    await elsewhere(t, stack);
    await stack.wait(300);
  }
  await ada.open();
  await ada.signIn(ADA);
  // A sign-up, 32 sign-ins, and 22 sessions that ended for a newer one.
  await recorded(await elsewhere(t, stack), 55);
  await ada.page.reload();
  await noted(ada, NOTE);
  assert.equal((await entries(ada)).length, 50);
  const more = ada.button("Show more");

  await stack.faults({ gateway_status: 429 });
  await more.click();
  await ada.isToldBeside("The server is busy.");
  assert.equal((await entries(ada)).length, 50, "the first page stays");
  await stack.faults({});
  const before = asked(road).length;
  await more.dblclick();
  await ada.page.getByText("Signed up with a code by email").waitFor();
  assert.equal(await more.count(), 0);
  assert.equal(asked(road).length, before + 1);
  assert.match(asked(road).at(-1), /^\?before=\d{10}\.session\.\w+\.[\w-]+$/);
  const all = await entries(ada);
  const count = (text) => all.filter((words) => words === text).length;
  assert.equal(all.length, 55);
  assert.equal(count("Session ended, because too many were open (Unknown device)"), 22, "the devices of all are known by now");
  assert.equal(count("Signed in with a code by email (Unknown device)"), 31);
  const focus = () => [...document.querySelectorAll("#entries li")].indexOf(document.activeElement);
  assert.equal(await ada.page.evaluate(focus), 50, "the focus is on the first new entry");
  assert.equal(await ada.page.locator("#activity .problem").textContent(), "");
});

test("without entries the page says that new ones come later", async (t) => {
  const { stack, ada } = await arrive(t);
  await stack.faults(LATE);
  await ada.open();
  await ada.signIn(ADA);
  await noted(ada, EMPTY);
  assert.deepEqual(await entries(ada), []);
  await stack.faults({});
  await recorded(await elsewhere(t, stack), 3);
  await ada.page.reload();
  await noted(ada, NOTE);
  assert.equal((await entries(ada)).length, 3);
});

test("every kind of entry has words, and those of later versions are left out", async (t) => {
  const { road, stack, ada } = await arrive(t);
  const time = "2026-01-01T00:00:00Z";
  const rows = [
    { type: "session.ended", reason: "logout" },
    { type: "session.ended", reason: "everywhere" },
    { type: "session.ended", reason: "revoked" },
    { type: "session.ended", reason: "limit" },
    { type: "session.ended", reason: "reuse" },
    { type: "session.ended", reason: "other" },
    { type: "session.ended", reason: "by a later version" },
    { type: "contact.changed" },
    { type: "constructor" },
    { type: "user.updated", fields: ["first_name", "last_name"] },
    { type: "session.opened", method: "otp_sms", session: "A", device: "<b>Safari</b> on iOS" },
    { type: "session.opened", method: "other" },
    { type: "user.created", method: "otp_sms" },
  ];
  road.spoil = (request) => (isAt(request) ? withFields({ activity: rows.map((row, id) => ({ id: `${id}`, time, ...row })) }) : undefined);
  await ada.open();
  await ada.signIn(ADA);
  await noted(ada, NOTE);
  assert.deepEqual(await entries(ada), [
    "Signed out",
    "Signed out everywhere",
    "Session ended from another browser",
    "Session ended, because too many were open",
    "Session ended, because somebody may have copied it",
    "Session ended",
    "Session ended",
    "Profile changed: first name, last name",
    "Signed in with a code by text (<b>Safari</b> on iOS)",
    "Signed in",
    "Signed up with a code by text",
  ]);
  assert.equal(await ada.page.locator("#entries li:first-child time").getAttribute("datetime"), time);
});

// At the same time, because the client repeats its requests.
describe("an activity that cannot be fetched", { concurrency: true }, () => {
  for (const [what, told] of [["no answer", "We cannot reach the server."], ["a page", "Another server answered."], ["another service's JSON", "Another server answered."]]) {
    test(`with ${what} keeps the rest of the page, and can be fetched again`, async (t) => {
      const { road, stack, ada } = await arrive(t);
      await recorded(await elsewhere(t, stack), 2);
      await stack.wait(60);
      road.block = (request) => (isAt(request) ? FOREIGN[what] : undefined);
      await ada.open();
      await ada.signIn(ADA);
      await ada.page.getByText("This browser").waitFor();
      await ada.isToldBeside(told);
      assert.equal(await ada.page.locator("#activity-note").textContent(), "", "it does not claim that nothing happened");
      road.block = () => undefined;
      await ada.button("Try again").click();
      await noted(ada, NOTE);
      assert.equal(await ada.page.locator("#activity .problem").textContent(), "");
      assert.equal((await entries(ada)).at(-1), "Signed in with a code by email (Unknown device)");
      assert.equal(await ada.button("Try again").count(), 0);
      await ada.button("Sign out").click();
      await ada.sees("Sign in");
    });
  }
});

test("the entries of a user who has left the browser do not reach the next one", onlyChromium, async (t) => {
  const { road, stack, ada } = await arrive(t);
  await recorded(await elsewhere(t, stack), 2);
  await stack.faults(LATE);
  let release;
  const released = new Promise((resume) => (release = resume));
  const waiting = new Promise((resume) => {
    road.spoil = (request) => (isAt(request) ? (response, { statusCode, headers }, body) => {
      resume();
      released.then(() => response.writeHead(statusCode, headers).end(body));
    } : undefined);
  });
  await ada.open();
  await ada.signIn(ADA);
  await waiting;
  road.spoil = () => undefined;
  await ada.button("Sign out").click();
  await ada.sees("Sign in");
  await ada.signIn(BOB);
  await noted(ada, EMPTY);
  const late = ada.page.waitForResponse((response) => response.url().endsWith(ACTIVITY));
  release();
  await (await late).finished();
  await ada.page.evaluate(() => new Promise((resume) => setTimeout(resume)));
  assert.deepEqual(await entries(ada), []);
  await noted(ada, EMPTY);
});
