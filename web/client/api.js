// Requests to the API, and with the access token also to the other allowed origins. All times are in milliseconds.
import { exchange, insist, isLost, joined, left } from "./requests.js";
import { parsed } from "./answers.js";

const LONG_PATIENCE = 30_000; // for requests with a waiting user, while the server sends a mail
const FRESH = 10_000; // who refuses a younger token would refuse the next one too

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
