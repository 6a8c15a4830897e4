// What the client needs from its surroundings: storage, locks and messages between tabs. Nothing is touched before a client
// uses it, so that a server can import and construct it. Each wait has a bound, in milliseconds.
import { parsed } from "./answers.js";
import { LatchkeyError } from "./errors.js";

const STORAGE_PATIENCE = 5_000;
const LOCK_PATIENCE = 40_000; // another tab may repeat a request that long

/** Where a client runs, from its options. Throws a LatchkeyError that names what is missing. */
export function surroundings({ api, delivery, origins, storage, locks, channel }) {
  const { location, navigator, isSecureContext, crypto, fetch, performance, AbortController, BroadcastChannel, Request } = globalThis;
  if (isSecureContext === false && !locks) throw new LatchkeyError("insecure", "Latchkey needs https, or a page at localhost.");
  const needed = {
    "navigator.locks (option `locks`)": locks ?? navigator?.locks,
    "indexedDB (option `storage`)": storage ?? allowed(() => globalThis.indexedDB),
    "BroadcastChannel (option `channel`)": channel === null || (channel ?? BroadcastChannel),
    "crypto.getRandomValues": crypto?.getRandomValues,
    "URL.origin": originOf("https://auth.example.com"),
    fetch, performance, AbortController, Request,
  };
  const missing = Object.keys(needed).filter((name) => !needed[name]);
  if (missing.length > 0) {
    const hint = globalThis.window || globalThis.WorkerGlobalScope ? "" : " On a server, leave these calls to the browser.";
    throw new LatchkeyError("unsupported", `Latchkey lacks ${missing.join(", ")} here.${hint}`);
  }
  const base = checked("api", api, baseOf);
  const allowedOrigins = origins.map((url) => checked("origins", url, (url) => new URL(url).href));
  const name = nameOf(base);
  return {
    api: base,
    name,
    isBody: delivery === "body",
    origins: new Set([base, location?.href, ...allowedOrigins].filter(Boolean).map((url) => new URL(url).origin)),
    shared: new Shared(storage ?? durable(name), name),
    alone: (act) => alone(locks ?? navigator.locks, name, act),
    channel: channel === null ? () => undefined : channel ?? ((name) => allowed(() => new BroadcastChannel(name))),
  };
}

/** The origin of an address, or undefined. Some versions of React Native know no origins. */
function originOf(url) {
  try {
    return new URL(url).origin;
  } catch {
    return undefined;
  }
}

/** What `read` makes of an option that is an http or https address. */
function checked(option, value, read) {
  try {
    const url = read(value);
    if (value && /^https?:/.test(url)) return url;
  } catch {
    // not an address
  }
  throw new LatchkeyError("invalid_option", `The option \`${option}\` is not an http or https address: ${value}.`);
}

const refused = (cause) => new LatchkeyError("storage", `This browser keeps no data for this site (${cause?.message ?? cause}).`, { cause });

/** The result of `act`, which a browser without site data may refuse. */
function allowed(act) {
  try {
    return act();
  } catch (cause) {
    throw refused(cause);
  }
}

/** The absolute address of the API, without its final slash. */
const baseOf = (api) => new URL(api, globalThis.location?.href).href.replace(/\/$/, "");
/** The name of locks, channels and stored values of an API, also where the client cannot work. */
export function nameOf(api) {
  try {
    return `latchkey ${baseOf(api)}`;
  } catch {
    return ""; // a relative address without a page
  }
}

/** Objects that all tabs share. */
class Shared {
  #storage;
  #name;

  constructor(storage, name) {
    this.#storage = storage;
    this.#name = name;
  }

  /** The object under `key`, or undefined. */
  async get(key) {
    return parsed(await kept(() => this.#storage.getItem(`${this.#name} ${key}`)));
  }

  /** Stores an object, or removes it if it is undefined. */
  async set(key, value) {
    const name = `${this.#name} ${key}`;
    await kept(() => (value ? this.#storage.setItem(name, JSON.stringify(value)) : this.#storage.removeItem(name)));
  }
}

/** Waits for work of the storage. */
async function kept(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${STORAGE_PATIENCE / 1_000} seconds`)), STORAGE_PATIENCE);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (cause) {
    throw refused(cause);
  } finally {
    clearTimeout(timer);
  }
}

/** IndexedDB as a storage. Unlike localStorage, a value is on disk when its write ends, and other processes see it then. */
function durable(name) {
  const run = async (mode, act) => {
    const opening = indexedDB.open(`${name} values`, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("values");
    const db = await settled(opening, "success");
    try {
      const work = db.transaction("values", mode, { durability: "strict" });
      const asked = act(work.objectStore("values"));
      await settled(work, "complete");
      return asked.result;
    } finally {
      db.close();
    }
  };
  return {
    getItem: (key) => run("readonly", (values) => values.get(key)),
    setItem: (key, value) => run("readwrite", (values) => values.put(value, key)),
    removeItem: (key) => run("readwrite", (values) => values.delete(key)),
  };
}

/** Waits for an IndexedDB request or transaction. */
function settled(work, event) {
  return new Promise((resolve, reject) => {
    work[`on${event}`] = () => resolve(work.result);
    work.onerror = work.onabort = () => reject(work.error);
  });
}

/** Runs `act` in one tab at a time. */
function alone(locks, name, act) {
  let isGranted = false;
  const waiting = new AbortController();
  const granted = () => {
    if (waiting.signal.aborted) return undefined;
    isGranted = true;
    return act();
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      if (isGranted) return;
      waiting.abort();
      reject(new LatchkeyError("busy", `Another tab has been busy for ${LOCK_PATIENCE / 1_000} seconds.`));
    }, LOCK_PATIENCE);
    const failed = (cause) => {
      if (isGranted) throw cause;
      throw new LatchkeyError("storage", `This browser gives this site no locks: ${cause?.message ?? cause}.`, { cause });
    };
    const asked = Promise.resolve().then(() => locks.request(name, { signal: waiting.signal }, granted));
    asked.catch(failed).finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

/** Locks for an app that is one page, without tabs. */
export function locksOfOnePage() {
  let last = Promise.resolve();
  return {
    request(_name, _options, act) {
      const run = last.then(act);
      last = run.catch(() => undefined);
      return run;
    },
  };
}

/** One value of this tab, kept across reloads. It is in memory where the browser has no sessionStorage or refuses it. */
export class TabValue {
  #memory;

  read(name) {
    if (this.#memory) return this.#memory;
    try {
      return parsed(sessionStorage.getItem(name));
    } catch {
      return undefined;
    }
  }

  write(name, value) {
    this.#memory = undefined;
    try {
      if (value) sessionStorage.setItem(name, JSON.stringify(value));
      else sessionStorage.removeItem(name);
    } catch {
      this.#memory = value;
    }
  }
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** A new retry key: 128 random bits in base64url. The last digit has only two of them. Some platforms lack btoa. */
export function retryKey() {
  const random = crypto.getRandomValues(new Uint8Array(22));
  return Array.from(random, (byte, index) => DIGITS[index < 21 ? byte % 64 : (byte % 4) * 16]).join("");
}

const hasEvents = globalThis.EventTarget && globalThis.Event;

/** Events. Where the platform has none, such as React Native, listeners are functions and take no options. */
export const Target = hasEvents ? globalThis.EventTarget : class {
  #listeners = new Set();

  addEventListener(type, listener) { if (type === "change") this.#listeners.add(listener); }
  removeEventListener(_type, listener) { this.#listeners.delete(listener); }
  dispatchEvent(event) {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        Promise.reject(error); // the platform reports it, as it does with its own events
      }
    }
    return true;
  }
};

/** The event that reports a change. */
export const changed = (detail) => (hasEvents ? Object.assign(new Event("change"), { detail }) : { type: "change", detail });
