/** The types of `latchkey.js`. The module's first comment describes its behaviour. */

/** A code of the API, or of this module: no answer (`network`), not an answer of Latchkey (`unexpected`), or `signed_out`. */
export type ErrorCode =
  | "invalid_request"
  | "invalid_email"
  | "invalid_phone"
  | "invalid_otp"
  | "invalid_token"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "rate_limited"
  | "too_many_attempts"
  | "email_send_failed"
  | "sms_send_failed"
  | "internal_error"
  | "unavailable"
  | "network"
  | "unexpected"
  | "signed_out";

export declare class LatchkeyError extends Error {
  readonly name: "LatchkeyError";
  readonly code: ErrorCode;
  /** The status of the answer, or 0 without one. */
  readonly status: number;
  /** Seconds until a retry can succeed, if known. */
  readonly retryAfter?: number;
  /** The request's id in the operator's logs. */
  readonly requestId?: string;
}

export interface Options {
  /** The URL of the API, absolute or relative to the page. */
  api: string | URL;
  /** The transport of the refresh token. With `cookie`, the default, the API and the page must share a registrable domain. */
  delivery?: "cookie" | "body";
  /** More origins for `fetch` with the token, besides the API's and the page's own. */
  origins?: (string | URL)[];
}

/** A pending code. Times are in milliseconds, like `Date.now()`. */
export interface Pending {
  readonly identifier: string;
  readonly channel: "email" | "sms";
  readonly expiresAt: number;
  /** The earliest time for a new code. */
  readonly resendAt: number;
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

/** Why `signedIn` changed. `ended` means an end from elsewhere, such as a sign-out on another device. */
export interface Change {
  readonly signedIn: boolean;
  readonly why: "signed-in" | "refreshed" | "signed-out" | "ended";
}

/** All methods with a request to the server fail with a `LatchkeyError`. */
export declare class Latchkey extends EventTarget {
  constructor(options: Options);
  /** Undefined until known. */
  readonly signedIn: boolean | undefined;
  /** The pending code of this tab, kept across reloads. */
  readonly pending: Pending | undefined;
  /** Finds out whether a user is signed in. If it fails, the answer is unknown, and the user may still be signed in. */
  restore(): Promise<boolean>;
  /** Requests a code. If one is pending for the same identifier, requests a new code for its challenge. */
  request(identifier: string, options?: { source?: string }): Promise<Pending>;
  /** Requests a new code for the pending challenge. The old code then stops working. */
  resend(): Promise<Pending>;
  /** Forgets the pending code, for example to use another address. */
  forget(): void;
  /** Signs in with the code as typed or pasted. If the answer is lost, it asks for the same answer once more. */
  verify(code: string): Promise<User>;
  /** An access token, valid for at least one more minute. */
  token(): Promise<string>;
  /** Gets new tokens now. Rarely needed, because `token` and `fetch` refresh by themselves. */
  refresh(): Promise<string>;
  /** Fetches with the access token, but only from the API, the page's origin and `origins`. */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** The signed-in user. */
  profile(): Promise<User>;
  /** The user's sessions. */
  sessions(): Promise<Session[]>;
  /** Ends one session of the user, by its id from `sessions`. */
  endSession(id: string): Promise<void>;
  /** Ends all sessions of the user except this one. */
  endOthers(): Promise<void>;
  /** Signs out in all tabs, or on all devices (`everywhere`). If the server is unreachable it fails, and the session stays. */
  signOut(options?: { everywhere?: boolean }): Promise<void>;
  /** Releases the timer, the listeners and the channel. */
  close(): void;
  addEventListener(type: "change", listener: (event: CustomEvent<Change>) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}
