// A client in a thread that has what React Native has: no page, and only a part of a browser. The thread fails with the first
// error, and ends by itself, because a client without a session keeps no timer.
import assert from "node:assert/strict";
import { workerData } from "node:worker_threads";
import { Memory } from "./memory.js";

const { api, inbox, address } = workerData;
const ABSENT = ["atob", "BroadcastChannel", "btoa", "CustomEvent", "Event", "EventTarget", "localStorage", "navigator", "sessionStorage"];

await fetch("data:,"); // Node's own fetch needs some of them to start
for (const name of ABSENT) delete globalThis[name];
for (const name of [...ABSENT, "document", "indexedDB", "location", "window"]) assert.equal(typeof globalThis[name], "undefined", name);
// The fetch of React Native adds a parameter to reads that avoid the cache, and says nothing about redirects.
const { fetch: send } = globalThis;
globalThis.fetch = async (input, init) => {
  const request = new Request(input, init);
  const isRead = request.method === "GET" && request.cache === "no-store";
  const answer = await send(isRead ? new Request(`${request.url}?_=1`, request) : request);
  return Object.defineProperty(answer, "redirected", { value: undefined });
};
const { Latchkey, LatchkeyError, locksOfOnePage } = await import("../../web/client/latchkey.js");

const storage = new Memory();
const changes = [];
const given = { api, delivery: "body", storage, locks: locksOfOnePage(), channel: null };

/** A client as after a start of the app. */
function opened() {
  const auth = new Latchkey(given);
  auth.addEventListener("change", ({ type, detail }) => changes.push([type, detail.why]));
  return auth;
}

async function signsInAndOut() {
  const before = opened();
  assert.equal(await before.restore(), false);
  await before.request(address);
  before.close();
  const [{ text }] = await (await fetch(`${inbox}/api/messages?to=${address}`)).json();
  const code = text.match(/\b\d{6}\b/)[0];

  // The system ended the app while the user read the mail.
  const auth = opened();
  assert.equal(await auth.restore(), false);
  assert.equal(auth.pending.identifier, address);
  const broken = () => { throw new Error("a listener's own fault"); };
  const reported = new Promise((resume) => process.once("unhandledRejection", resume));
  auth.addEventListener("change", broken);
  assert.equal((await auth.verify(code)).email, address);
  assert.equal((await reported).message, "a listener's own fault");
  auth.removeEventListener("change", broken);
  const first = await auth.token();
  assert.notEqual(await auth.refresh(), first);
  assert.match(storage.read("session").retry, /^[\w-]{21}[AQgw]$/);
  assert.equal((await auth.profile()).email, address);
  await assert.rejects(() => auth.fetch("https://elsewhere.example/"), /may not get a token/);
  auth.close();

  const later = opened();
  assert.equal(await later.restore(), true);
  await later.signOut();
  assert.equal(storage.read("session"), undefined);
  assert.deepEqual(changes.map(([type, why]) => `${type} ${why}`), [
    "change signed-out", "change signed-out", "change signed-in", "change refreshed", "change signed-out",
  ]);
}

async function namesWhatIsMissing() {
  const lacks = async (name, options = given) => {
    const auth = new Latchkey(options);
    await assert.rejects(() => auth.restore(), (error) => {
      assert.ok(error instanceof LatchkeyError && error.code === "unsupported", error.stack);
      assert.ok(error.message.startsWith(`Latchkey lacks ${name} here.`), error.message);
      return true;
    });
  };
  const { storage, locks, channel, ...others } = given;
  await lacks("indexedDB (option `storage`)", { ...others, locks, channel });
  await lacks("navigator.locks (option `locks`)", { ...others, storage, channel });
  await lacks("BroadcastChannel (option `channel`)", { ...others, storage, locks });
  await lacks("navigator.locks (option `locks`), indexedDB (option `storage`), BroadcastChannel (option `channel`)", others);
  const replaced = async (name, value, told = name) => {
    const own = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    await lacks(told);
    Object.defineProperty(globalThis, name, own);
  };
  await replaced("crypto", undefined, "crypto.getRandomValues");
  await replaced("crypto", {}, "crypto.getRandomValues");
  await replaced("URL", undefined, "URL.origin");
  await replaced("URL", class { get origin() { throw new Error("URL.origin is not implemented"); } }, "URL.origin");
  for (const name of ["fetch", "performance", "AbortController", "Request"]) await replaced(name, undefined);
}

await signsInAndOut();
await namesWhatIsMissing();
