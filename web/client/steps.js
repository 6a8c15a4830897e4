// How far a user is in signing in: the code that the tab waits for, and the second factor that is due. Both survive reloads. A new
// tab also finds the code of one that was closed, because mail apps open pages of their own.
import { seconds } from "./answers.js";
import { LatchkeyError } from "./errors.js";
import { TabValue, retryKey } from "./surroundings.js";

const SLACK = 300_000; // a code may live this much longer than its answer promises, in milliseconds

export const endOf = (duration) => Date.now() + seconds(duration) * 1_000;

export class Steps {
  #tab = new TabValue();
  #name;
  #shared;

  /** Functions, because a client finds out both at its first call. */
  constructor(name, shared) {
    this.#name = name;
    this.#shared = shared;
  }

  /** This tab's last request for a code, which may be over. It has no `expiresAt` if the code could not be sent. */
  get last() { return this.#tab.read(this.#name()); }
  set last(value) { this.#tab.write(this.#name(), value); }

  get pending() { return current(this.last); }

  /** The second factor that is due, without its secret. */
  get due() {
    const { state, methods, expiresAt } = this.last?.due ?? {};
    return expiresAt > Date.now() ? { state, methods, expiresAt } : undefined;
  }

  waited() {
    const { last } = this;
    if (!last?.expiresAt) throw new LatchkeyError("invalid_otp", "No code was requested in this tab.");
    return last;
  }

  /** The second factor that is due, with the user's identifier and the challenge. Cookie mode has the challenge in a cookie. */
  dueNow() {
    const { identifier, due } = this.last ?? {};
    if (!due) throw new LatchkeyError("invalid_otp", "No second factor is due in this tab.");
    return { identifier, ...due };
  }

  /** The code is used up, and a second factor is due. */
  async next(state, identifier, { challenge_id: challenge, methods, expires_in }) {
    await this.#share(undefined);
    this.last = { identifier, due: { state, methods, challenge, expiresAt: endOf(expires_in) } };
  }

  forget() {
    this.last = undefined;
    this.#share(undefined); // it expires anyway
  }

  /** The pending code for an identifier: of this tab, or of one that was closed. */
  async pendingOf(identifier) {
    const { last } = this;
    if (last?.identifier === identifier) return last;
    const stored = await this.#get("pending");
    return stored?.identifier === identifier ? stored : undefined;
  }

  async expect(identifier, { channel, challenge_id: challenge, expires_in, retry_after }) {
    const pending = { identifier, channel, challenge, expiresAt: endOf(expires_in), resendAt: endOf(retry_after), retry: retryKey() };
    this.last = pending;
    await this.#share(pending); // without storage, only this tab knows it
    return pending;
  }

  /** Continues where a closed tab has waited for a code. */
  async adopt() {
    if (this.pending || this.due) return;
    const { last } = this;
    const stored = await this.#get("pending");
    if (current(stored)) this.last = stored;
    else if (stored || last?.expiresAt || last?.due) this.forget(); // it is over
  }

  /**
   * Body mode's proofs that the user has signed in here before. `device` gives this client messages of its own, and
   * `trusted_device` stands for the second factor. Neither signs anybody in.
   */
  async known(identifier) {
    const kept = await this.#get("device");
    return kept && (identifier ?? kept.identifier) === kept.identifier ? { device: kept.device, trusted_device: kept.trusted } : {};
  }

  /** Keeps these proofs from an answer. */
  async recognize(identifier, { device, trusted_device: trusted }) {
    if (!device && !trusted) return;
    const known = await this.known(identifier);
    await this.#share({ identifier, device: device ?? known.device, trusted: trusted ?? known.trusted_device }, "device");
  }

  /** All of this is only a convenience, so a storage that fails is like an empty one. */
  async #get(key) {
    try {
      return await this.#shared().get(key);
    } catch {
      return undefined;
    }
  }

  async #share(value, key = "pending") {
    try {
      await this.#shared().set(key, value);
    } catch {
      // nothing is stored where the client cannot work
    }
  }
}

/** A pending code, unless it is over. */
const current = (pending) => (pending?.expiresAt + SLACK > Date.now() ? pending : undefined);
