// A frontend with a client generated from openapi.yaml. It signs in against a running `local` and gets every kind of
// answer that a frontend must distinguish. The compiler rejects everything outside the document.
//
// node sign-in.ts API INBOX [TOKENS-FILE]
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/api.ts";

const [api, inbox, file] = process.argv.slice(2);
assert(api && inbox, "which API, and which inbox?");
const client = createClient<paths>({ baseUrl: api });
const identifier = `ada+${Date.now()}@example.com`;

/** The newest code in the inbox. */
async function newestCode(): Promise<string> {
  const messages: { subject: string }[] = await (await fetch(`${inbox}/api/messages?to=${encodeURIComponent(identifier)}`)).json();
  const code = messages[0]?.subject.split(" ")[0];
  assert(code, "no mail came");
  return code;
}

const asked = await client.POST("/api/auth/otp/request/", { body: { identifier } });
assert(asked.data, JSON.stringify(asked.error));
const { challenge_id } = asked.data;
assert(challenge_id);

const otp_code = await newestCode();
const wrong = await client.POST("/api/auth/otp/verify/", {
  body: { identifier, otp_code: otp_code === "000000" ? "000001" : "000000", challenge_id },
});
assert(wrong.error && "error" in wrong.error && wrong.error.error === "invalid_otp", JSON.stringify(wrong));

const answered = await client.POST("/api/auth/otp/verify/", { body: { identifier, otp_code, challenge_id } });
assert(answered.data && "tokens" in answered.data, JSON.stringify(answered));
const { user, tokens } = answered.data;
assert(tokens.refresh, "tokens travel in bodies here");
const email: string | null = user.email;
assert.equal(email, identifier);
assert.equal(answered.data.is_new_user, true);

const refreshed = await client.POST("/api/auth/token/refresh/", { body: { refresh: tokens.refresh } });
assert(refreshed.data, JSON.stringify(refreshed.error));
assert(refreshed.data.refresh, "tokens travel in bodies here");
if (file) await writeFile(file, JSON.stringify(refreshed.data));

const headers = { authorization: `Bearer ${refreshed.data.access}` };
const profile = await client.GET("/api/profile/", { headers });
assert.equal(profile.data?.id, user.id);
const listed = await client.GET("/api/auth/sessions/", { headers });
const [session, ...others] = listed.data?.sessions ?? [];
assert(session?.current && others.length === 0);
const unknown = await client.DELETE("/api/auth/sessions/{id}/", { headers, params: { path: { id: "AAAAAAAAAAAAAAAAAAAAAA" } } });
assert.equal(unknown.data?.success, true);

// A client that asks too soon gets the same challenge again, and the rest of the pause.
const again = await client.POST("/api/auth/otp/request/", { body: { identifier } });
assert(again.data, JSON.stringify(again.error));
assert(again.data.challenge_id);
const early = await client.POST("/api/auth/otp/request/", { body: { identifier, challenge_id: again.data.challenge_id } });
assert(early.data, JSON.stringify(early.error));
const wait: number = early.data.retry_after;
assert(wait > 0 && wait <= 30);

/** The reaction to every error of a refresh. A missing code is a compile error. */
function advice(refusal: components["schemas"]["InvalidRequest" | "InvalidToken" | "Forbidden" | "InternalError" | "Unavailable"]): string {
  switch (refusal.error) {
    case "invalid_token": return "sign in";
    case "unavailable": return `wait for ${refusal.retry_after} seconds`;
    case "invalid_request": case "forbidden": case "internal_error": return refusal.message;
  }
}

const over = await client.POST("/api/auth/logout/", { body: { refresh: refreshed.data.refresh } });
assert.equal(over.data?.success, true);
const late = await client.POST("/api/auth/token/refresh/", { body: { refresh: refreshed.data.refresh } });
// API Gateway's own answers have no `error`.
assert(late.error && "error" in late.error);
assert.equal(advice(late.error), "sign in");

// A path of a replaced system, with its own format.
const sent = await client.POST("/accounts/otp/request/", { body: { identifier, channel: "email" } });
const resend: number | undefined = sent.data?.resend_in;
assert(resend, JSON.stringify(sent));
const flat = await client.POST("/accounts/otp/verify/", { body: { identifier, otp: await newestCode() } });
assert(flat.data?.refresh && flat.data.user.id === user.id, JSON.stringify(flat));

const keys = await client.GET("/.well-known/jwks.json");
assert(keys.data?.keys.every((key) => key.use === "sig"));

// These must not compile: a request without its identifier, an unknown route and an unknown field.
// @ts-expect-error
const incomplete: components["schemas"]["CodeRequest"] = { channel: "email" };
// @ts-expect-error
type Nowhere = paths["/api/auth/nowhere/"];
// @ts-expect-error
const nothing = answered.data.nothing;
void [incomplete, nothing];
console.log(`signed in as ${identifier} with the generated client`);
