// Requests with a bound, and their repeats. All times are in milliseconds.
import { understood } from "./answers.js";
import { LatchkeyError } from "./errors.js";

const PAUSES = [250, 1_000, 2_500]; // between the attempts
const LONGEST_PAUSE = 5_000; // with a longer `retry_after`, the request fails instead

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
