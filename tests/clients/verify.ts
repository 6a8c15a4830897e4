// A backend with jose. It verifies an access token with discovery and the published keys, and refuses other tokens.
//
// node verify.ts ISSUER TOKENS-FILE
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyOptions } from "jose";

const [issuer, file] = process.argv.slice(2);
assert(issuer && file, "whose tokens, and which?");
const { access, refresh } = JSON.parse(await readFile(file, "utf8"));
const discovery = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
assert.equal(discovery.issuer, issuer);
const keys = createRemoteJWKSet(new URL(discovery.jwks_uri));
const rules: JWTVerifyOptions = {
  issuer,
  audience: "latchkey",
  typ: "at+jwt",
  algorithms: discovery.id_token_signing_alg_values_supported,
};

const { payload, protectedHeader } = await jwtVerify(access, keys, rules);
assert.equal(payload["token_type"], "access");
assert.equal(payload["user_id"], payload.sub);

/** Asserts that jose refuses a token for this reason. */
async function refuses(token: string, changed: JWTVerifyOptions, reason: new (...args: never[]) => Error) {
  await assert.rejects(jwtVerify(token, keys, { ...rules, ...changed }), reason);
}

const [head, body, signature] = access.split(".");
await refuses(refresh, {}, errors.JWSInvalid);
await refuses(access, { audience: "another" }, errors.JWTClaimValidationFailed);
await refuses(access, { issuer: "https://another.example" }, errors.JWTClaimValidationFailed);
await refuses(access, { typ: "JWT" }, errors.JWTClaimValidationFailed);
await refuses(access, { algorithms: ["HS256"] }, errors.JOSEAlgNotAllowed);
await refuses(access, { currentDate: new Date((payload.exp! + 1) * 1000) }, errors.JWTExpired);
const forged = Buffer.from(JSON.stringify({ ...payload, sub: "somebody-else" })).toString("base64url");
await refuses(`${head}.${forged}.${signature}`, {}, errors.JWSSignatureVerificationFailed);
const unsigned = Buffer.from(JSON.stringify({ ...protectedHeader, alg: "none" })).toString("base64url");
await refuses(`${unsigned}.${body}.`, {}, errors.JOSEAlgNotAllowed);
console.log(`jose takes the access token (${protectedHeader.alg}) and refuses everything else`);
