/**
 * Latchkey for browsers: sign in with a code and stay signed in, in all tabs. No dependencies; `latchkey.d.ts` has the types.
 *
 * - One tab at a time uses the refresh token (Web Locks) and sends the result to the others (BroadcastChannel). Otherwise a
 *   tab could send a token already used by another tab, and the server would end the session.
 * - Each refresh token has a retry key, which all tabs share. If an answer is lost, the module sends the same token and key again,
 *   at once or days later, and gets the same answer. The request uses `keepalive`, so it completes even if the page is closed.
 * - Only the server ends a session, with `invalid_token`. Network failures, server errors and rate limits sign nobody out.
 * - The server sets the lifetime of a token. Its age is the greater of two measures: by the device's clock, which a user may
 *   change, and by the page's own timer, which stops while a laptop sleeps.
 * - In cookie mode no script can read the refresh token. In body mode it is in IndexedDB, readable by every script of the
 *   page's origin, so use this mode only if cookies are impossible. The access token is in memory in both modes.
 */

// All in milliseconds.
const SPARE = 60_000; // a token is not used in its last minute; its refresh starts up to a minute before that
const PATIENCE = 3_000, CODE_PATIENCE = 8_000; // longer requests count as lost; a code's retry fits into a grace period of 10 s
const LONG_PATIENCE = 30_000; // for requests with a waiting user, while the server sends a mail
const PAUSES = [250, 1_000, 2_500, Infinity]; // between retries
const LONGEST_PAUSE = 5_000; // with a longer `retry_after`, the request fails instead
const LATER = 15_000; // from a failed refresh in the background to the next one

/** An error. `code` is the server's, or `network` (no answer), `unexpected` (not an answer of Latchkey) or `signed_out`. */
export class LatchkeyError extends Error {
  constructor(code, message, { cause, status = 0, ...details } = {}) {
    super(message, { cause });
    Object.assign(this, { name: "LatchkeyError", code, status, ...details });
  }
}

/** A user's session in this browser. The event `change` reports sign-in and sign-out, here or in another tab. */
export class Latchkey extends EventTarget {
  #held; // undefined until known, null if nobody is signed in, or the access token and its time
  #api; #name; #isBody; #origins; #channel; #timer;
  #closed = new AbortController();

  constructor({ api, delivery = "cookie", origins = [] }) {
    super();
    if (!navigator.locks) throw new LatchkeyError("unexpected", "Latchkey needs https, or a page at localhost.");
    this.#api = new URL(api, location.href).href.replace(/\/$/, "");
    this.#isBody = delivery === "body";
    this.#origins = new Set([this.#api, location.href, ...origins].map((url) => new URL(url).origin));
    this.#name = `latchkey ${this.#api}`;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#take(data.held && { ...data.held, mono: performance.now() }, data.why);
    const { signal } = this.#closed;
    document.addEventListener("visibilitychange", () => this.#wake(), { signal });
    addEventListener("online", () => this.#wake(), { signal });
    // A page from the back/forward cache has missed messages from other tabs. If this fails, the next call tries again.
    const relearn = () => { this.#held = undefined; return this.restore().catch(() => undefined); };
    addEventListener("pageshow", ({ persisted }) => persisted && relearn(), { signal });
  }

  /** Whether a user is signed in; undefined until known. */
  get signedIn() { return this.#held === undefined ? undefined : this.#held !== null; }

  /** The pending code of this tab, kept across reloads: `{ identifier, channel, expiresAt, resendAt }`. */
  get pending() { return JSON.parse(sessionStorage.getItem(this.#name)) ?? undefined; }

  /** Finds out whether a user is signed in. If it fails, the answer is unknown, and the user may still be signed in. */
  async restore() {
    if (this.#held === undefined) await this.#replace(undefined);
    return this.signedIn;
  }

  /** Requests a code. If one is pending for the same identifier, requests a new code for its challenge. */
  async request(identifier, { source } = {}) {
    const known = this.pending?.identifier === identifier ? this.pending.challenge : undefined;
    const body = { identifier, challenge_id: known, source_url: source, device: this.#device(identifier) };
    try {
      return this.#expect(identifier, await this.#post("/api/auth/otp/request/", body));
    } catch (error) {
      // The challenge exists even if its message could not be sent, and a retry is free.
      if (error.cause?.challenge_id) this.#expect(identifier, error.cause);
      throw error;
    }
  }

  /** Requests a new code for the pending challenge. The old code then stops working. */
  async resend() { return this.request(this.#waited().identifier); }

  /** Forgets the pending code, for example to use another address. */
  forget() { sessionStorage.removeItem(this.#name); }

  /** Signs in with the code as typed or pasted. Returns the user. */
  async verify(code) {
    const { identifier, challenge, retry } = this.#waited();
    // Under the lock, so that the cookie of a pending refresh cannot overwrite the new session's cookie.
    return this.#alone(async () => {
      const asked = now();
      const body = { identifier, otp_code: code, challenge_id: challenge, retry, device: this.#device(identifier) };
      const send = () => this.#post("/api/auth/otp/verify/", body, lasting(CODE_PATIENCE));
      const answer = await send().catch((error) => { if (error.code === "network") return send(); throw error; });
      this.forget();
      if (answer.device) localStorage.setItem(`${this.#name}-device`, JSON.stringify({ identifier, device: answer.device }));
      await this.#accept({ ...answer.tokens, expires_in: answer.expires_in }, asked, "signed-in");
      return answer.user;
    });
  }

  /** An access token, valid for at least one more minute. */
  async token() { return (await this.#good()).access; }

  /** Gets new tokens now. Rarely needed, because `token` and `fetch` refresh by themselves. */
  async refresh() {
    await this.#alone(() => this.#renew());
    return this.token();
  }

  /** Fetches with the access token, but only from the API, the page's origin and `origins`: a receiver could use the token. */
  async fetch(input, init) {
    const request = new Request(input, init);
    if (!this.#origins.has(new URL(request.url).origin)) throw new TypeError(`${request.url} may not get a token. Add its origin to origins.`);
    const send = ({ access }) => {
      const attempt = request.clone();
      attempt.headers.set("authorization", `Bearer ${access}`);
      return fetch(attempt);
    };
    const held = await this.#good();
    const answer = await send(held);
    if (answer.status !== 401) return answer;
    // Its key was revoked or its session has ended. Retry once with a new token, if the server gives one.
    await this.#replace(held);
    return send(await this.#good());
  }

  /** The signed-in user. */
  async profile() { return this.#ask("GET", "/api/profile/"); }

  /** The user's sessions. */
  async sessions() { return (await this.#ask("GET", "/api/auth/sessions/")).sessions; }

  /** Ends one session of the user, by its id from `sessions`. */
  async endSession(id) { await this.#ask("DELETE", `/api/auth/sessions/${encodeURIComponent(id)}/`); }

  /** Ends all sessions of the user except this one. */
  async endOthers() { await this.#ask("DELETE", "/api/auth/sessions/"); }

  /** Signs out in all tabs, or on all devices (`everywhere`). If the server is unreachable it fails, and the session stays. */
  async signOut({ everywhere = false } = {}) {
    await this.#alone(async () => {
      const { refresh } = await this.#stored();
      if (!this.#isBody || refresh) await this.#insist("/api/auth/logout/", { refresh, all: everywhere });
      await this.#leave("signed-out");
    });
  }

  /** Releases the timer, the listeners and the channel. */
  close() {
    this.#closed.abort();
    this.#channel.close();
    clearTimeout(this.#timer);
  }

  #waited() {
    if (!this.pending) throw new LatchkeyError("invalid_otp", "No code was requested in this tab.");
    return this.pending;
  }

  /** Body mode's proof that the user has signed in here before. It gives this client messages of its own, and signs nobody in. */
  #device(identifier) {
    const kept = JSON.parse(localStorage.getItem(`${this.#name}-device`));
    return kept?.identifier === identifier ? kept.device : undefined;
  }

  #expect(identifier, { channel, challenge_id: challenge, expires_in = 0, retry_after = 0 }) {
    const [expiresAt, resendAt] = [expires_in, retry_after].map((seconds) => Date.now() + seconds * 1_000);
    sessionStorage.setItem(this.#name, JSON.stringify({ identifier, channel, challenge, retry: drawn(), expiresAt, resendAt }));
    return this.pending;
  }

  async #good() {
    const held = this.#held;
    if (held === undefined || (held && left(held) < SPARE)) await this.#replace(held);
    if (!this.#held) throw new LatchkeyError("signed_out", "The user is not signed in. Request a code first.");
    return this.#held;
  }

  /** Runs `act` in one tab at a time. */
  #alone(act) { return navigator.locks.request(this.#name, act); }

  /** Gets new tokens, unless another tab has replaced `held` already. */
  #replace(held) { return this.#alone(() => this.#held === held && this.#renew()); }

  /** Runs under the lock. It reads the token here, so it gets the newest one of all tabs, and each retry sends the same one. */
  async #renew() {
    let { refresh, retry } = await this.#stored();
    if (this.#isBody && !refresh) return this.#leave("signed-out");
    if (!retry) await this.#stored({ retry: (retry = drawn()) }); // before the first attempt
    const asked = now(); // an answer may be late, but a token is never older than its request
    try {
      await this.#accept(await this.#insist("/api/auth/token/refresh/", { refresh, retry }), asked, "refreshed");
    } catch (error) {
      if (error.code !== "invalid_token") throw error;
      // In cookie mode, there may never have been a session.
      await this.#leave(refresh || this.#held ? "ended" : "signed-out");
    }
  }

  async #accept({ access, refresh, expires_in }, { date, mono }, why) {
    await this.#stored({ refresh, retry: undefined }); // first, because it is the only value that cannot be requested again
    const held = { access, life: expires_in * 1_000, date };
    this.#channel.postMessage({ held, why });
    this.#take({ ...held, mono }, why);
  }

  async #leave(why) {
    await this.#stored({ refresh: undefined, retry: undefined });
    if (this.#held !== null) this.#channel.postMessage({ held: null, why });
    this.#take(null, why);
  }

  /** Takes over the state from this tab or another one. */
  #take(held, why) {
    const was = this.signedIn;
    this.#held = held && { ...held, lead: SPARE * (1 + Math.random()) };
    this.#wake();
    if (was === this.signedIn && why !== "signed-in") return;
    this.dispatchEvent(new CustomEvent("change", { detail: { signedIn: this.signedIn, why } }));
  }

  /** Refreshes in time. A hidden page waits until it is visible, because it must not keep a session alive. */
  async #wake() {
    clearTimeout(this.#timer);
    const held = this.#held;
    if (!held || document.hidden || this.#closed.signal.aborted) return;
    let wait = left(held) - held.lead;
    if (wait <= 0) {
      // Callers of `token` get the error themselves; the background refresh only retries later.
      const later = ({ retryAfter = 0 }) => Math.max(LATER * varied(), retryAfter * 1_000);
      wait = await this.#replace(held).then(() => 0, later);
    }
    if (wait <= 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), wait);
  }

  /** Posts the same request until there is an answer. */
  async #insist(path, body) {
    for (const pause of PAUSES) {
      try {
        return await this.#post(path, body, lasting(PATIENCE));
      } catch (error) {
        const isPassing = error.code === "network" || error.status === 429 || error.status >= 500;
        const wait = Math.max(pause * varied(), (error.retryAfter ?? 0) * 1_000);
        if (!isPassing || wait > LONGEST_PAUSE) throw error;
        await new Promise((resume) => setTimeout(resume, wait));
      }
    }
  }

  async #post(path, fields, init = { signal: AbortSignal.timeout(LONG_PATIENCE) }) {
    const headers = { "content-type": "application/json" };
    const [token_delivery, credentials] = this.#isBody ? ["body", "omit"] : ["cookie", "include"];
    const body = JSON.stringify({ ...fields, token_delivery });
    return understood(fetch(this.#api + path, { method: "POST", headers, credentials, cache: "no-store", body, ...init }));
  }

  async #ask(method, path) { return understood(this.fetch(this.#api + path, { method, cache: "no-store" })); }

  /** Reads what all tabs share: the retry key, and in body mode the refresh token. First stores `changes`, or removes empty ones. */
  async #stored(changes) {
    const opening = indexedDB.open(this.#name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("tokens");
    const db = await settled(opening, "success");
    const work = db.transaction("tokens", changes ? "readwrite" : "readonly", { durability: "strict" });
    const tokens = work.objectStore("tokens");
    for (const [name, value] of Object.entries(changes ?? {})) value ? tokens.put(value, name) : tokens.delete(name);
    const [refresh, retry] = [tokens.get("refresh"), tokens.get("retry")];
    await settled(work, "complete").finally(() => db.close());
    return { refresh: refresh.result, retry: retry.result };
  }
}

const now = () => ({ date: Date.now(), mono: performance.now() });
const left = ({ life, date, mono }) => life - Math.max(Date.now() - date, performance.now() - mono);
const lasting = (time) => ({ keepalive: true, signal: AbortSignal.timeout(time) });
const drawn = () => // a retry key: 128 random bits in base64url
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replace(/[+/=]/g, (c) => ({ "+": "-", "/": "_" })[c] ?? "");
const varied = () => 0.5 + Math.random(); // so that clients spread their requests over time

/** Returns the answer's JSON, or throws its error. */
async function understood(sent) {
  const lost = (cause) => {
    throw cause instanceof LatchkeyError ? cause : new LatchkeyError("network", "The server did not answer.", { cause });
  };
  const response = await sent.catch(lost);
  const text = await response.text().catch(lost);
  const answer = text.startsWith("{") ? JSON.parse(text) : {};
  if (response.ok) return answer;
  const { error = "unexpected", message = `The server answered ${response.status}.`, retry_after: retryAfter } = answer;
  const details = { status: response.status, retryAfter, requestId: response.headers.get("x-request-id") ?? undefined };
  throw new LatchkeyError(error, message, { cause: answer, ...details });
}

/** Waits for an IndexedDB request or transaction. */
function settled(work, event) {
  return new Promise((resolve, reject) => {
    work[`on${event}`] = () => resolve(work.result);
    work.onerror = work.onabort = () => reject(work.error);
  });
}
