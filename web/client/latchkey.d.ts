/** The types of `latchkey.js`. What it takes care of stands at its beginning. */

/** A code of the API, or one of the three of this module: no answer, an answer that is not Latchkey's, nobody signed in. */
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
  /** The answer's status; 0 where there was none. */
  readonly status: number;
  /** Seconds, where waiting helps. */
  readonly retryAfter?: number;
  /** What the operator can find the request by. */
  readonly requestId?: string;
}

export interface Options {
  /** Where the API is: its own domain, or its whole URL. */
  api: string | URL;
  /** How the refresh token travels. `cookie`, the default, needs the API to share a registrable domain with the page. */
  delivery?: "cookie" | "body";
  /** Who else `fetch` may give the token to, beside the API and the page's own origin. */
  origins?: (string | URL)[];
}

/** A code that was asked for. Times are as `Date.now()` has them. */
export interface Pending {
  readonly identifier: string;
  readonly channel: "email" | "sms";
  readonly expiresAt: number;
  /** From then on it can be sent again. */
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
  /** RFC 3339, as all times of the API. */
  readonly date_joined: string;
  readonly last_login: string | null;
  readonly is_new_user: boolean;
}

export interface Session {
  readonly id: string;
  readonly created: string;
  readonly last_used: string;
  readonly device: string;
  readonly ip_prefix: string;
  readonly current: boolean;
}

/** Why `signedIn` changed: `ended` is an end that nobody asked for here, such as a sign-out on another device. */
export interface Change {
  readonly signedIn: boolean;
  readonly why: "signed-in" | "refreshed" | "signed-out" | "ended";
}

/** All methods that ask the server fail with a `LatchkeyError`. */
export declare class Latchkey extends EventTarget {
  constructor(options: Options);
  /** Undefined until it is known. */
  readonly signedIn: boolean | undefined;
  /** The code that this tab waits for, also after a reload. */
  readonly pending: Pending | undefined;
  /** Finds out whether somebody is signed in. It fails where that cannot be known now, which does not mean no. */
  restore(): Promise<boolean>;
  /** Asks for a code; for the identifier that is waited for already, sends that code again. */
  request(identifier: string, options?: { source?: string }): Promise<Pending>;
  /** Sends the code that is waited for again: a new one, after which the old one does not work. */
  resend(): Promise<Pending>;
  /** Forgets the code that is waited for, as another address is to be asked for. */
  forget(): void;
  /** Signs in with the code as it was typed or pasted. */
  verify(code: string): Promise<User>;
  /** An access token that is good for a minute at least. */
  token(): Promise<string>;
  /** Gets new tokens now. It is rarely needed: `token` and `fetch` see to it. */
  refresh(): Promise<string>;
  /** Fetches with the access token, from the API, the page's origin and `origins` only. */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Who is signed in. */
  profile(): Promise<User>;
  /** Where this person is signed in. */
  sessions(): Promise<Session[]>;
  /** Ends one session of this person, by the id that the list has. */
  endSession(id: string): Promise<void>;
  /** Ends all sessions of this person but this one. */
  endOthers(): Promise<void>;
  /** Signs out in all tabs; `everywhere`, on all devices. If the server cannot be told it fails, and the session goes on. */
  signOut(options?: { everywhere?: boolean }): Promise<void>;
  /** Lets go of everything: the timer, the listeners, the channel. */
  close(): void;
  addEventListener(type: "change", listener: (event: CustomEvent<Change>) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}
