// Requests with a bound, their repeats, and the access token. All times are in milliseconds.
import { parsed, understood } from "./answers.js";
import { LatchkeyError } from "./errors.js";

const PAUSES = [250, 1_000, 2_500]; // between the attempts
const LONG_PATIENCE = 30_000; // for requests with a waiting user, while the server sends a mail
const FRESH = 10_000; // who refuses a younger token would refuse the next one too
const LONGEST_PAUSE = 5_000; // with a longer `retry_after`, the request fails instead

export const now = () => ({ date: Date.now(), mono: performance.now() });
/** How long a token lives on. */
export const left = ({ life, date, mono }) => life - Math.max(Date.now() - date, performance.now() - mono);
export const varied = () => 0.5 + Math.random(); // so that clients spread their requests over time

/** Sends a request with `send`, waits `patience` for the whole answer, and returns the JSON of Latchkey's answer. */
export async function exchange(url, send, isRight, patience) {
  const late = new AbortController();
  let timer;
  // Some platforms ignore the signal.
  const bound = new Promise((_, reject) => {
    timer = setTimeout(() => {
      late.abort();
      reject(late.signal.reason);
    }, patience);
  });
  const answered = async () => {
    const response = await send(late.signal);
    return understood(url, response, await response.text(), isRight);
  };
  try {
    return await Promise.race([answered(), bound]);
  } catch (cause) {
    if (cause instanceof LatchkeyError) throw cause;
    const message = late.signal.aborted ? `The server did not answer within ${patience / 1_000} seconds.` : "The server did not answer.";
    throw new LatchkeyError("network", message, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** The server has not answered, or somebody else has. */
export const isLost = ({ code }) => code === "network" || code === "unexpected";
/** Another attempt may succeed. */
export const isPassing = (error) => isLost(error) || error.status === 429 || error.status >= 500;

/** Repeats an attempt that fails with an error of the given kind, up to three times. The attempt learns if it is the last one. */
export async function insist(attempt, isRepeated = isPassing) {
  for (const pause of PAUSES) {
    try {
      return await attempt(false);
    } catch (error) {
      const wait = Math.max(pause * varied(), (error.retryAfter ?? 0) * 1_000);
      if (!isRepeated(error) || wait > LONGEST_PAUSE) throw error;
      await new Promise((resume) => setTimeout(resume, wait));
    }
  }
  return attempt(true);
}

const underWay = new Map();

/** Runs `act` once at a time for each `key` of this page. A second caller gets the first one's result. */
export function joined(key, act) {
  if (!underWay.has(key)) underWay.set(key, act().finally(() => underWay.delete(key)));
  return underWay.get(key);
}

/** Requests to the API, and with the access token also to the other allowed origins. */
export class Api {
  #place; #good; #replace; #onStepUp;

  /** `good` gives the access token with its time, and `replace` gets a new one. */
  constructor(place, { good, replace, onStepUp }) {
    this.#place = place;
    this.#good = good;
    this.#replace = replace;
    this.#onStepUp = onStepUp;
  }

  async fetch(input, init, fresh = FRESH, canStepUp = Boolean(this.#onStepUp)) {
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
    if (answer.status !== 401) return answer;
    // The session of a token that is only too weak lives on.
    const demand = await demandOf(answer);
    if (demand && !canStepUp) return answer;
    if (demand) await this.#stepUp(demand);
    else if (held.life - left(held) < fresh) return answer;
    // Its key was revoked or its session has ended. Retry once with a new token, if the server gives one.
    else await this.#replace(held);
    return send(await this.#good());
  }

  post(path, fields, isRight, { patience = LONG_PATIENCE, ...init } = {}) {
    const { api, isBody } = this.#place;
    const url = `${api}/api/auth/${path}`;
    const send = (signal) => fetch(url, this.#own("POST", fields, { ...init, signal }));
    return exchange(url, send, (answer) => isRight(answer, isBody), patience);
  }

  /** Sends a request with the access token. Those without fields may be repeated. */
  async ask(method, path, isRight, fields) {
    const { api, isBody } = this.#place;
    const url = api + path;
    const send = (signal) => this.fetch(url, this.#own(method, fields, { signal }), 0, false);
    const attempt = (isLast) => exchange(url, send, (answer) => isRight(answer, isBody), isLast ? LONG_PATIENCE : LONG_PATIENCE / 3);
    const ask = () => (fields ? attempt(true) : insist(attempt, isLost));
    try {
      return await ask();
    } catch (error) {
      if (error.code !== "step_up_required" || !this.#onStepUp) throw error;
      await this.#stepUp(error.cause); // here, because the user may take longer than any request
      return ask();
    }
  }

  /** Asks the app for a step-up. Requests that need one at the same time ask once. */
  #stepUp({ acr, max_age, methods }) {
    return joined(`${this.#place.name} step-up`, async () => this.#onStepUp({ acr, max_age, methods }));
  }

  /** A redirect could carry a secret to another server. The API redirects none of these requests. */
  #own(method, fields, { headers, ...init }) {
    const [token_delivery, credentials] = this.#place.isBody ? ["body", "omit"] : ["cookie", "include"];
    const own = { cache: "no-store", redirect: "manual", credentials, method, ...init };
    if (!fields) return own;
    return { ...own, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ ...fields, token_delivery }) };
  }
}

/** What a 401 demands if it asks for a step-up: as the API does, or in a header of RFC 9470. Otherwise undefined. */
async function demandOf(response) {
  const header = response.headers.get("www-authenticate") ?? "";
  const answer = parsed(await response.clone().text().catch(() => ""));
  if (answer?.error === "step_up_required") return answer;
  if (!header.includes("insufficient_user_authentication")) return undefined;
  const [, acr] = header.match(/acr_values="([^"]+)"/) ?? [];
  const [, age] = header.match(/max_age="?(\d+)/) ?? [];
  return { acr, max_age: age && Number(age) };
}
