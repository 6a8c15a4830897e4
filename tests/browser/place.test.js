// A user's place is kept: closed tabs, other addresses, days later, offline, the back button. And what a page explains.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, pageWithoutData } from "./browser.js";
import { ELSEWHERE, FOREIGN, Spoiler } from "./front.js";
import { Person } from "./person.js";
import { ADA, start } from "./stack.js";

const BOB = "bob@example.com";
let browser;
before(async () => (browser = await launch({ hosts: ["app.example.com"] })));
after(() => browser.close());

async function arrive(t, { delivery = "body", road, parameters } = {}) {
  const stack = await start(t, { TokenDelivery: delivery, ...parameters });
  const context = await browser.newContext({ proxy: road?.proxy });
  context.setDefaultTimeout(15_000);
  t.after(() => context.close());
  return new Person(await context.newPage(), stack).open();
}

async function tab(person) {
  return new Person(await person.page.context().newPage(), person.stack).open();
}

const sent = async ({ stack }, address = ADA) => (await stack.messages(address)).length;

for (const delivery of ["body", "cookie"]) {
  test(`${delivery}: a tab that was closed while fetching the code is at the code again`, async (t) => {
    const lost = await arrive(t, { delivery });
    await lost.ask(ADA);
    const code = await lost.stack.code();
    const ada = new Person(await lost.page.context().newPage(), lost.stack);
    await lost.page.close();
    await lost.stack.wait(60);
    await ada.open();
    await ada.sees("Enter the code");
    await ada.page.getByText(`We sent it to ${ADA}.`).waitFor();
    await ada.answer(code);
    await ada.isInside(ADA);
    assert.equal(await sent(ada), 1);
    await ada.button("Sign out").click();
    await ada.sees("Sign in");
  });

  test(`${delivery}: a closed tab's address, typed again, sends nothing new`, async (t) => {
    const ada = await arrive(t, { delivery });
    await ada.ask(ADA);
    const code = await ada.stack.code();
    await ada.button("Change").click();
    await ada.page.evaluate(() => sessionStorage.clear());
    await ada.ask(ADA);
    assert.equal(await sent(ada), 1);
    await ada.answer(code);
    await ada.isInside(ADA);
  });

  test(`${delivery}: a page that is restored three days later asks for the address, with the last one`, async (t) => {
    const ada = await arrive(t, { delivery });
    await ada.page.clock.install();
    await ada.ask(ADA);
    const code = await ada.stack.code();
    await ada.stack.wait(3 * 86_400);
    // A tab that still has its code view, as one that was asleep.
    await ada.answer(code);
    await ada.isTold("This code does not work.");
    await ada.page.clock.fastForward(3 * 86_400_000);
    await ada.page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: false })));
    await ada.sees("Sign in");
    assert.equal(await ada.identifier.inputValue(), ADA);
    await ada.page.reload();
    await ada.sees("Sign in");
    assert.equal(await ada.identifier.inputValue(), ADA);
    await ada.button("Send the code").click();
    await ada.sees("Enter the code");
    await ada.answer(await ada.stack.code());
    await ada.isInside(ADA);
  });
}

test("two tabs with two addresses keep their own places", async (t) => {
  const ada = await arrive(t);
  const bob = await tab(ada);
  await bob.sees("Sign in");
  await ada.ask(ADA);
  await bob.ask(BOB);
  for (const each of [ada, bob]) await each.page.reload();
  await ada.page.getByText(`We sent it to ${ADA}.`).waitFor();
  await bob.page.getByText(`We sent it to ${BOB}.`).waitFor();
  await ada.answer(await ada.stack.code(ADA));
  for (const each of [ada, bob]) await each.isInside(ADA);
  await bob.button("Sign out").click();
  for (const each of [ada, bob]) await each.sees("Sign in");
});

test("cookie: the code of the earlier of two tabs works, although the browser has the later one's challenge", async (t) => {
  const ada = await arrive(t, { delivery: "cookie" });
  const bob = await tab(ada);
  await bob.sees("Sign in");
  await ada.ask(ADA);
  await bob.ask(BOB);
  await ada.answer(await ada.stack.code(ADA));
  for (const each of [ada, bob]) await each.isInside(ADA);
});

for (const [when, act] of Object.entries({
  "the network is back": ({ page }) => page.evaluate(() => dispatchEvent(new Event("online"))),
  "it is shown again": ({ page }) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange"))),
  "a little time has passed": ({ page }) => page.clock.fastForward(30_000),
})) {
  test(`a page opened offline finds its user when ${when}`, async (t) => {
    const road = await new Spoiler().open(t);
    const ada = await arrive(t, { road });
    await ada.page.clock.install();
    await ada.signIn(ADA);
    // The page itself comes from the browser's cache; only the API is out of reach.
    road.block = ({ url }) => (url.startsWith(ada.stack.api) ? FOREIGN["no answer"] : undefined);
    await ada.page.reload();
    await ada.sees("No connection");
    road.block = () => undefined;
    ada.page.context().setDefaultTimeout(5_000); // the client's own repeat comes later, after 7 seconds at least
    await act(ada);
    await ada.isInside(ADA);
  });
}

test("a code asked for offline is sent when the network is back", async (t) => {
  const road = await new Spoiler().open(t);
  const ada = await arrive(t, { road });
  road.block = ({ url }) => (url.startsWith(ada.stack.api) ? FOREIGN["no answer"] : undefined);
  await ada.identifier.fill(ADA);
  await ada.button("Send the code").click();
  await ada.isTold("We cannot reach the server.");
  assert.equal(await ada.identifier.inputValue(), ADA);
  road.block = () => undefined;
  await ada.button("Send the code").click();
  await ada.sees("Enter the code");
  assert.equal(await sent(ada), 1);
});

// At the same time, because the client repeats its requests.
describe("a page in a network where somebody else answers", { concurrency: true }, () => {
  for (const what of ["a page", "204", "cut JSON", "a redirect to a page", "a 307 to another server", "no answer"]) {
    test(`with ${what} says so, and finds its user afterwards`, async (t) => {
      const told = what === "no answer" ? "We cannot reach the server." : "Another server answered.";
      const road = await new Spoiler().open(t);
      const at = (path) => (road.block = ({ url }) => (url.endsWith(path) ? FOREIGN[what] : undefined));
      const ada = await arrive(t, { road });
      at("otp/request");
      await ada.identifier.fill(ADA);
      await ada.button("Send the code").click();
      await ada.isTold(told);
      road.block = () => undefined;
      await ada.ask(ADA);
      at("otp/verify");
      await ada.answer(await ada.stack.code());
      await ada.isTold(told);
      road.block = () => undefined;
      await ada.button("Sign in").click();
      await ada.isInside(ADA);
      at("token/refresh");
      await ada.page.reload();
      await ada.sees("No connection");
      road.block = () => undefined;
      await ada.button("Try again").click();
      await ada.isInside(ADA);
      at("logout");
      await ada.button("Sign out").click();
      await ada.isTold(told);
      await ada.page.reload();
      await ada.isInside(ADA);
      road.block = () => undefined;
      await ada.button("Sign out").click();
      await ada.sees("Sign in");
      assert.deepEqual(ELSEWHERE.asked, []);
    });
  }
});

test("the back button leads to the address, and forward to the code", async (t) => {
  const ada = await arrive(t);
  await ada.ask("adda@example.com");
  await ada.page.goBack();
  await ada.sees("Sign in");
  assert.equal(await ada.identifier.inputValue(), "adda@example.com");
  await ada.page.goForward();
  await ada.sees("Enter the code");
  await ada.button("Change").click();
  await ada.sees("Sign in");
  await ada.signIn(ADA);
  await ada.page.goBack();
  await ada.isInside(ADA);
});

test("a double click sends one message and one code", async (t) => {
  const ada = await arrive(t);
  await ada.identifier.fill(ADA);
  await ada.button("Send the code").dblclick();
  await ada.sees("Enter the code");
  assert.equal(await sent(ada), 1);
  // The second click may come after the view has changed. It then meets this view's button.
  await ada.page.evaluate(() => {
    const again = new MouseEvent("click", { bubbles: true, cancelable: true, detail: 2 });
    document.querySelector("#answer button.main").dispatchEvent(again);
  });
  assert.equal(await ada.page.locator("#answer-problem").textContent(), "");
  await ada.code.fill(await ada.stack.code());
  await ada.button("Sign in").dblclick();
  await ada.isInside(ADA);
  assert.deepEqual(await ada.stack.outcomes("verify-otp"), ["ok"]);
  await ada.button("Sign out").dblclick();
  await ada.sees("Sign in");
  assert.equal(await ada.page.locator("#ask-problem").textContent(), "");
});

test("after a mail that failed, a reload asks for the address, and the next mail has a code", async (t) => {
  const ada = await arrive(t);
  await ada.stack.faults({ delivery: "refused" });
  await ada.identifier.fill(ADA);
  await ada.button("Send the code").click();
  await ada.isTold("The email could not be sent.");
  await ada.stack.faults({});
  await ada.page.reload();
  await ada.sees("Sign in");
  await ada.signIn(ADA);
});

test("after a right code the page takes no input until it shows the user", async (t) => {
  const road = await new Spoiler().open(t);
  const ada = await arrive(t, { road });
  let release;
  const released = new Promise((resume) => (release = resume));
  const asked = new Promise((resume) => {
    const late = (response, { statusCode, headers }, body) => {
      resume();
      released.then(() => response.writeHead(statusCode, headers).end(body));
    };
    road.on("/api/profile", late);
  });
  await ada.ask(ADA);
  await ada.code.fill(await ada.stack.code());
  await ada.press("Enter");
  await asked;
  await ada.press("Enter");
  assert.equal(await ada.page.locator("#answer-problem").textContent(), "");
  release();
  await ada.isInside(ADA);
  assert.deepEqual(await ada.stack.outcomes("verify-otp"), ["ok"]);
});

test("an answer without a code asks for the code and sends nothing", async (t) => {
  const ada = await arrive(t);
  await ada.ask(ADA);
  await ada.press("Enter");
  await ada.isTold("Enter the code from the message.");
  assert.deepEqual(await ada.stack.outcomes("verify-otp"), []);
});

for (const delivery of ["body", "cookie"]) {
  test(`${delivery}: the page of \`local\` keeps its user at both names of this machine`, async (t) => {
    const ada = await arrive(t, { delivery });
    for (const host of ["127.0.0.1", "localhost"]) {
      await ada.open(ada.stack.builtIn.replace("127.0.0.1", host));
      await ada.signIn(`${host}@example.com`);
      await ada.page.reload();
      await ada.isInside(`${host}@example.com`);
      await ada.button("Sign out").click();
      await ada.sees("Sign in");
    }
  });
}

const DATADOG = ["x-datadog-origin", "x-datadog-parent-id", "x-datadog-sampling-priority", "x-datadog-trace-id"];
const USUAL = ["baggage", "sentry-trace", "traceparent", "tracestate", "x-csrftoken", "x-requested-with"];
for (const [whose, added, parameters] of [
  ["the usual tools add", USUAL, {}],
  ["a deployment allows", DATADOG, { AllowedHeaders: ["authorization", "content-type", ...DATADOG].join() }],
]) {
  test(`headers that ${whose} do not keep a page from the API`, async (t) => {
    const ada = await arrive(t, { parameters });
    await ada.page.addInitScript((added) => {
      const { fetch } = window;
      window.fetch = (input, init) => {
        const request = new Request(input, init);
        for (const name of added) request.headers.set(name, "1");
        return fetch(request);
      };
    }, added);
    await ada.page.reload();
    await ada.signIn(ADA);
    await ada.button("Sign out").click();
    await ada.sees("Sign in");
  });
}

test("a page without https says so", async (t) => {
  const ada = await arrive(t);
  await ada.page.goto(ada.stack.page.replace("127.0.0.1", "app.example.com"));
  await ada.sees("No secure connection");
  await ada.page.getByText("Signing in needs https.").waitFor();
});

for (const delivery of ["body", "cookie"]) {
  test(`${delivery}: a browser that keeps no data for the page says so`, async (t) => {
    const stack = await start(t, { TokenDelivery: delivery });
    const ada = await new Person(await pageWithoutData(t), stack).open();
    await ada.sees("No data allowed");
    await ada.page.getByText("Allow cookies and site data").waitFor();
    await ada.button("Try again").click();
    await ada.sees("No data allowed");
  });
}

/** A browser where only IndexedDB is refused. */
const withoutDatabase = (page) => page.addInitScript(() => {
  indexedDB.open = () => { throw new DOMException("The user denied it.", "SecurityError"); };
});

test("cookie: a browser without IndexedDB signs in and stays signed in", async (t) => {
  const ada = await arrive(t, { delivery: "cookie" });
  await withoutDatabase(ada.page);
  await ada.page.reload();
  await ada.signIn(ADA);
  await ada.page.reload();
  await ada.isInside(ADA);
});

test("body: a browser without IndexedDB says so, before a code is used up", async (t) => {
  const ada = await arrive(t);
  await ada.ask(ADA);
  await withoutDatabase(ada.page);
  await ada.page.reload();
  await ada.sees("No data allowed");
  assert.deepEqual(await ada.stack.outcomes("verify-otp"), []);
});

for (const name of ["BroadcastChannel", "indexedDB"]) {
  test(`a browser that refuses ${name} says so`, async (t) => {
    const ada = await arrive(t);
    await ada.page.addInitScript((name) => {
      const refuse = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
      Object.defineProperty(window, name, name === "indexedDB" ? { get: refuse } : { value: refuse });
    }, name);
    await ada.page.reload();
    await ada.sees("No data allowed");
  });
}

test("a browser without sessionStorage signs in", async (t) => {
  const ada = await arrive(t);
  await ada.page.addInitScript(() => {
    Object.defineProperty(window, "sessionStorage", { get() { throw new DOMException("denied", "SecurityError"); } });
  });
  await ada.page.reload();
  await ada.signIn(ADA);
});

test("a code of letters is shown in groups, and signs in", async (t) => {
  const ada = await arrive(t);
  // Six requests of strangers: the codes are long then.
  for (let stranger = 0; stranger < 6; stranger += 1) {
    const headers = { "content-type": "application/json" };
    await fetch(`${ada.stack.api}/api/auth/otp/request/`, { method: "POST", headers, body: JSON.stringify({ identifier: ADA }) });
  }
  await ada.ask(ADA);
  const [{ text }] = await ada.stack.messages();
  const [code] = text.match(/\b[A-Z2-7]{13}\b/);
  await ada.button("My code has letters").click();
  await ada.code.pressSequentially(code.toLowerCase());
  assert.equal(await ada.code.inputValue(), `${code.slice(0, 4)} ${code.slice(4, 8)} ${code.slice(8)}`);
  assert.ok(await ada.code.evaluate((field) => field.scrollWidth <= field.clientWidth));
  await ada.button("Sign in").click();
  await ada.isInside(ADA);
});

test("a code of digits stays as it is typed", async (t) => {
  const ada = await arrive(t);
  await ada.ask(ADA);
  const code = await ada.stack.code();
  await ada.code.pressSequentially(`${code.slice(0, 3)} ${code.slice(3)}`);
  assert.equal(await ada.code.inputValue(), `${code.slice(0, 3)} ${code.slice(3)}`);
  await ada.button("Sign in").click();
  await ada.isInside(ADA);
});

test("a well-known mailbox has a link", async (t) => {
  const ada = await arrive(t);
  await ada.ask("ada@gmail.com");
  const link = ada.page.getByRole("link", { name: "Open Gmail" });
  assert.deepEqual([await link.getAttribute("href"), await link.getAttribute("target")], ["https://mail.google.com/", "_blank"]);
  assert.match(await link.getAttribute("rel"), /noopener/);
  await ada.button("Change").click();
  await ada.ask(ADA);
  assert.equal(await link.count(), 0);
});
