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
import {
  isActivity, isAnswered, isApp, isConfirmed, isDone, isDue, isFactors, isNewCodes, isOptions, isProfile, isRaised, isRefreshed, isRequested,
  isSessions, isSources, isStatus,
} from "./answers.js";
import { LatchkeyError } from "./errors.js";
import { Api, insist, isLost, joined, left, now, varied } from "./requests.js";
import { Steps, endOf } from "./steps.js";
import { Target, changed, nameOf, retryKey, surroundings } from "./surroundings.js";

export { LatchkeyError };
export { locksOfOnePage } from "./surroundings.js";

// All in milliseconds.
const SPARE = 60_000; // a token is not used in its last minute; its refresh starts up to a minute before that
const PATIENCE = 3_000; // longer requests count as lost; two retries fit into the server's default grace period of 10 s
const VERIFY_PATIENCE = [6_000, 15_000]; // for an attempt, and for the last one
const LATER = 15_000; // from a failed refresh in the background to the next one
const [SECOND, DAY] = [1_000, 86_400_000]; // the shortest and the longest timer; browsers run longer ones at once

/** A user's session in this browser. */
export class Latchkey extends Target {
  #options;
  #held; // undefined until known, null if nobody is signed in, or the access token and its time
  #isUnsure = false; // `restore` has failed and is repeated in the background
  #isRefreshing = false; // in the background
  #place; #api; // the surroundings and their requests, from the first call on
  #steps = new Steps(() => nameOf(this.#options.api), () => (this.#place ??= surroundings(this.#options)).shared);
  #channel; #listening; #timer;

  /** Touches nothing, so that a server may construct a client too. */
  constructor(options) {
    super();
    this.#options = { delivery: "cookie", origins: [], ...options };
  }

  get signedIn() { return this.#held === undefined ? undefined : this.#held !== null; }

  get pending() { return this.#steps.pending; }
  get due() { return this.#steps.due; }

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
      const known = await this.#steps.pendingOf(address);
      const { device } = await this.#known(address);
      const body = { identifier: address, challenge_id: known?.challenge, source_url: source, channel, device, locale: this.#options.locale };
      try {
        return await this.#steps.expect(address, await this.#post("otp/request", body, isRequested));
      } catch (error) {
        // The challenge exists even if its message could not be sent, and a retry is free.
        const challenge = error.cause?.challenge_id;
        if (challenge) this.#steps.last = { ...known, identifier: address, challenge };
        throw error;
      }
    });
  }

  async resend({ channel } = {}) { return this.request(this.#steps.waited().identifier, { channel }); }

  async status() {
    this.#open();
    const { identifier, challenge } = this.#steps.waited();
    const { state, channel, can } = await this.#post("otp/status", { identifier, challenge_id: challenge }, isStatus);
    return { state, channel, can };
  }

  forget() { this.#steps.forget(); }

  async verify(code, { remember } = {}) {
    const { name } = this.#open();
    const { identifier, challenge, retry } = this.#steps.waited();
    const { locale } = this.#options;
    const body = { identifier, otp_code: code, challenge_id: challenge, locale, retry, remember };
    return joined(`${name} verify ${identifier} ${code}`, async () => (await this.#enter("otp/verify", identifier, body)).user);
  }

  async secondFactor({ method, code, trustDevice }) {
    const { name } = this.#open();
    const { identifier, challenge } = this.#steps.dueNow();
    const body = { challenge_id: challenge, method, code, trust_device: trustDevice };
    return joined(`${name} second factor ${code}`, async () => {
      const { user, backup_codes_left } = await this.#enter("second-factor/verify", identifier, body);
      return { user, backup_codes_left };
    });
  }

  async stepUp({ transaction } = {}) {
    const { name, alone } = this.#open();
    const { methods, challenge_id, expires_in } = await this.#ask("POST", "/api/auth/step-up/options", isOptions, { transaction });
    let proof = { challenge_id };
    const request = async (identifier, { channel } = {}) => {
      const address = String(identifier).trim();
      const { device } = await this.#known();
      const { locale } = this.#options;
      const body = { identifier: address, challenge_id: proof.identifier && proof.challenge_id, purpose: "step_up", channel, device, locale };
      const answer = await this.#ask("POST", "/api/auth/otp/request", isRequested, body);
      proof = { challenge_id: answer.challenge_id, identifier: address, transaction };
      return { channel: answer.channel, expiresAt: endOf(answer.expires_in), resendAt: endOf(answer.retry_after) };
    };
    const verify = ({ method, code }) => joined(`${name} step-up ${code}`, async () => {
      await this.#good();
      const body = { ...proof, method, [method === "otp" ? "otp_code" : "code"]: code };
      const { backup_codes_left } = await alone(() => this.#raise(body));
      return { backup_codes_left };
    });
    return { methods, expiresAt: expires_in && endOf(expires_in), request, verify };
  }

  async factors() {
    const { policy, required, totp, backup_codes_left, trusted_devices } = await this.#ask("GET", FACTORS, isFactors);
    return { policy, required, totp, backup_codes_left, trusted_devices };
  }
  async addTotp({ name } = {}) {
    const { factor_id, secret, otpauth_uri, qr_svg, expires_in } = await this.#change("totp", isApp, { name });
    return { factor_id, secret, otpauth_uri, qr_svg, expires_in };
  }
  async confirmTotp(factor_id, code) { return (await this.#change("totp/confirm", isConfirmed, { factor_id, code })).backup_codes; }
  async removeTotp(id) { await this.#ask("DELETE", `${FACTORS}/totp/${encodeURIComponent(id)}`, isDone); }
  async newBackupCodes() { return (await this.#change("backup-codes", isNewCodes, {})).backup_codes; }
  async forgetDevice(id) { await this.#ask("DELETE", `${FACTORS}/trusted-devices/${encodeURIComponent(id)}`, isDone); }
  async forgetDevices() { await this.#ask("DELETE", `${FACTORS}/trusted-devices`, isDone); }

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
    return this.#api.fetch(input, init);
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
      if (!isBody || refresh) await insist(() => this.#post("logout", body, isDone, { patience: PATIENCE, keepalive: true }));
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
    const { onStepUp } = this.#options;
    this.#place ??= surroundings(this.#options);
    this.#api ??= new Api(this.#place, { good: () => this.#good(), replace: (held) => this.#replace(held), onStepUp });
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

  /** Body mode's proofs that the user has signed in here before. Cookie mode has them in cookies. */
  async #known(identifier) { return this.#place.isBody ? this.#steps.known(identifier) : {}; }

  /** Signs in, unless a second factor is due. Returns the answer, or without the factor nothing. */
  async #enter(path, identifier, fields) {
    // Under the lock, so that the cookie of a pending refresh cannot overwrite the new session's cookie.
    const answer = await this.#place.alone(() => this.#prove(path, identifier, fields));
    return answer ?? { user: await this.#ask("GET", "/api/profile", isProfile) };
  }

  /** Runs under the lock. Returns the answer, or undefined if only its cookie has arrived. */
  async #prove(path, identifier, fields) {
    const { isBody } = this.#place;
    const asked = now();
    const wasOut = this.#held === null;
    const body = { ...fields, ...(await this.#known(identifier)) };
    let attempts = 0;
    const attempt = (isLast) => {
      attempts += 1;
      return this.#post(path, body, isAnswered, { patience: VERIFY_PATIENCE[Number(isLast)], keepalive: true });
    };
    try {
      const answer = await insist(attempt, isLost);
      if (answer.second_factor_required) return await this.#next("factor", identifier, answer);
      await this.#accept({ ...answer.tokens, expires_in: answer.expires_in }, asked, "signed-in");
      this.forget();
      if (isBody) await this.#steps.recognize(identifier, answer);
      return answer;
    } catch (error) {
      if (error.code === "enrolment_required" && isDue(error.cause, isBody)) return this.#next("enrolment", identifier, error.cause);
      // The cookies of a lost answer may have arrived. They end the challenge, so the next attempt is refused. They may be
      // another person's, unless nobody was signed in before.
      if (isBody || attempts < 2 || error.code !== "invalid_otp" || !wasOut) throw error;
      await this.#renew().catch(() => undefined);
      if (!this.#held) throw error;
      this.forget();
      return undefined;
    }
  }

  async #next(state, identifier, answer) {
    await this.#steps.next(state, identifier, answer);
    return {};
  }

  /** Runs under the lock, because it moves the refresh token as a refresh does. If its answer is lost, a refresh gets these tokens. */
  async #raise(fields) {
    const session = await this.#session();
    if (!session.retry) await this.#keep(session.refresh, session);
    if (!this.#held) throw signedOut();
    const asked = now();
    const body = { ...fields, ...(await this.#known()), retry: session.retry };
    const headers = { authorization: `Bearer ${this.#held.access}` };
    const attempt = (isLast) => this.#post("step-up/verify", body, isRaised, { patience: VERIFY_PATIENCE[Number(isLast)], keepalive: true, headers });
    const answer = await insist(attempt, isLost);
    await this.#accept({ ...answer.tokens, expires_in: answer.expires_in }, asked, "refreshed");
    return answer;
  }

  #post(...request) { return this.#api.post(...request); }

  async #ask(...request) {
    this.#open();
    return this.#api.ask(...request);
  }

  /** Changes a factor. An enrolment at sign-in has a challenge instead of a session. */
  async #change(path, isRight, fields) {
    this.#open();
    if (this.signedIn || this.due?.state !== "enrolment") return this.#ask("POST", `${FACTORS}/${path}`, isRight, fields);
    const { identifier, challenge } = this.#steps.dueNow();
    const answer = await this.#post(`factors/${path}`, { ...fields, challenge_id: challenge }, isRight);
    if (isRight === isConfirmed) await this.#steps.next("enrolled", identifier, { ...answer, methods: ["enrolled"] });
    return answer;
  }

  async #good() {
    const held = this.#held;
    if (held === undefined || (held && left(held) < Math.min(SPARE, held.life / 2))) await this.#replace(held);
    if (!this.#held) throw signedOut();
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
    const attempt = () => this.#post("token/refresh", session, isRefreshed, { patience: PATIENCE, keepalive: true });
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
    if (this.#held === undefined) await this.#steps.adopt();
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
    if (why === "signed-in") this.#steps.last = undefined;
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
}

const FACTORS = "/api/auth/factors";
const signedOut = () => new LatchkeyError("signed_out", "The user is not signed in. Request a code first.");
