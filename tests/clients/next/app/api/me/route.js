import { createRemoteJWKSet, jwtVerify } from "jose";

const issuer = process.env.AUTH_ISSUER;
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
const rules = { issuer, audience: "latchkey", typ: "at+jwt", algorithms: ["RS256"] };
const REFUSED = /^ERR_(JWT|JWS|JOSE_ALG|JOSE_NOT|JWKS_NO)_/; // the codes of jose that blame the token

export async function GET(request) {
  const token = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  try {
    const { payload } = await jwtVerify(token, keys, rules);
    return Response.json({ id: payload.sub });
  } catch (error) {
    if (!REFUSED.test(error.code)) throw error; // the keys are out of reach, which says nothing about the token
    return Response.json({ error: "invalid_token" }, { status: 401, headers: { "www-authenticate": "Bearer" } });
  }
}
