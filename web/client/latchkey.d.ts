/** The types of `latchkey.js`. The module's first comment describes its behaviour. */

/**
 * A code of the API, or of this package:
 * - `network`: the server did not answer in time
 * - `unexpected`: somebody else answered, such as a captive portal or a proxy
 * - `signed_out`: nobody is signed in
 * - `storage`: the browser keeps no data for this site, or its storage does not work
 * - `busy`: another tab holds the session for too long
 * - `insecure`: the page has no https
 * - `unsupported`: the platform lacks something; the message names it
 * - `invalid_option`: an option has a wrong value; the message names it
 */
export type ErrorCode =
  | "invalid_request"
  | "invalid_email"
  | "invalid_phone"
  | "invalid_otp"
  | "invalid_token"
  | "step_up_required"
  | "enrolment_required"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "rate_limited"
  | "too_many_attempts"
  | "email_send_failed"
  | "sms_send_failed"
  | "voice_send_failed"
  | "whatsapp_send_failed"
  | "internal_error"
  | "unavailable"
  | "network"
  | "unexpected"
  | "signed_out"
  | "storage"
  | "busy"
  | "insecure"
  | "unsupported"
  | "invalid_option";

export declare class LatchkeyError extends Error {
  constructor(code: ErrorCode, message: string, details?: { cause?: unknown; status?: number; retryAfter?: number; requestId?: string });
  readonly name: "LatchkeyError";
  readonly code: ErrorCode;
  /** The status of the answer, or 0 without one. */
  readonly status: number;
  /** Seconds until a retry can succeed, if known. At most a day. */
  readonly retryAfter?: number;
  /** The request's id in the operator's logs. */
  readonly requestId?: string;
}

type Eventual<T> = T | Promise<T>;

/** Where the session is kept, shared by all tabs. `localStorage` and React Native's AsyncStorage have this form. */
export interface KeyValueStorage {
  getItem(key: string): Eventual<string | null | undefined>;
  setItem(key: string, value: string): Eventual<unknown>;
  removeItem(key: string): Eventual<unknown>;
}

/** Runs `act` when no other client has the lock `name`, and returns its result. `navigator.locks` has this form. */
export interface Locks {
  request<T>(name: string, options: { signal: AbortSignal }, act: () => Promise<T>): Promise<T>;
}

/** Messages to the other tabs. `BroadcastChannel` has this form. */
export interface Channel {
  onmessage: ((event: MessageEvent) => unknown) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** Locks for an app that is one page, without tabs. */
export declare function locksOfOnePage(): Locks;

export interface Options {
  /** The URL of the API, absolute or relative to the page. */
  api: string | URL;
  /** The transport of the refresh token. With `cookie`, the default, the API and the page must share a registrable domain. */
  delivery?: "cookie" | "body";
  /** The language of messages with codes and of the errors of `request` and `verify`, such as `de`. By default the browser's. */
  locale?: string;
  /** More origins for `fetch` with the token, besides the API's and the page's own. */
  origins?: (string | URL)[];
  /**
   * Called when a request needs a step-up. When it ends, the request is sent once more. If it fails, the request fails with its error.
   * Requests that need a step-up at the same time share one call.
   */
  onStepUp?: (demand: StepUpDemand) => Promise<unknown>;
  /** Instead of IndexedDB. A value must be on disk, and visible to all tabs, when `setItem` ends. */
  storage?: KeyValueStorage;
  /** Instead of `navigator.locks`. */
  locks?: Locks;
  /** Instead of BroadcastChannel. Null if there are no other tabs. */
  channel?: ((name: string) => Channel) | null;
}

/** A pending code. Times are in milliseconds, like `Date.now()`. */
export interface Pending {
  readonly identifier: string;
  readonly channel: "email" | "sms" | "voice" | "whatsapp";
  /** The code works until then at least. */
  readonly expiresAt: number;
  /** The earliest time for a new code. */
  readonly resendAt: number;
}

/** What became of the message with a code. */
export interface MessageStatus {
  readonly state: "sent" | "delayed" | "handed_over" | "delivered" | "failed" | "over";
  readonly channel: "email" | "sms" | "voice" | "whatsapp";
  /** What the client may do now, or at the pending code's `resendAt`. */
  readonly can: readonly ("resend" | "voice" | "whatsapp")[];
}

export interface User {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly email_verified: boolean;
  readonly phone_verified: boolean;
  readonly first_name: string;
  readonly last_name: string;
  readonly full_name: string;
  /** RFC 3339, like all times of the API. */
  readonly date_joined: string;
  readonly last_login: string | null;
  readonly is_new_user: boolean;
}

export interface Session {
  readonly id: string;
  readonly created: string;
  /** The hour of the last refresh. */
  readonly last_used: string;
  readonly device: string;
  readonly ip_prefix: string;
  readonly current: boolean;
}

/** A page from which the user signed up. */
export interface Source {
  /** Its name, such as `Facebook`. */
  readonly source: string;
  /** More about it, such as `Facebook - Spring Campaign`. */
  readonly category: string;
  readonly url: string;
  /** The way of the sign-up, such as `otp_email`. */
  readonly method: string;
  readonly time: string;
}

/** Something that happened to the account. Fields that do not belong to its type are missing. */
export interface ActivityEntry {
  readonly id: string;
  /** `user.created`, `session.opened`, `session.ended` or `user.updated`. Ignore others, because later versions add types. */
  readonly type: string;
  readonly time: string;
  readonly session?: string;
  /** The way of the sign-in: `otp_email`, `otp_sms`, `otp_voice`, `otp_whatsapp` or `other`. */
  readonly method?: string;
  readonly device?: string;
  readonly ip_prefix?: string;
  /** Why a session ended: `logout`, `everywhere`, `revoked`, `limit`, `reuse`, `disavowed`, `factors` or `other`. */
  readonly reason?: string;
  /** The names of changed fields of the profile. */
  readonly fields?: readonly string[];
}

/** A page of the activity, newest first. It may be short or empty although another page follows. */
export interface ActivityPage {
  readonly activity: ActivityEntry[];
  /** The `before` of the next page. Null on the last page. */
  readonly next: string | null;
}

/** A way to prove a second factor. `enrolled` finishes a sign-in after the first app was added. */
export type FactorMethod = "totp" | "backup_code" | "enrolled";

/** A second factor that is due after the code. */
export interface Due {
  /**
   * - `factor`: the user proves a second factor with `secondFactor`
   * - `enrolment`: the user has none yet and adds one with `addTotp` and `confirmTotp`
   * - `enrolled`: the factor is added, and `secondFactor({ method: "enrolled" })` signs in
   */
  readonly state: "factor" | "enrolment" | "enrolled";
  readonly methods: readonly FactorMethod[];
  /** In milliseconds, like `Date.now()`. Afterwards the user requests a new code. */
  readonly expiresAt: number;
}

/** A proof of a second factor. */
export interface FactorProof {
  method: FactorMethod;
  /** The code of the app, or a backup code. */
  code?: string;
  /** Asks this browser for no second factor during the next days, if the API allows it. */
  trustDevice?: boolean;
}

/** A new authenticator app that works after `confirmTotp`. */
export interface NewTotp {
  readonly factor_id: string;
  /** In base32, for users who type it. */
  readonly secret: string;
  /** The same for an app on this device. */
  readonly otpauth_uri: string;
  /** The same as a QR code. Show it as an image, for example with a `data:` address. */
  readonly qr_svg: string;
  /** Seconds until it is too late to confirm. */
  readonly expires_in: number;
}

/** The user's second factors. */
export interface Factors {
  readonly policy: "off" | "optional" | "required" | "risk";
  /** Whether the last app must stay. */
  readonly required: boolean;
  readonly totp: readonly { readonly id: string; readonly name: string; readonly created: string }[];
  readonly backup_codes_left: number;
  readonly trusted_devices: readonly {
    readonly id: string;
    readonly device: string;
    readonly created: string;
    readonly expires_at: string;
    readonly current: boolean;
  }[];
}

/** What a request needs from a step-up. */
export interface StepUpDemand {
  /** The level, such as `2f`. */
  readonly acr?: string;
  /** The greatest age of the proof in seconds. */
  readonly max_age?: number;
  /** The ways to prove it. An own backend may leave them out. */
  readonly methods?: readonly StepUpMethod[];
}

export type StepUpMethod = "totp" | "backup_code" | "otp";

/** A step-up that has begun. */
export interface StepUp {
  readonly methods: readonly StepUpMethod[];
  /** In milliseconds, like `Date.now()`. The method `otp` has the end of its code instead. */
  readonly expiresAt: number | undefined;
  /** For the method `otp`: sends a code to the user's own identifier. Called again, it sends a new one. */
  request(identifier: string, options?: { channel?: "sms" | "voice" | "whatsapp" }): Promise<Omit<Pending, "identifier">>;
  /** Proves it. The new tokens replace the old ones in all tabs. */
  verify(proof: { method: StepUpMethod; code: string }): Promise<{ readonly backup_codes_left?: number }>;
}

/** Why `signedIn` changed. `ended` means an end from elsewhere, such as a sign-out on another device. */
export interface Change {
  readonly signedIn: boolean;
  readonly why: "signed-in" | "refreshed" | "signed-out" | "ended";
}

/** All methods with a request to the server fail with a `LatchkeyError`. `fetch` also fails as the platform's own does. */
export declare class Latchkey extends EventTarget {
  /** Touches nothing, so that a server may construct a client too. */
  constructor(options: Options);
  /** Undefined until known. */
  readonly signedIn: boolean | undefined;
  /** The pending code of this tab, kept across reloads until it is over. After `restore`, also the one of a tab that was closed. */
  readonly pending: Pending | undefined;
  /** The second factor that is due in this tab, kept across reloads until it is over. */
  readonly due: Due | undefined;
  /** Finds out whether a user is signed in. If it fails, the answer is unknown, and the client asks again in the background. */
  restore(): Promise<boolean>;
  /** Requests a code. If one is pending for the same identifier, requests a new code for its challenge. Two calls at once are one. */
  request(identifier: string, options?: { source?: string; channel?: "sms" | "voice" | "whatsapp" }): Promise<Pending>;
  /** Requests a new code for the pending challenge, if `can` has it by another channel. The old code then stops working. */
  resend(options?: { channel?: "sms" | "voice" | "whatsapp" }): Promise<Pending>;
  /** What became of the message with the pending code. Ask ten seconds after the request, and when the user misses the code. */
  status(): Promise<MessageStatus>;
  /** Forgets the pending code, for example to use another address. */
  forget(): void;
  /**
   * Signs in with the code as typed or pasted. If the answer is lost, it asks for the same answer again. The result is undefined if a
   * second factor is due. `remember: false` asks for a short session, for example on a shared computer.
   */
  verify(code: string, options?: { remember?: boolean }): Promise<User | undefined>;
  /** Signs in with the second factor that is `due`. The count comes after a backup code. */
  secondFactor(proof: FactorProof): Promise<{ readonly user: User; readonly backup_codes_left?: number }>;
  /** Begins a step-up: the user proves again who is there. `transaction` is a text that the user has seen, such as a payment. */
  stepUp(options?: { transaction?: string }): Promise<StepUp>;
  /** The user's second factors and trusted devices. */
  factors(): Promise<Factors>;
  /** Begins to add an authenticator app, for a signed-in user or for an enrolment that is `due`. */
  addTotp(options?: { name?: string }): Promise<NewTotp>;
  /** Adds it with its first code. Returns the backup codes if it is the first factor. The API shows them this once. */
  confirmTotp(factorId: string, code: string): Promise<string[] | undefined>;
  /** Removes an app, by its id from `factors`. */
  removeTotp(id: string): Promise<void>;
  /** Replaces the backup codes. The old ones stop working. */
  newBackupCodes(): Promise<string[]>;
  /** Ends the trust in one device, by its id from `factors`. */
  forgetDevice(id: string): Promise<void>;
  /** Ends the trust in all devices. */
  forgetDevices(): Promise<void>;
  /** An access token, valid for at least one more minute, unless the server gives shorter ones. */
  token(): Promise<string>;
  /** Gets new tokens now. Rarely needed, because `token` and `fetch` refresh by themselves. */
  refresh(): Promise<string>;
  /** Fetches with the access token, but only from the API, the page's origin and `origins`. The wait for the answer has no bound. */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** The signed-in user. */
  profile(): Promise<User>;
  /** The user's sessions. */
  sessions(): Promise<Session[]>;
  /** The pages from which the user signed up, newest first. */
  sources(): Promise<Source[]>;
  /** What happened to the account, newest first, a page at a time. An entry appears a minute or two after it happened. */
  activity(options?: { before?: string | undefined }): Promise<ActivityPage>;
  /** Ends one session of the user, by its id from `sessions`. */
  endSession(id: string): Promise<void>;
  /** Ends all sessions of the user except this one. */
  endOthers(): Promise<void>;
  /** Signs out in all tabs, or on all devices (`everywhere`). It fails unless the server confirms it, and the session stays. */
  signOut(options?: { everywhere?: boolean }): Promise<void>;
  /** Releases the timer, the listeners and the channel. Calls under way end with their results; the next call opens all again. */
  close(): void;
  addEventListener(type: "change", listener: (event: CustomEvent<Change>) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener(type: "change", listener: (event: CustomEvent<Change>) => void, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}
