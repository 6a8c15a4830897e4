/**
 * Latchkey for browsers: sign in with a code and stay signed in, in all tabs. No dependencies; `latchkey.d.ts` describes the members.
 *
 * - One tab at a time uses the refresh token (Web Locks) and sends the result to the others (BroadcastChannel). Otherwise a
 *   tab could send a token already used by another tab, and the server would end the session.
 * - Each refresh token has a retry key. It is stored before its first use, where all tabs find it. With the same token and key
 *   the server repeats its answer, so a lost answer ends no session. The request uses `keepalive`, so it completes even if the
 *   page is closed.
 * - An answer counts only if it is Latchkey's by status, content type and shape. Only the server's `invalid_token` ends a session.
 *   Network failures, other servers' answers and rate limits never sign a user out.
 * - The server sets the lifetime of a token. Its age is the greater of two measures: by the device's clock, which a user may
 *   change, and by the page's own timer, which stops while a laptop sleeps.
 * - In cookie mode no script can read the refresh token. In body mode it is in IndexedDB, readable by every script of the
 *   page's origin, so use this mode only if cookies are impossible. The access token is in memory in both modes.
 */
import { isActivity, isDone, isProfile, isRefreshed, isRequested, isSessions, isSources, isStatus, isVerified, seconds } from "./answers.js";
import { LatchkeyError } from "./errors.js";
import { exchange, insist, isLost, joined, varied } from "./requests.js";
import { TabValue, Target, baseOf, changed, nameOf, retryKey, surroundings } from "./surroundings.js";

export { LatchkeyError };
export { locksOfOnePage } from "./surroundings.js";

// All in milliseconds.
const SPARE = 60_000; // a token is not used in its last minute; its refresh starts up to a minute before that
const PATIENCE = 3_000; // longer requests count as lost; two retries fit into the server's default grace period of 10 s
const VERIFY_PATIENCE = [6_000, 15_000]; // for an attempt, and for the last one
const LONG_PATIENCE = 30_000; // for requests with a waiting user, while the server sends a mail
const LATER = 15_000; // from a failed refresh in the background to the next one
const SLACK = 300_000; // a code may live this much longer than its answer promises
const FRESH = 10_000; // who refuses a younger token would refuse the next one too
const [SECOND, DAY] = [1_000, 86_400_000]; // the shortest and the longest timer; browsers run longer ones at once

/** A user's session in this browser. */
export class Latchkey extends Target {
  #options;
  #held; // undefined until known, null if nobody is signed in, or the access token and its time
  #isUnsure = false; // `restore` has failed and is repeated in the background
  #isRefreshing = false; // in the background
  #place; // the surroundings, from the first call on
  #tab = new TabValue(); // the pending code
  #channel; #listening; #timer;

  /** Touches nothing, so that a server may construct a client too. */
  constructor(options) {
    super();
    this.#options = { delivery: "cookie", origins: [], ...options };
  }

  get signedIn() { return this.#held === undefined ? undefined : this.#held !== null; }

  get pending() { return current(this.#last); }

  async restore() {
    this.#open();
    try {
      if (this.#held === undefined) await this.#replace(undefined);
    } catch (error) {
      this.#isUnsure = true;
      this.#sleep(LATER * varied());
      throw error;
    }
    return this.signedIn;
  }

  async request(identifier, { source, channel } = {}) {
    const { name } = this.#open();
    const address = String(identifier).trim();
    // Two calls for one identifier would send two messages, and the code of one of them would fail.
    return joined(`${name} request ${address}`, async () => {
      const known = await this.#pendingOf(address);
      const { locale } = this.#options;
      const device = await this.#device(address);
      const body = { identifier: address, challenge_id: known?.challenge, source_url: source, channel, device, locale };
      try {
        return await this.#expect(address, await this.#post("/api/auth/otp/request", body, isRequested));
      } catch (error) {
        // The challenge exists even if its message could not be sent, and a retry is free.
        const challenge = error.cause?.challenge_id;
        if (challenge) this.#tab.write(name, { ...known, identifier: address, challenge });
        throw error;
      }
    });
  }

  async resend({ channel } = {}) { return this.request(this.#waited().identifier, { channel }); }

  async status() {
    this.#open();
    const { identifier, challenge } = this.#waited();
    const { state, channel, can } = await this.#post("/api/auth/otp/status", { identifier, challenge_id: challenge }, isStatus);
    return { state, channel, can };
  }

  forget() {
    this.#tab.write(this.#name(), undefined);
    try {
      this.#place ??= surroundings(this.#options);
    } catch {
      return; // nothing is stored where the client cannot work
    }
    this.#place.shared.set("pending", undefined).catch(() => undefined); // it expires anyway
  }

  async verify(code) {
    const { name, alone } = this.#open();
    const pending = this.#waited();
    return joined(`${name} verify ${pending.identifier} ${code}`, async () => {
      // Under the lock, so that the cookie of a pending refresh cannot overwrite the new session's cookie.
      const user = await alone(() => this.#verify(code, pending));
      return user ?? this.#ask("GET", "/api/profile", isProfile);
    });
  }

  async token() {
    this.#open();
    return (await this.#good()).access;
  }

  async refresh() {
    const { alone } = this.#open();
    await alone(() => this.#renew());
    return (await this.#good()).access;
  }

  /** Fetches with the access token, but only from the API, the page's origin and `origins`: a receiver could use the token. */
  async fetch(input, init) {
    this.#open();
    return this.#fetch(input, init);
  }

  async profile() { return this.#ask("GET", "/api/profile", isProfile); }
  async sessions() { return (await this.#ask("GET", "/api/auth/sessions", isSessions)).sessions; }
  async sources() { return (await this.#ask("GET", "/api/profile/sources", isSources)).sources; }
  async activity({ before } = {}) {
    const query = before ? `?before=${encodeURIComponent(before)}` : "";
    const { activity, next } = await this.#ask("GET", `/api/account/activity${query}`, isActivity);
    return { activity, next };
  }
  async endSession(id) { await this.#ask("DELETE", `/api/auth/sessions/${encodeURIComponent(id)}`, isDone); }
  async endOthers() { await this.#ask("DELETE", "/api/auth/sessions", isDone); }

  async signOut({ everywhere = false } = {}) {
    const { alone, isBody } = this.#open();
    await alone(async () => {
      const { refresh } = await this.#session();
      const body = { refresh, all: everywhere };
      if (!isBody || refresh) await insist(() => this.#post("/api/auth/logout", body, isDone, { patience: PATIENCE, keepalive: true }));
      await this.#leave("signed-out");
    });
  }

  close() {
    clearTimeout(this.#timer);
    this.#listening?.abort();
    this.#channel?.close();
    this.#listening = this.#channel = undefined;
  }

  /** Takes what the client needs from its surroundings, unless it has it. */
  #open() {
    if (this.#listening) return this.#place;
    this.#place ??= surroundings(this.#options);
    this.#channel = this.#place.channel(this.#place.name);
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#take(data.held && { ...data.held, mono: performance.now() }, data.why);
    this.#listening = new AbortController();
    const listen = (target, event, act) => target?.addEventListener?.(event, act, { signal: this.#listening.signal });
    listen(globalThis.document, "visibilitychange", () => this.#wake());
    listen(globalThis, "online", () => this.#wake());
    // A page from the back/forward cache has missed messages from other tabs, and so has a closed client.
    const relearn = () => { this.#held = undefined; return this.restore().catch(() => undefined); };
    listen(globalThis, "pageshow", ({ persisted }) => persisted && relearn());
    this.#held = undefined;
    return this.#place;
  }

  /** The name of this API's values, also where the client cannot work. */
  #name() {
    try {
      return this.#place?.name ?? nameOf(baseOf(this.#options.api));
    } catch {
      return ""; // a relative address without a page
    }
  }

  /** This tab's last request for a code, which may be over. It has no `expiresAt` if the code could not be sent. */
  get #last() { return this.#tab.read(this.#name()); }

  #waited() {
    const last = this.#last;
    if (!last?.expiresAt) throw new LatchkeyError("invalid_otp", "No code was requested in this tab.");
    return last;
  }

  /** Runs under the lock. Returns the user, or undefined if only the answer's cookie has arrived. */
  async #verify(code, { identifier, challenge, retry }) {
    const { isBody, shared } = this.#place;
    const asked = now();
    const wasOut = this.#held === null;
    const { locale } = this.#options;
    const body = { identifier, otp_code: code, challenge_id: challenge, device: await this.#device(identifier), locale, retry };
    let attempts = 0;
    const attempt = (isLast) => {
      attempts += 1;
      return this.#post("/api/auth/otp/verify", body, isVerified, { patience: VERIFY_PATIENCE[Number(isLast)], keepalive: true });
    };
    try {
      const answer = await insist(attempt, isLost);
      await this.#accept({ ...answer.tokens, expires_in: answer.expires_in }, asked, "signed-in");
      this.forget();
      if (answer.device) await shared.set("device", { identifier, device: answer.device }).catch(() => undefined); // only a convenience
      return answer.user;
    } catch (error) {
      // The cookies of a lost answer may have arrived. They end the challenge, so the next attempt is refused. They may be
      // another person's, unless nobody was signed in before.
      if (isBody || attempts < 2 || error.code !== "invalid_otp" || !wasOut) throw error;
      await this.#renew().catch(() => undefined);
      if (!this.#held) throw error;
      this.forget();
      return undefined;
    }
  }

  /** The pending code for an identifier: of this tab, or of one that was closed. */
  async #pendingOf(identifier) {
    const last = this.#last;
    if (last?.identifier === identifier) return last;
    const stored = await this.#place.shared.get("pending").catch(() => undefined);
    return stored?.identifier === identifier ? stored : undefined;
  }

  async #expect(identifier, { channel, challenge_id: challenge, expires_in, retry_after }) {
    const [expiresAt, resendAt] = [expires_in, retry_after].map((value) => Date.now() + seconds(value) * SECOND);
    const pending = { identifier, channel, challenge, expiresAt, resendAt, retry: retryKey() };
    this.#tab.write(this.#place.name, pending);
    await this.#place.shared.set("pending", pending).catch(() => undefined); // then only this tab knows it
    return pending;
  }

  /** Continues where a closed tab has waited for a code. */
  async #adopt() {
    if (this.pending) return;
    const stored = await this.#place.shared.get("pending").catch(() => undefined);
    if (current(stored)) this.#tab.write(this.#place.name, stored);
    else if (stored || this.#last?.expiresAt) this.forget(); // it is over
  }

  /** Body mode's proof that the user has signed in here before. It gives this client messages of its own, and signs nobody in. */
  async #device(identifier) {
    const kept = this.#place.isBody ? await this.#place.shared.get("device").catch(() => undefined) : undefined;
    return kept?.identifier === identifier ? kept.device : undefined;
  }

  async #good() {
    const held = this.#held;
    if (held === undefined || (held && left(held) < Math.min(SPARE, held.life / 2))) await this.#replace(held);
    if (!this.#held) throw new LatchkeyError("signed_out", "The user is not signed in. Request a code first.");
    return this.#held;
  }

  /** Gets new tokens, unless another tab has replaced `held` already. */
  #replace(held) { return this.#place.alone(() => this.#held === held && this.#renew()); }

  /** Runs under the lock. It reads the token here, so it gets the newest one of all tabs, and each retry sends the same one. */
  async #renew() {
    const session = await this.#session();
    if (this.#place.isBody && !session.refresh) return this.#leave("signed-out");
    if (!session.retry) await this.#keep(session.refresh, session);
    const asked = now(); // an answer may be late, but a token is never older than its request
    const attempt = () => this.#post("/api/auth/token/refresh", session, isRefreshed, { patience: PATIENCE, keepalive: true });
    try {
      await this.#accept(await insist(attempt), asked, "refreshed");
    } catch (error) {
      if (error.code !== "invalid_token" || error.status !== 401) throw error;
      // In cookie mode, there may never have been a session.
      await this.#leave(session.refresh || this.#held ? "ended" : "signed-out");
    }
  }

  async #accept({ access, refresh, expires_in }, { date, mono }, why) {
    await this.#keep(refresh); // first, because it is the only value that cannot be requested again
    const held = { access, life: expires_in * SECOND, date };
    this.#tell({ held, why });
    this.#take({ ...held, mono }, why);
  }

  async #leave(why) {
    await this.#place.shared.set("session", undefined).catch(() => undefined); // the server accepts it no longer
    if (this.#held === undefined) await this.#adopt();
    if (this.#held !== null) this.#tell({ held: null, why });
    this.#take(null, why);
  }

  /** The stored session: its refresh token, in body mode, and the retry key of this token. */
  async #session() {
    const stored = this.#place.shared.get("session");
    return (await (this.#place.isBody ? stored : stored.catch(() => undefined))) ?? {};
  }

  /** Stores a refresh token with a new retry key, before either is used. In cookie mode, a browser without storage has no key. */
  async #keep(refresh, session = {}) {
    const { isBody, shared } = this.#place;
    const retry = retryKey();
    try {
      await shared.set("session", { refresh: isBody ? refresh : undefined, retry });
      session.retry = retry;
    } catch (error) {
      if (isBody) throw error;
    }
  }

  /** Sends a message to the other tabs, also after `close`. */
  #tell(message) {
    const channel = this.#channel ?? this.#place.channel(this.#place.name);
    channel?.postMessage(message);
    if (channel !== this.#channel) channel.close();
  }

  /** Takes over the state from this tab or another one. */
  #take(held, why) {
    const was = this.signedIn;
    this.#held = held && { ...held, lead: Math.min(SPARE * (1 + Math.random()), held.life / 2) };
    this.#isUnsure = false;
    if (why === "signed-in") this.#tab.write(this.#place.name, undefined);
    if (!this.#listening) return; // a closed client is quiet
    clearTimeout(this.#timer);
    if (held) this.#sleep(left(held) - this.#held.lead);
    if (was === this.signedIn && why !== "signed-in") return;
    this.dispatchEvent(changed({ signedIn: this.signedIn, why }));
  }

  /** Wakes up after `wait`. Whatever the server says, there is at most one timer, and it runs at most once a second. */
  #sleep(wait) {
    clearTimeout(this.#timer);
    if (this.#listening) this.#timer = setTimeout(() => this.#wake(), Math.min(Math.max(wait, SECOND), DAY));
  }

  /** Refreshes in time. A hidden page waits until it is visible, because it must not keep a session alive. */
  async #wake() {
    const held = this.#held;
    if (!this.#listening || this.#isRefreshing || globalThis.document?.hidden || !(held || this.#isUnsure)) return;
    const wait = held ? left(held) - held.lead : 0;
    if (wait > 0) return this.#sleep(wait);
    this.#isRefreshing = true;
    try {
      await this.#replace(held);
    } catch ({ retryAfter = 0 }) {
      // Callers of `token` get the error themselves; the background refresh only retries later.
      this.#sleep(Math.max(LATER * varied(), retryAfter * SECOND));
    } finally {
      this.#isRefreshing = false;
    }
  }

  async #fetch(input, init, fresh = FRESH) {
    const request = new Request(input, init);
    // A body that can be read once is copied. Others are sent as they came, because some platforms lose the body of a Request.
    const isOnce = input instanceof Request || init?.body?.getReader;
    if (!this.#place.origins.has(new URL(request.url).origin)) throw new TypeError(`${request.url} may not get a token. Add its origin to origins.`);
    const send = ({ access }) => {
      const headers = new Headers(isOnce ? request.headers : init?.headers);
      headers.set("authorization", `Bearer ${access}`);
      return isOnce ? fetch(request.clone(), { headers }) : fetch(request.url, { ...init, headers });
    };
    const held = await this.#good();
    const answer = await send(held);
    if (answer.status !== 401 || held.life - left(held) < fresh) return answer;
    // Its key was revoked or its session has ended. Retry once with a new token, if the server gives one.
    await this.#replace(held);
    return send(await this.#good());
  }

  #post(path, fields, isRight, { patience = LONG_PATIENCE, keepalive = false } = {}) {
    const { api, isBody } = this.#place;
    const [token_delivery, credentials] = isBody ? ["body", "omit"] : ["cookie", "include"];
    const headers = { "content-type": "application/json" };
    const init = { ...OWN, method: "POST", headers, credentials, keepalive, body: JSON.stringify({ ...fields, token_delivery }) };
    const send = (signal) => fetch(api + path, { ...init, signal });
    return exchange(api + path, send, (answer) => isRight(answer, isBody), patience);
  }

  /** Sends a request with the access token. Each of them may be repeated. */
  async #ask(method, path, isRight) {
    const url = this.#open().api + path;
    const send = (signal) => this.#fetch(url, { ...OWN, method, signal }, 0);
    return insist((isLast) => exchange(url, send, isRight, isLast ? LONG_PATIENCE : LONG_PATIENCE / 3), isLost);
  }
}

/** A redirect could carry a secret to another server. The API redirects none of these requests. */
const OWN = { cache: "no-store", redirect: "manual" };

/** A pending code, unless it is over. */
const current = (pending) => (pending?.expiresAt + SLACK > Date.now() ? pending : undefined);
const now = () => ({ date: Date.now(), mono: performance.now() });
const left = ({ life, date, mono }) => life - Math.max(Date.now() - date, performance.now() - mono);
