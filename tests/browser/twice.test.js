// The same thing twice is one thing, and each wait has a bound. These tests need no browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Memory, app, codeOf, signIn } from "./app.js";
import { FOREIGN, Spoiler } from "./front.js";
import { start } from "./stack.js";
import { Latchkey, LatchkeyError, locksOfOnePage } from "../../web/client/latchkey.js";

const [VERIFY, REFRESH] = ["otp/verify", "token/refresh"];

let stack;
const ends = [];
before(async () => (stack = await start({ after: (end) => ends.push(end) })));
after(() => Promise.all(ends.map((end) => end())));

let people = 0;
const address = () => `twin${(people += 1)}@example.com`;
const sent = async (who) => (await stack.messages(who)).length;
const refreshes = (road) => road.asked.filter((line) => line.endsWith(REFRESH)).length;

/** A client behind a proxy that may spoil answers. */
async function behind(t, options) {
  const road = await new Spoiler().open(t, stack.api);
  return { road, auth: app(t, road.url, options) };
}

/** The first answer is lost after the server has sent it. */
function losesFirst(road, path) {
  let count = 0;
  road.spoil = ({ url }) => (url.endsWith(path) && (count += 1) === 1 ? FOREIGN["no answer"] : undefined);
}

test("two requests for one identifier send one message, also of two clients", async (t) => {
  const [auth, other] = [app(t, stack.api), app(t, stack.api)];
  const who = address();
  const [first, second] = await Promise.all([auth.request(who), auth.request(` ${who} `), other.request(who)]);
  assert.deepEqual(first, second);
  assert.equal(await sent(who), 1);
  assert.equal((await auth.verify(await stack.code(who))).email, who);
});

test("a second request a moment later sends nothing", async (t) => {
  const auth = app(t, stack.api);
  const who = address();
  await auth.request(who);
  await auth.request(who);
  assert.equal(await sent(who), 1);
  assert.equal((await auth.verify(await stack.code(who))).email, who);
});

test("requests for two identifiers are two", async (t) => {
  const auth = app(t, stack.api);
  const [one, two] = [address(), address()];
  await Promise.all([auth.request(one), auth.request(two)]);
  assert.deepEqual([await sent(one), await sent(two)], [1, 1]);
});

test("a code that is sent twice signs in once", async (t) => {
  const { road, auth } = await behind(t);
  const who = address();
  await auth.request(who);
  const code = await stack.code(who);
  const users = await Promise.all([auth.verify(code), auth.verify(code)]);
  assert.deepEqual(users.map(({ email }) => email), [who, who]);
  assert.equal(road.asked.filter((line) => line.endsWith(VERIFY)).length, 1);
  assert.equal((await auth.sessions()).length, 1);
});

test("a code whose answer was lost opens one session", async (t) => {
  const { road, auth } = await behind(t);
  const who = address();
  await auth.request(who);
  losesFirst(road, VERIFY);
  assert.equal((await auth.verify(await stack.code(who))).email, who);
  assert.equal((await auth.sessions()).length, 1);
});

test("a refresh whose answer was lost is repeated by another start of the app, days later", async (t) => {
  const storage = new Memory();
  const { road, auth } = await behind(t, { storage });
  await signIn(auth, stack, address());
  const { retry } = storage.read("session");
  assert.match(retry, /^[\w-]{22}$/);
  road.on(REFRESH, FOREIGN["no answer"]);
  assert.equal(await codeOf(auth.refresh()), "network");
  assert.equal(storage.read("session").retry, retry, "kept until the next token is stored");
  road.spoil = () => undefined;
  await stack.wait(2 * 86_400);
  const again = app(t, road.url, { storage });
  assert.equal(await again.restore(), true);
  assert.notEqual(storage.read("session").retry, retry);
  await again.refresh();
  assert.equal(await stack.reuse(), false);
});

test("a refresh is sent only after its retry key is stored", async (t) => {
  const storage = new Memory();
  const { road, auth } = await behind(t, { storage });
  await signIn(auth, stack, address());
  const [key] = [...storage.values.keys()].filter((key) => key.endsWith(" session"));
  const { refresh } = storage.read("session");
  storage.setItem(key, JSON.stringify({ refresh }));
  storage.setItem = () => { throw new Error("the disk is full"); };
  const asked = refreshes(road);
  assert.equal(await codeOf(auth.refresh()), "storage");
  assert.equal(refreshes(road), asked);
});

test("a next token that cannot be stored is requested again", async (t) => {
  const storage = new Memory();
  const { auth } = await behind(t, { storage });
  await signIn(auth, stack, address());
  const { setItem } = storage;
  storage.setItem = () => { throw new Error("the disk is full"); };
  assert.equal(await codeOf(auth.refresh()), "storage");
  assert.equal(auth.signedIn, true);
  storage.setItem = setItem;
  await auth.refresh();
  await auth.refresh();
  assert.equal(await stack.reuse(), false);
});

test("an effect that runs twice, as in React's StrictMode, does no harm", async (t) => {
  const { road, auth } = await behind(t);
  await signIn(auth, stack, address());
  const changes = [];
  auth.addEventListener("change", ({ detail }) => changes.push(detail.why));
  const effect = () => { const done = auth.restore(); return [done, () => auth.close()]; };
  auth.close();
  const [first, cleanUp] = effect();
  cleanUp();
  const [second] = effect();
  assert.deepEqual(await Promise.all([first, second]), [true, true]);
  assert.equal(refreshes(road), 1);
  assert.deepEqual(changes, ["refreshed"]);
});

test("what is under way when a client is closed ends with its true result, and other tabs hear of it", async (t) => {
  const channels = [];
  const channel = (name) => {
    const opened = new BroadcastChannel(name);
    channels.push(opened);
    return opened;
  };
  const shared = { storage: new Memory(), locks: locksOfOnePage(), channel };
  const auth = app(t, stack.api, shared);
  const other = app(t, stack.api, shared);
  assert.equal(await other.restore(), false);
  const heard = (why) => new Promise((resume) => other.addEventListener("change", ({ detail }) => detail.why === why && resume()));
  const quiet = () => assert.fail("a closed client is quiet");
  const who = address();

  const asked = auth.request(who);
  auth.close();
  assert.equal((await asked).identifier, who);

  const code = await stack.code(who);
  const signedIn = heard("signed-in");
  const verified = auth.verify(code);
  auth.close();
  auth.addEventListener("change", quiet);
  assert.equal((await verified).email, who);
  await signedIn;
  assert.equal(other.signedIn, true);

  const signedOut = heard("signed-out");
  const left = auth.signOut();
  auth.close();
  await left;
  await signedOut;
  assert.equal(other.signedIn, false);
});

test("a storage that never answers is an error after seconds", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const auth = app(t, stack.api, { storage: { getItem: () => new Promise(() => {}), setItem() {}, removeItem() {} } });
  const failed = codeOf(auth.restore());
  await new Promise((resume) => setImmediate(resume));
  t.mock.timers.tick(5_001);
  assert.equal(await failed, "storage");
});

test("a lock that is never free is an error after seconds", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const auth = app(t, stack.api, { locks: { request: () => new Promise(() => {}) } });
  const failed = codeOf(auth.restore());
  await new Promise((resume) => setImmediate(resume));
  t.mock.timers.tick(40_001);
  assert.equal(await failed, "busy");
});

test("a server that never answers is an error after seconds, and its message says so", async (t) => {
  const road = await new Spoiler().open(t, stack.api);
  const auth = app(t, road.url);
  await signIn(auth, stack, address());
  road.on(REFRESH, () => undefined);
  const error = await auth.refresh().catch((error) => error);
  assert.equal(error.code, "network");
  assert.equal(error.message, "The server did not answer within 3 seconds.");
  assert.equal(auth.signedIn, true);
});

test("a `fetch` that never ends and ignores its signal is an error after seconds", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(globalThis, "fetch", () => new Promise(() => {}));
  const storage = new Memory();
  const auth = app(t, stack.api, { storage });
  storage.setItem(`latchkey ${stack.api} session`, JSON.stringify({ refresh: "v1", retry: "A".repeat(22) }));
  const failed = codeOf(auth.restore());
  let isOver = false;
  failed.finally(() => (isOver = true));
  for (let seconds = 0; seconds < 40 && !isOver; seconds += 1) {
    await new Promise((resume) => setImmediate(resume));
    t.mock.timers.tick(1_000);
  }
  assert.ok(isOver);
  assert.equal(await failed, "network");
  assert.equal(auth.signedIn, undefined);
});

test("a body is given to `fetch` as it came, because some platforms lose the body of a Request", async (t) => {
  const auth = app(t, stack.api, { origins: ["https://api.example.com"] });
  await signIn(auth, stack, address());
  const given = t.mock.method(globalThis, "fetch", async () => new Response("{}"));
  await auth.fetch("https://api.example.com/orders", { method: "POST", body: "two", headers: { "x-order": "2" } });
  const [url, { method, body, headers }] = given.mock.calls.at(-1).arguments;
  assert.deepEqual([url, method, body, headers.get("x-order")], ["https://api.example.com/orders", "POST", "two", "2"]);
  assert.equal(headers.get("authorization"), `Bearer ${await auth.token()}`);
  // A Request and a stream can be read once, so each attempt gets a copy.
  const asked = new Request("https://api.example.com/orders", { method: "POST", body: "three", headers: { "x-order": "3" } });
  await auth.fetch(asked);
  const copy = new Request(...given.mock.calls.at(-1).arguments);
  assert.deepEqual([await copy.text(), copy.headers.get("x-order"), copy.headers.has("authorization")], ["three", "3", true]);
});

test("a backend that refuses every token causes no refresh while the token is new", async (t) => {
  const road = await new Spoiler().open(t, stack.api);
  const backend = await new Spoiler().open(t, stack.api);
  let asked = 0;
  backend.block = () => (response) => (asked += 1) && response.writeHead(401).end();
  const auth = app(t, road.url, { origins: [backend.url] });
  await signIn(auth, stack, address());
  for (let call = 0; call < 20; call += 1) assert.equal((await auth.fetch(`${backend.url}/me`)).status, 401);
  assert.deepEqual([asked, refreshes(road)], [20, 0]);
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 60_000 });
  assert.equal((await auth.fetch(`${backend.url}/me`)).status, 401);
  assert.deepEqual([asked, refreshes(road)], [22, 1], "an older token is renewed once");
});

/** Runs in a browser that keeps the values of a tab. */
function withTab(t) {
  const values = new Map();
  globalThis.sessionStorage = { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => values.set(key, value), removeItem: (key) => values.delete(key) };
  t.after(() => delete globalThis.sessionStorage);
  return values;
}

for (const isClosed of [false, true]) {
  test(`a code that is over is pending no longer, and leaves the storage${isClosed ? ", also of a closed tab" : ""}`, async (t) => {
    const tab = withTab(t);
    const storage = new Memory();
    const first = app(t, stack.api, { storage });
    const { expiresAt } = await first.request(address());
    if (isClosed) tab.clear();
    t.mock.timers.enable({ apis: ["Date"], now: expiresAt + 299_000 });
    const again = app(t, stack.api, { storage });
    await again.restore();
    assert.equal(again.pending.expiresAt, expiresAt, "it may still work");
    if (isClosed) tab.clear();
    t.mock.timers.setTime(expiresAt + 300_001);
    assert.deepEqual([first.pending, again.pending], [undefined, undefined]);
    const later = app(t, stack.api, { storage });
    await later.restore();
    assert.deepEqual([later.pending, storage.read("pending"), tab.size], [undefined, undefined, 0]);
  });
}

test("a new code can be sent after the last one is over", async (t) => {
  const auth = app(t, stack.api);
  const who = address();
  const { expiresAt } = await auth.request(who);
  t.mock.timers.enable({ apis: ["Date"], now: expiresAt + 300_001 });
  assert.equal((await auth.resend()).identifier, who);
});

test("a code forgotten before anything else stays forgotten", async (t) => {
  const storage = new Memory();
  await app(t, stack.api, { storage }).request(address());
  const auth = app(t, stack.api, { storage });
  auth.forget();
  await auth.restore();
  assert.equal(auth.pending, undefined);
});

test("a mail that failed leaves a challenge for the next request, and no pending code", async (t) => {
  withTab(t);
  const { road, auth } = await behind(t);
  const who = address();
  const { challenge_id } = await (await fetch(`${stack.api}/api/auth/otp/request`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ identifier: who }) })).json();
  const failure = JSON.stringify({ success: false, error: "email_send_failed", message: "no", challenge_id });
  road.block = () => (response) => response.writeHead(502, { "content-type": "application/json" }).end(failure);
  assert.equal(await codeOf(auth.request(who)), "email_send_failed");
  assert.equal(auth.pending, undefined);
  assert.equal(await codeOf(auth.verify("000000")), "invalid_otp");
  assert.equal(await codeOf(auth.resend()), "invalid_otp");
  road.block = () => undefined;
  const again = app(t, road.url);
  await again.restore();
  assert.equal(again.pending, undefined);
  await again.request(who);
  assert.equal(await sent(who), 1, "the same challenge, whose code is too new for another mail");
  // A code that was sent stays pending if its replacement could not be sent.
  road.block = () => (response) => response.writeHead(502, { "content-type": "application/json" }).end(failure);
  assert.equal(await codeOf(again.resend()), "email_send_failed");
  assert.equal(again.pending.identifier, who);
});

/** Cookie mode with answers of the test. A lost answer, a refusal, and the cookie of another person. */
function othersCookie(t) {
  const json = (status, body) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
  let codes = 0;
  const answers = {
    request: () => json(200, { success: true, channel: "email", expires_in: 360, retry_after: 30 }),
    verify: () => {
      if ((codes += 1) === 1) throw new TypeError("lost");
      return json(400, { success: false, error: "invalid_otp", message: "no" });
    },
    refresh: () => json(200, { access: "bobs.token", expires_in: 3_600 }),
    profile: () => json(200, { id: "bob" }),
  };
  t.mock.method(globalThis, "fetch", async (url) => answers[String(url).split("/").pop()]());
}

test("cookie: a wrong code whose first answer was lost signs in nobody else", async (t) => {
  othersCookie(t);
  const auth = app(t, stack.api, { delivery: "cookie" });
  await auth.request("ada@example.com");
  assert.equal(await codeOf(auth.verify("000000")), "invalid_otp");
  assert.notEqual(auth.signedIn, true);
});

test("an option that is no address is named", async (t) => {
  for (const [name, options] of [
    ["api", { api: undefined }],
    ["api", { api: "auth.example.com" }],
    ["api", { api: "/auth" }],
    ["api", { api: "ftp://auth.example.com" }],
    ["origins", { origins: ["api.example.com"] }],
    ["origins", { origins: ["localhost:3000"] }],
  ]) {
    const error = await app(t, stack.api, options).restore().catch((error) => error);
    assert.deepEqual([error instanceof LatchkeyError, error.code], [true, "invalid_option"]);
    assert.ok(error.message.includes(`\`${name}\``), error.message);
  }
});

test("a storage that holds other texts is an empty one", async (t) => {
  for (const text of ["", "null", "[]", "{", "7"]) {
    const auth = app(t, stack.api, { storage: { getItem: () => text, setItem() {}, removeItem() {} } });
    assert.equal(await auth.restore(), false);
  }
});

test("on a server nothing is touched, and calls say what is missing", async () => {
  const auth = new Latchkey({ api: "/auth" });
  assert.equal(auth.signedIn, undefined);
  assert.equal(auth.pending, undefined);
  auth.forget();
  auth.close();
  for (const act of [() => auth.restore(), () => auth.request("ada@example.com"), () => auth.token(), () => auth.fetch("/"), () => auth.signOut(), () => auth.profile()]) {
    await assert.rejects(act, (error) => {
      assert.ok(error instanceof LatchkeyError);
      assert.equal(error.code, "unsupported");
      assert.match(error.message, /indexedDB \(option `storage`\).* On a server, leave these calls to the browser\.$/);
      return true;
    });
  }
});
