// A client without a browser, such as an app on a phone: storage, locks and channels are given.
import { Latchkey, locksOfOnePage } from "../../web/client/latchkey.js";
import { Memory } from "./memory.js";
import { ADA } from "./stack.js";

export { Memory };

/** A client for the API at `api`, closed at the end of the test. */
export function app(t, api, options) {
  const auth = new Latchkey({ api, delivery: "body", storage: new Memory(), locks: locksOfOnePage(), channel: null, ...options });
  t.after(() => auth.close());
  return auth;
}

/** Signs in. */
export async function signIn(auth, stack, address = ADA) {
  await auth.request(address);
  return auth.verify(await stack.code(address));
}

/** The code of an error, or the value. */
export const codeOf = (promise) => promise.then((value) => value, (error) => error.code ?? error);
