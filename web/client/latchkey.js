/**
 * Latchkey in a browser: sign in with a code and stay signed in, in all tabs alike. It depends on nothing; `latchkey.d.ts` has the types.
 *
 *   const auth = new Latchkey({ api: "https://auth.example.com" });
 *   if (!(await auth.restore())) {
 *     await auth.request("ada@example.com");
 *     await auth.verify(prompt("The code?"));
 *   }
 *   const answer = await auth.fetch("https://auth.example.com/api/profile/");
 *
 * - One tab at a time speaks for the session (Web Locks), and tells the others what it got (BroadcastChannel). So no tab shows
 *   a refresh token that another has used already, which would end the session.
 * - A refresh whose answer is lost is repeated at once, with the same token: for some seconds the server gives the same
 *   answer again. It is sent so that it outlives its page.
 * - Only the server ends a session, by `invalid_token`. No dead network, no fault and no limit signs anybody out, but for this:
 *   a refresh whose answer is lost, and that cannot be repeated within the server's `REFRESH_GRACE_SECONDS`. A used token that
 *   comes later is what a thief's looks like.
 * - The server says how long a token lives. What has passed since is the greater of two measures: of the device's clock, which
 *   may be set, and of the page's own, which stands still while a laptop sleeps.
 * - In cookie mode no script can read the refresh token. In body mode it lies in IndexedDB, where every script of the page's
 *   origin can: take it only where cookies cannot be served. The access token is in memory in both.
 */

// All in milliseconds.
const SPARE = 60_000; // a token is not used in its last minute; the next one is got up to a minute before that
const PATIENCE = 3_000; // what takes longer counts as lost: two repetitions fit into the server's usual grace of 10 s
const LONG_PATIENCE = 30_000; // where a person waits anyway, and the server sends a mail meanwhile
const PAUSES = [250, 1_000, 2_500, Infinity]; // between repetitions
const LONGEST_PAUSE = 5_000; // even if the server asks for more
const LATER = 15_000; // from a refresh that failed in the background to the next one

/** What went wrong. `code` is the server's, or `network` (no answer), `unexpected` (no answer of Latchkey's) or `signed_out`. */
export class LatchkeyError extends Error {
  constructor(code, message, { cause, status = 0, ...details } = {}) {
    super(message, { cause });
    Object.assign(this, { name: "LatchkeyError", code, status, ...details });
  }
}

/** A person's session in this browser. Tells of sign-in and sign-out, here or in another tab, by the event `change`. */
export class Latchkey extends EventTarget {
  #held; // what is known: nothing yet (undefined), that nobody is signed in (null), or the access token and its time
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
    // A page out of the browser's own cache has missed what the others said. Where that fails, the next call asks again.
    const relearn = () => { this.#held = undefined; return this.restore().catch(() => undefined); };
    addEventListener("pageshow", ({ persisted }) => persisted && relearn(), { signal });
  }

  /** Whether somebody is signed in; undefined until that is known. */
  get signedIn() { return this.#held === undefined ? undefined : this.#held !== null; }

  /** The code that this tab waits for, also after a reload: `{ identifier, channel, expiresAt, resendAt }`. */
  get pending() { return JSON.parse(sessionStorage.getItem(this.#name)) ?? undefined; }

  /** Finds out whether somebody is signed in. It fails where that cannot be known now, which does not mean no. */
  async restore() {
    if (this.#held === undefined) await this.#replace(undefined);
    return this.signedIn;
  }

  /** Asks for a code; for the identifier that is waited for already, sends that code again. */
  async request(identifier, { source } = {}) {
    const known = this.pending?.identifier === identifier ? this.pending.challenge : undefined;
    const body = { identifier, challenge_id: known, source_url: source };
    try {
      return this.#expect(identifier, await this.#post("/api/auth/otp/request/", body));
    } catch (error) {
      // A message that could not be sent has its challenge all the same, and asking for it again is free.
      if (error.cause?.challenge_id) this.#expect(identifier, error.cause);
      throw error;
    }
  }

  /** Sends the code that is waited for again: a new one, after which the old one does not work. */
  async resend() { return this.request(this.#waited().identifier); }

  /** Forgets the code that is waited for, as another address is to be asked for. */
  forget() { sessionStorage.removeItem(this.#name); }

  /** Signs in with the code as it was typed or pasted. Answers with the user. */
  async verify(code) {
    const { identifier, challenge } = this.#waited();
    // Alone, so that the cookie of a refresh under way does not overwrite the new session's.
    return this.#alone(async () => {
      const asked = now();
      const answer = await this.#post("/api/auth/otp/verify/", { identifier, otp_code: code, challenge_id: challenge });
      this.forget();
      await this.#accept({ ...answer.tokens, expires_in: answer.expires_in }, asked, "signed-in");
      return answer.user;
    });
  }

  /** An access token that is good for a minute at least. */
  async token() { return (await this.#good()).access; }

  /** Gets new tokens now. It is rarely needed: `token` and `fetch` see to it. */
  async refresh() {
    await this.#alone(() => this.#renew());
    return this.token();
  }

  /** Fetches with the access token, from the API, the page's origin and `origins` only: who gets a token can use it. */
  async fetch(input, init) {
    const request = new Request(input, init);
    if (!this.#origins.has(new URL(request.url).origin)) throw new TypeError(`${request.url} is not to get a token.`);
    const send = ({ access }) => {
      const attempt = request.clone();
      attempt.headers.set("authorization", `Bearer ${access}`);
      return fetch(attempt);
    };
    const held = await this.#good();
    const answer = await send(held);
    if (answer.status !== 401) return answer;
    // Its key was withdrawn or its session has ended: a new one is worth one more try, or is refused.
    await this.#replace(held);
    return send(await this.#good());
  }

  /** Who is signed in. */
  async profile() { return this.#ask("GET", "/api/profile/"); }

  /** Where this person is signed in. */
  async sessions() { return (await this.#ask("GET", "/api/auth/sessions/")).sessions; }

  /** Ends one session of this person, by the id that the list has. */
  async endSession(id) { await this.#ask("DELETE", `/api/auth/sessions/${encodeURIComponent(id)}/`); }

  /** Ends all sessions of this person but this one. */
  async endOthers() { await this.#ask("DELETE", "/api/auth/sessions/"); }

  /** Signs out in all tabs; `everywhere`, on all devices. If the server cannot be told it fails, and the session goes on. */
  async signOut({ everywhere = false } = {}) {
    await this.#alone(async () => {
      const refresh = await this.#stored();
      if (!this.#isBody || refresh) await this.#insist("/api/auth/logout/", { refresh, all: everywhere });
      await this.#leave("signed-out");
    });
  }

  /** Lets go of everything: the timer, the listeners, the channel. */
  close() {
    this.#closed.abort();
    this.#channel.close();
    clearTimeout(this.#timer);
  }

  #waited() {
    if (!this.pending) throw new LatchkeyError("invalid_otp", "No code was asked for in this tab.");
    return this.pending;
  }

  #expect(identifier, { channel, challenge_id: challenge, expires_in = 0, retry_after = 0 }) {
    const [expiresAt, resendAt] = [expires_in, retry_after].map((seconds) => Date.now() + seconds * 1_000);
    sessionStorage.setItem(this.#name, JSON.stringify({ identifier, channel, challenge, expiresAt, resendAt }));
    return this.pending;
  }

  async #good() {
    const held = this.#held;
    if (held === undefined || (held && left(held) < SPARE)) await this.#replace(held);
    if (!this.#held) throw new LatchkeyError("signed_out", "Nobody is signed in.");
    return this.#held;
  }

  /** Runs `act` while no other tab does. */
  #alone(act) { return navigator.locks.request(this.#name, act); }

  /** Gets new tokens, if `held` is still what is known: else another tab was faster. */
  #replace(held) { return this.#alone(() => this.#held === held && this.#renew()); }

  /** Only ever called alone. The token is read here: it is the newest of all tabs, and the same in each repetition. */
  async #renew() {
    const refresh = await this.#stored();
    if (this.#isBody && !refresh) return this.#leave("signed-out");
    const asked = now(); // an answer may be late, but no token is older than its question
    try {
      await this.#accept(await this.#insist("/api/auth/token/refresh/", { refresh }), asked, "refreshed");
    } catch (error) {
      if (error.code !== "invalid_token") throw error;
      // Without a cookie there may never have been a session.
      await this.#leave(refresh || this.#held ? "ended" : "signed-out");
    }
  }

  async #accept({ access, refresh, expires_in }, { date, mono }, why) {
    await this.#stored(refresh); // first of all: nothing else can be got again
    const held = { access, life: expires_in * 1_000, date };
    this.#channel.postMessage({ held, why });
    this.#take({ ...held, mono }, why);
  }

  async #leave(why) {
    await this.#stored(null);
    if (this.#held !== null) this.#channel.postMessage({ held: null, why });
    this.#take(null, why);
  }

  /** Knows what this tab or another has learnt. */
  #take(held, why) {
    const was = this.signedIn;
    this.#held = held && { ...held, lead: SPARE * (1 + Math.random()) };
    this.#wake();
    if (was === this.signedIn && why !== "signed-in") return;
    this.dispatchEvent(new CustomEvent("change", { detail: { signedIn: this.signedIn, why } }));
  }

  /** Refreshes when it is time. A page that nobody looks at waits until somebody does: it must not keep a session alive. */
  async #wake() {
    clearTimeout(this.#timer);
    const held = this.#held;
    if (!held || document.hidden || this.#closed.signal.aborted) return;
    let wait = left(held) - held.lead;
    if (wait <= 0) {
      // Who needs the token meanwhile is told what is wrong; here it is only tried again.
      const later = ({ retryAfter = 0 }) => Math.max(LATER * varied(), retryAfter * 1_000);
      wait = await this.#replace(held).then(() => 0, later);
    }
    if (wait <= 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), wait);
  }

  /** Posts until there is an answer, each time the same. */
  async #insist(path, body) {
    for (const pause of PAUSES) {
      try {
        return await this.#post(path, body, { keepalive: true, signal: AbortSignal.timeout(PATIENCE) });
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

  /** The refresh token of body mode; given one, keeps it; given null, removes it. On the disk before anything else happens. */
  async #stored(token) {
    if (!this.#isBody) return undefined;
    const opening = indexedDB.open(this.#name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("tokens");
    const db = await settled(opening, "success");
    const work = db.transaction("tokens", token === undefined ? "readonly" : "readwrite", { durability: "strict" });
    const tokens = work.objectStore("tokens");
    const asked = token ? tokens.put(token, "refresh") : token === null ? tokens.delete("refresh") : tokens.get("refresh");
    await settled(work, "complete").finally(() => db.close());
    return asked.result;
  }
}

const now = () => ({ date: Date.now(), mono: performance.now() });
const left = ({ life, date, mono }) => life - Math.max(Date.now() - date, performance.now() - mono);
const varied = () => 0.5 + Math.random(); // so that not all do the same at the same moment

/** The answer's JSON, or the error that it tells. */
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
