import express from "express";
import { createRemoteJWKSet, jwtVerify } from "jose";

const issuer = process.env.AUTH_ISSUER;
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
const rules = { issuer, audience: "latchkey", typ: "at+jwt", algorithms: ["RS256"] };
const REFUSED = /^ERR_(JWT|JWS|JOSE_ALG|JOSE_NOT|JWKS_NO)_/; // the codes of jose that blame the token

/** Lets only requests with a valid access token through, and sets `request.userId`. */
async function signedIn(request, response, next) {
  const token = /^Bearer (\S+)$/i.exec(request.get("authorization") ?? "")?.[1] ?? "";
  try {
    request.userId = (await jwtVerify(token, keys, rules)).payload.sub;
  } catch (error) {
    if (!REFUSED.test(error.code)) throw error; // the keys are out of reach, which says nothing about the token
    return response.status(401).set("www-authenticate", "Bearer").json({ error: "invalid_token" });
  }
  next();
}

const app = express();
app.get("/me", signedIn, (request, response) => response.json({ id: request.userId }));
app.use(express.static(process.env.SITE ?? "dist"));
app.listen(process.env.PORT ?? 5173, "127.0.0.1", () => console.log("listening"));
