// Staying signed in until sign-out, with both kinds of delivery, over reloads, tabs, lost answers and wrong clocks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.js";
import { Road } from "./front.js";
import { Person } from "./person.js";
import { ADA, start } from "./stack.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const HOUR = 3_600; // lifetime of an access token in the development profile

/** Ada in her own browser. */
async function arrive(t, stack, road) {
  const context = await browser.newContext({ proxy: road?.proxy });
  context.setDefaultTimeout(10_000);
  t.after(() => context.close());
  return new Person(await context.newPage(), stack);
}

async function signedIn(t, delivery, road) {
  const ada = await arrive(t, await start(t, { TokenDelivery: delivery }), road);
  await ada.open();
  await ada.signIn(ADA);
  return ada;
}

/** Another tab of the same browser. */
async function tab(person) {
  return new Person(await person.page.context().newPage(), person.stack).open();
}

/** Runs `act` with a separate client in the page, for the same API and delivery. */
async function client(person, act) {
  const auth = await person.page.evaluateHandle(async () => {
    const { Latchkey } = await import("/latchkey.js");
    const { content: api, dataset } = document.querySelector("meta[name=latchkey]");
    return new Latchkey({ api, delivery: dataset.delivery });
  });
  const result = await auth.evaluate(act);
  await auth.evaluate((auth) => auth.close());
  return result;
}

/** Waits until no tab of this browser holds the lock of the session. */
function unlocked({ page, stack }) {
  return page.evaluate((name) => navigator.locks.request(name, () => undefined), `latchkey ${stack.api}`);
}

/** Waits until `holds` is true, checked whenever no tab is busy. */
async function until(person, holds) {
  const end = performance.now() + 10_000;
  while (!(await holds())) {
    assert.ok(performance.now() < end, "the condition was not met in time");
    await unlocked(person);
  }
}

async function refreshed({ stack }) {
  return (await stack.outcomes("refresh")).filter((outcome) => outcome === "ok").length;
}

for (const delivery of ["body", "cookie"]) {
  test(`${delivery}: reloads change nothing, even while waiting for a code`, async (t) => {
    const ada = await arrive(t, await start(t, { TokenDelivery: delivery }));
    await ada.open();
    await ada.ask(ADA);
    await ada.page.reload();
    await ada.sees("Enter the code");
    await ada.answer(await ada.stack.code());
    await ada.isInside(ADA);
    await ada.page.reload();
    await ada.isInside(ADA);
  });

  test(`${delivery}: three tabs, 100 refreshes each with 5 % lost answers, and nobody is signed out`, async (t) => {
    const road = await new Road().open(t);
    const first = await signedIn(t, delivery, road);
    const tabs = [first, await tab(first), await tab(first)];
    for (const each of tabs) await each.isInside(ADA);
    const before = road.asked;
    // Two consecutive answers of every 40 are lost, so the retry is lost too. Of some, only the body is lost, after the cookie.
    road.loses = (asked) => ({ 20: "whole", 21: "whole", 60: "whole", 61: "body" })[(asked - before) % 80];
    const hundred = async (auth) => {
      for (let n = 0; n < 100; n += 1) await auth.refresh();
      return auth.signedIn;
    };
    assert.deepEqual(await Promise.all(tabs.map((each) => client(each, hundred))), [true, true, true]);
    assert.deepEqual([road.lost, road.asked - before], [16, 316]);
    assert.equal(road.atOnce, 1);
    assert.equal(await first.stack.reuse(), false);
    for (const { page } of tabs) await page.reload();
    for (const each of tabs) await each.isInside(ADA);
    assert.ok((await first.stack.outcomes("refresh")).slice(-300).every((outcome) => outcome === "ok"));
  });

  test(`${delivery}: three tabs refresh one at a time, before the token expires`, async (t) => {
    const road = await new Road().open(t);
    const first = await arrive(t, await start(t, { TokenDelivery: delivery }), road);
    const { clock } = first.page.context(); // of all tabs
    await clock.install();
    await first.open();
    await first.signIn(ADA);
    const tabs = [first, await tab(first), await tab(first)];
    for (const each of tabs) await each.isInside(ADA);
    const before = road.asked;
    await clock.fastForward((HOUR - 130) * 1_000);
    assert.equal(road.asked, before);
    await clock.fastForward(70_000);
    await until(first, () => road.asked > before);
    await unlocked(first);
    assert.ok(road.asked <= before + tabs.length);
    assert.equal(road.atOnce, 1);
    assert.equal(await first.stack.reuse(), false);
  });

  test(`${delivery}: a laptop that slept for a day is still signed in`, async (t) => {
    const ada = await arrive(t, await start(t, { TokenDelivery: delivery }));
    await ada.page.clock.install();
    await ada.open();
    await ada.signIn(ADA);
    await ada.stack.wait(24 * HOUR);
    await ada.page.clock.fastForward(24 * HOUR * 1_000);
    await until(ada, async () => (await refreshed(ada)) === 1);
    assert.equal(await client(ada, async (auth) => (await auth.profile()).email), ADA);
  });

  test(`${delivery}: a refresh whose answer was lost is sent again days later, by another tab`, async (t) => {
    const road = await new Road().open(t);
    const first = await signedIn(t, delivery, road);
    const refresh = (auth) => auth.refresh().then(() => "ok", (error) => error.code);
    road.loses = () => "whole";
    assert.equal(await client(first, refresh), "network");
    road.loses = () => undefined;
    await first.stack.wait(2 * 24 * HOUR);
    const second = await tab(first);
    await second.isInside(ADA);
    assert.equal(await client(second, refresh), "ok");
    await first.page.reload();
    await first.isInside(ADA);
    assert.equal(await first.stack.reuse(), false);
  });

  test(`${delivery}: a code whose answer was lost signs in`, async (t) => {
    const road = await new Road("/api/auth/otp/verify").open(t);
    const ada = await arrive(t, await start(t, { TokenDelivery: delivery }), road);
    await ada.open();
    road.loses = (asked) => (asked === 1 ? "whole" : undefined);
    await ada.signIn(ADA);
    assert.deepEqual([road.asked, road.lost], [2, 1]);
    await ada.page.reload();
    await ada.isInside(ADA);
  });

  test(`${delivery}: a sign-out reaches every tab, and so does a sign-in`, async (t) => {
    const first = await signedIn(t, delivery);
    const [second, third] = [await tab(first), await tab(first)];
    for (const each of [second, third]) await each.isInside(ADA);
    await second.button("Sign out").click();
    for (const each of [first, second, third]) await each.sees("Sign in");
    assert.deepEqual(await first.stack.outcomes("logout"), ["ok"]);
    await third.signIn("bob@example.com");
    for (const each of [first, second]) await each.isInside("bob@example.com");
  });

  test(`${delivery}: a sign-out everywhere reaches other browsers, and so does the end of one session`, async (t) => {
    const here = await signedIn(t, delivery);
    const there = await arrive(t, here.stack);
    await there.page.clock.install();
    await there.open();
    await there.signIn(ADA);
    await here.page.reload(); // its list is outdated
    await here.page.getByRole("button", { name: /^End the session of (Chrome|Firefox) on Linux/ }).click();
    await here.page.getByText("The session has ended.").waitFor({ state: "attached" });
    await there.page.clock.fastForward(HOUR * 1_000);
    await there.isTold("You have been signed out.");
    await there.signIn(ADA);
    await here.button("Sign out everywhere").click();
    await here.sees("Sign in");
    await there.page.reload();
    await there.sees("Sign in");
  });

  test(`${delivery}: temporary errors sign nobody out`, async (t) => {
    const ada = await signedIn(t, delivery);
    await ada.stack.faults({ gateway_status: 503 });
    await ada.page.reload();
    await ada.sees("Not available");
    await ada.stack.faults({});
    await ada.button("Try again").click();
    await ada.isInside(ADA);
    await ada.stack.faults({ gateway_status: 503 });
    await ada.button("Sign out").click();
    await ada.isTold("Something went wrong on our side.");
    await ada.stack.faults({});
    await ada.page.reload();
    await ada.isInside(ADA);
  });
}

test("cookie: a code signs in if only the cookies of its answer arrive", async (t) => {
  const road = await new Road("/api/auth/otp/verify").open(t);
  const ada = await arrive(t, await start(t, { TokenDelivery: "cookie" }), road);
  await ada.open();
  road.loses = (asked) => (asked === 1 ? "body" : undefined);
  await ada.signIn(ADA);
  await ada.page.getByText("This browser").waitFor();
  await ada.page.reload();
  await ada.isInside(ADA);
});

test("a wrong or changed device clock neither ends a session nor causes many refreshes", async (t) => {
  const ada = await arrive(t, await start(t));
  const day = 24 * HOUR * 1_000;
  await ada.page.clock.install({ time: Date.now() - 400 * day });
  await ada.open();
  await ada.signIn(ADA);
  await unlocked(ada);
  assert.equal(await refreshed(ada), 0);
  // Set back while the page has a token: the page's monotonic clock still knows its expiry.
  await ada.page.clock.setSystemTime(Date.now() - 401 * day);
  await ada.page.clock.fastForward((HOUR - 60) * 1_000);
  await until(ada, async () => (await refreshed(ada)) === 1);
  // Set correctly again: this looks like a long sleep and causes one refresh.
  await ada.page.clock.setSystemTime(Date.now());
  await ada.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await until(ada, async () => (await refreshed(ada)) === 2);
  await ada.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await unlocked(ada);
  assert.equal(await refreshed(ada), 2);
});

test("a hidden page does not keep a session active, and works again when shown", async (t) => {
  const ada = await arrive(t, await start(t));
  await ada.page.clock.install();
  await ada.open();
  await ada.signIn(ADA);
  const look = (hidden) => ada.page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await look(true);
  await ada.page.clock.fastForward(2 * HOUR * 1_000);
  await unlocked(ada);
  assert.equal(await refreshed(ada), 0);
  await look(false);
  await until(ada, async () => (await refreshed(ada)) === 1);
});

test("a page restored from the browser's cache learns about missed changes", async (t) => {
  const ada = await signedIn(t, "cookie");
  await ada.page.context().clearCookies();
  await ada.page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await ada.sees("Sign in");
});

test("in cookie mode no script finds the refresh token", async (t) => {
  const ada = await signedIn(t, "cookie");
  await ada.page.reload();
  await ada.isInside(ADA);
  const found = await ada.page.evaluate(async () => {
    const databases = await indexedDB.databases();
    const [stored] = await Promise.all(databases.map(({ name }) => new Promise((resolve) => {
      indexedDB.open(name).onsuccess = ({ target: { result: db } }) => {
        db.transaction("values").objectStore("values").getAll().onsuccess = ({ target }) => resolve(target.result);
      };
    })));
    return { stored, local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie };
  });
  const { stored, ...others } = found;
  assert.deepEqual(others, { local: {}, session: {}, cookie: "" });
  assert.equal(stored.length, 1);
  assert.match(stored[0], /^\{"retry":"[\w-]{22}"\}$/); // the retry key alone
  const names = (await ada.page.context().cookies()).map(({ name, httpOnly }) => `${name} ${httpOnly}`);
  assert.deepEqual(names.sort(), ["__Host-device true", "__Host-refresh true"]);
});

test("a refused token is renewed once, and only allowed origins get it", async (t) => {
  const ada = await signedIn(t, "body");
  await ada.page.exposeFunction("pass", () => ada.stack.wait(2 * HOUR)); // unknown to the page
  const email = await client(ada, async (auth) => {
    await auth.token();
    await window.pass();
    return (await auth.profile()).email;
  });
  assert.equal(email, ADA);
  const foreign = (auth) => auth.fetch("https://elsewhere.example/").catch((error) => error.message);
  assert.equal(await client(ada, foreign), "https://elsewhere.example/ may not get a token. Add its origin to origins.");
});
