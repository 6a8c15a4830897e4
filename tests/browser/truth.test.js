// The client believes only Latchkey's answers. These tests need no browser.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Memory, app, codeOf, signIn } from "./app.js";
import { ELSEWHERE, FOREIGN, Spoiler, withFields } from "./front.js";
import { ADA, start } from "./stack.js";

const [REQUEST, VERIFY, REFRESH, LOGOUT] = ["otp/request", "otp/verify", "token/refresh", "logout"];

// One stack for all tests of this file, with an address for each.
let stack;
const ends = [];
before(async () => (stack = await start({ after: (end) => ends.push(end) })));
after(() => Promise.all(ends.map((end) => end())));

let people = 0;
const address = () => `user${(people += 1)}@example.com`;

/** A client behind a proxy that may spoil answers. */
async function behind(t, options) {
  const road = await new Spoiler().open(t, stack.api);
  return { road, auth: app(t, road.url, options) };
}

// At the same time, because repeats wait.
describe("an answer that is not Latchkey's", { concurrency: true }, () => {
  for (const [what, spoiled] of Object.entries(FOREIGN)) {
    const told = what === "no answer" ? "network" : "unexpected";

    test(`${what} neither signs in nor out, nor asks for a code`, async (t) => {
      const storage = new Memory();
      const { road, auth } = await behind(t, { storage });
      const who = address();

      road.on(REQUEST, spoiled);
      assert.equal(await codeOf(auth.request(who)), told);
      assert.equal(auth.pending, undefined);

      road.spoil = () => undefined;
      await signIn(auth, stack, who);
      const refresh = storage.read("session").refresh;
      road.on(REFRESH, spoiled);
      const asked = road.asked.length;
      assert.equal(await codeOf(auth.refresh()), told);
      assert.equal(road.asked.length - asked, 4, "bounded repeats, and no redirect is followed");
      assert.equal(auth.signedIn, true);
      assert.equal(storage.read("session").refresh, refresh);

      // A second client with the same storage, as after a reload.
      const again = app(t, road.url, { storage });
      assert.equal(await codeOf(again.restore()), told);
      assert.equal(again.signedIn, undefined);
      again.close();

      // Each of these may be repeated.
      for (const [path, act] of [["sessions", () => auth.sessions()], ["sessions", () => auth.endOthers()], ["activity", () => auth.activity()], ["sources", () => auth.sources()]]) {
        road.on(path, spoiled);
        assert.equal(await codeOf(act()), told);
      }

      road.on(LOGOUT, spoiled);
      assert.equal(await codeOf(auth.signOut()), told);
      assert.equal(auth.signedIn, true);
      assert.deepEqual(ELSEWHERE.asked, [], "no secret leaves for another server");
      road.spoil = () => undefined;
      await auth.signOut();
      assert.equal(auth.signedIn, false);
      assert.equal(storage.read("session"), undefined);
    });
  }
});

// `undefined` leaves a field out.
for (const [path, field, odd] of [
  [REQUEST, "success", [undefined, false, "true"]],
  [REQUEST, "channel", [undefined, ""]],
  [REQUEST, "challenge_id", [undefined, "", 7]],
  [REQUEST, "expires_in", [undefined, null, "360"]],
  [REQUEST, "retry_after", [undefined, "30"]],
]) {
  test(`an answer with an odd ${field} does not count`, async (t) => {
    const { road, auth } = await behind(t);
    for (const value of odd) {
      road.on(path, withFields({ [field]: value }));
      assert.equal(await codeOf(auth.request(address())), "unexpected", `${value}`);
      assert.equal(auth.pending, undefined);
    }
  });
}

describe("a field that is odd", { concurrency: true }, () => {
  for (const [path, field, odd] of [
    [VERIFY, "success", undefined],
    [VERIFY, "user", { id: 7 }],
    [VERIFY, "tokens", { access: "a b", refresh: "v1" }],
    [VERIFY, "tokens", { access: "abc" }],
    [VERIFY, "expires_in", "3600"],
    [REFRESH, "access", undefined],
    [REFRESH, "access", "<b>"],
    [REFRESH, "refresh", undefined],
    [REFRESH, "expires_in", undefined],
    [REFRESH, "expires_in", 0],
  ]) {
    test(`${field} of ${path} as ${JSON.stringify(odd)} does not count`, async (t) => {
      const storage = new Memory();
      const { road, auth } = await behind(t, { storage });
      const who = address();
      await auth.request(who);
      if (path === REFRESH) await auth.verify(await stack.code(who));
      road.on(path, withFields({ [field]: odd }));
      const act = async () => (path === REFRESH ? auth.refresh() : auth.verify(await stack.code(who)));
      assert.equal(await codeOf(act()), "unexpected");
      assert.equal(storage.read("session") !== undefined, path === REFRESH);
      road.spoil = () => undefined;
      if (path === REFRESH) await act(); // a code's answer is given again for some seconds only
    });
  }
});

describe("a list that is odd", { concurrency: true }, () => {
  for (const [path, field, odd] of [
    ["sessions", "sessions", undefined],
    ["sessions", "sessions", [{ id: 7 }]],
    ["sources", "sources", {}],
    ["sources", "sources", [null]],
    ["activity", "activity", undefined],
    ["activity", "activity", [{ id: 7 }]],
    ["activity", "next", undefined],
    ["activity", "next", 7],
  ]) {
    test(`with ${field} as ${JSON.stringify(odd)} does not count`, async (t) => {
      const { road, auth } = await behind(t);
      await signIn(auth, stack, address());
      road.on(path, withFields({ [field]: odd }));
      assert.equal(await codeOf(auth[path]()), "unexpected");
      road.spoil = () => undefined;
      await auth[path]();
    });
  }
});

test("a code is not sent to another server", async (t) => {
  const { road, auth } = await behind(t);
  const who = address();
  await auth.request(who);
  road.on(VERIFY, FOREIGN["a 307 to another server"]);
  assert.equal(await codeOf(auth.verify(await stack.code(who))), "unexpected");
  assert.deepEqual(ELSEWHERE.asked, []);
});

test("a code is sent again until the server answers", async (t) => {
  const { road, auth } = await behind(t);
  const who = address();
  await auth.request(who);
  const code = await stack.code(who);
  const portal = await new Spoiler().open(t, `${stack.page}`); // answers 404 and pages
  const elsewhere = app(t, portal.url);
  assert.equal(await codeOf(elsewhere.request(who)), "unexpected");
  assert.equal(await codeOf(elsewhere.verify(code)), "invalid_otp", "no code is pending there");
  assert.equal((await auth.verify(code)).email, who);
});

for (const [what, numbers] of [["huge", { expires_in: 1e300, retry_after: 1e300 }], ["negative", { expires_in: -5, retry_after: -1e300 }]]) {
  test(`${what} numbers neither break a client nor make it busy`, async (t) => {
    const { road, auth } = await behind(t);
    const who = address();
    road.spoil = () => withFields(numbers);
    const pending = await auth.request(who);
    assert.ok(pending.resendAt <= Date.now() + 86_400_000 && pending.resendAt > Date.now() - 1_000);
    assert.ok(pending.expiresAt <= Date.now() + 86_400_000);
    road.spoil = () => undefined;
    await auth.verify(await stack.code(who));
    road.on(REFRESH, withFields(numbers));
    const timers = t.mock.method(globalThis, "setTimeout");
    assert.equal(await codeOf(auth.refresh().then(() => "fine")), what === "huge" ? "fine" : "unexpected");
    assert.equal(auth.signedIn, true);
    const waits = timers.mock.calls.map(({ arguments: [, wait] }) => wait);
    assert.ok(waits.every((wait) => wait <= 86_400_000), `${waits}`);
    assert.ok(road.asked.filter((line) => line.endsWith(REFRESH)).length <= 4);
  });
}

test("lifetimes under a second cause at most one refresh a second", async (t) => {
  const { road, auth } = await behind(t);
  await signIn(auth, stack, address());
  const times = [];
  const fifth = new Promise((resume) => {
    road.spoil = ({ url }) => {
      if (!url.endsWith(REFRESH)) return undefined;
      if (times.push(performance.now()) === 5) resume();
      return withFields({ expires_in: 0.001 });
    };
  });
  await auth.refresh(); // and once more, because its token does not last
  await fifth;
  assert.ok(times[4] - times[2] > 1_900, `${times}`);
});

test("an error's wait is a number of seconds up to a day", async (t) => {
  const { road, auth } = await behind(t);
  const limited = { success: false, error: "rate_limited", message: "wait" };
  const refuse = (retry_after) => (response) =>
    response.writeHead(429, { "content-type": "application/json" }).end(JSON.stringify({ ...limited, retry_after }));
  for (const [said, kept] of [[7, 7], [1e9, 86_400], [-3, 0], ["soon", undefined], [null, undefined]]) {
    road.on(REQUEST, refuse(said));
    const error = await auth.request(address()).catch((error) => error);
    assert.deepEqual([error.code, error.status, error.retryAfter], ["rate_limited", 429, kept]);
  }
});

test("only the server's own invalid_token ends a session", async (t) => {
  const { road, auth } = await behind(t);
  await signIn(auth, stack, address());
  const changes = [];
  auth.addEventListener("change", ({ detail }) => changes.push(detail));
  const refuse = (status) => (response) =>
    response.writeHead(status, { "content-type": "application/json" }).end('{"success":false,"error":"invalid_token","message":"over"}');
  road.on(REFRESH, refuse(403));
  assert.equal(await codeOf(auth.refresh()), "invalid_token");
  assert.equal(auth.signedIn, true);
  road.on(REFRESH, refuse(401));
  assert.equal(await codeOf(auth.refresh()), "signed_out");
  assert.deepEqual(changes, [{ signedIn: false, why: "ended" }]);
});

test("a sign-out without a session needs no server", async (t) => {
  const { road, auth } = await behind(t);
  road.spoil = () => FOREIGN["no answer"];
  await auth.signOut();
  assert.equal(auth.signedIn, false);
  assert.deepEqual(road.asked, []);
});
