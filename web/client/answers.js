// What counts as an answer of Latchkey. A captive portal, a proxy or another server may answer instead, with any status and
// any body. Such an answer must neither sign a user in nor out.
import { LatchkeyError } from "./errors.js";

const DAY = 86_400; // seconds

const isText = (value) => typeof value === "string" && value !== "";
const isToken = (value) => isText(value) && /^[\w.~+/=-]+$/.test(value); // RFC 6750, section 2.1
const isUser = (user) => isText(user?.id);
const isList = (rows, key) => Array.isArray(rows) && rows.every((row) => isText(row?.[key]));

/** The shapes of successful answers. In body mode the answers also carry what cookies carry otherwise. */
export const isRequested = ({ success, channel, challenge_id, expires_in, retry_after }, isBody) =>
  success === true && isText(channel) && Number.isFinite(expires_in) && Number.isFinite(retry_after) && (!isBody || isText(challenge_id));
export const isStatus = ({ success, state, channel, can }) => success === true && isText(state) && isText(channel) && Array.isArray(can);
export const isRefreshed = ({ access, refresh, expires_in }, isBody) =>
  isToken(access) && Number.isFinite(expires_in) && expires_in > 0 && (!isBody || isToken(refresh));
const isVerified = ({ success, user, tokens, expires_in }, isBody) =>
  success === true && isUser(user) && isRefreshed({ ...tokens, expires_in }, isBody);
export const isDue = ({ methods, challenge_id, expires_in }, isBody) =>
  Array.isArray(methods) && Number.isFinite(expires_in) && (!isBody || isText(challenge_id));
export const isAnswered = (answer, isBody) =>
  answer.success === true && answer.second_factor_required === true ? isDue(answer, isBody) : isVerified(answer, isBody);
export const isRaised = ({ success, tokens, expires_in }, isBody) => success === true && isRefreshed({ ...tokens, expires_in }, isBody);
export const isOptions = ({ success, methods }) => success === true && Array.isArray(methods);
export const isFactors = ({ success, totp, trusted_devices }) => success === true && isList(totp, "id") && isList(trusted_devices, "id");
export const isApp = ({ success, factor_id, secret, otpauth_uri }) => success === true && [factor_id, secret, otpauth_uri].every(isText);
const isCodes = (codes) => Array.isArray(codes) && codes.every(isText);
export const isConfirmed = ({ success, backup_codes }) => success === true && (backup_codes === undefined || isCodes(backup_codes));
export const isNewCodes = ({ success, backup_codes }) => success === true && isCodes(backup_codes);
export const isDone = ({ success }) => success === true;
export const isProfile = isUser;
export const isSessions = ({ success, sessions }) => success === true && isList(sessions, "id");
export const isSources = ({ success, sources }) => success === true && isList(sources, "source");
export const isActivity = ({ success, activity, next }) => success === true && isList(activity, "id") && (next === null || isText(next));

/** A number of seconds from an answer, between 0 and a day. */
export const seconds = (value) => (Number.isFinite(value) ? Math.min(Math.max(value, 0), DAY) : 0);

/** Returns the JSON of an answer of the right shape. Otherwise throws its error, or `unexpected` if it is not Latchkey's. */
export function understood(url, response, text, isRight) {
  const { status, headers } = response;
  const type = headers.get("content-type") ?? "no content type";
  // Redirects are not followed, except by platforms that ignore this.
  const answer = !response.redirected && /^application\/json\b/i.test(type) ? parsed(text) : undefined;
  if (status === 200 && answer && isRight(answer)) return answer;
  const requestId = headers.get("x-request-id") ?? undefined;
  if (status >= 400 && answer?.success === false && isText(answer.error)) {
    const retryAfter = Number.isFinite(answer.retry_after) ? seconds(answer.retry_after) : undefined;
    throw new LatchkeyError(answer.error, String(answer.message), { cause: answer, status, retryAfter, requestId });
  }
  throw new LatchkeyError("unexpected", `${url} did not answer as Latchkey does: ${status || "a redirect"}, ${type}.`, { status, requestId });
}

/** The object in `text`, or undefined. */
export function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
