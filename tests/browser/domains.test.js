// The page on real domains with TLS, copied as described in the README, with the API on its own domain.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { launch } from "./browser.js";
import { withTls } from "./front.js";
import { Person } from "./person.js";
import { serveSite } from "./site.js";
import { ADA, freePort, start } from "./stack.js";

const DOMAIN = "auth.example.com";
const HOSTS = ["app.example.com", "shop.example.com", "rogue.example.com", "app.example.org", DOMAIN];
const port = await freePort();
const [APP, SISTER, ROGUE, FOREIGN, API] = HOSTS.map((host) => `${host}:${port}`);
let browser;
before(async () => (browser = await launch({ hosts: HOSTS })));
after(() => browser.close());

/** A key and a certificate made for this test. */
async function certificate(t) {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-tls-"));
  t.after(() => rm(folder, { recursive: true }));
  const [key, cert] = ["key", "cert"].map((name) => join(folder, name));
  const names = "subjectAltName=DNS:*.example.com,DNS:*.example.org";
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=example", "-addext", names];
  await promisify(execFile)("openssl", ["req", "-x509", ...made, "-keyout", key, "-out", cert]);
  return { key: await readFile(key), cert: await readFile(cert) };
}

async function signedIn(t) {
  const AllowedOrigins = `https://${APP},https://${SISTER}`;
  const CertificateArn = "arn:aws:acm:us-east-1:000000000000:certificate/none"; // the front uses its own
  const stack = await start(t, { AllowedOrigins, DomainName: DOMAIN, CertificateArn, TokenDelivery: "cookie" });
  const page = await serveSite(t, `https://${API}`, "cookie");
  const names = { [API]: stack.api, [APP]: page, [SISTER]: page, [ROGUE]: page, [FOREIGN]: page };
  await withTls(t, port, await certificate(t), names);
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(10_000);
  t.after(() => context.close());
  const ada = await new Person(await context.newPage(), stack).open(`https://${APP}`);
  await ada.signIn(ADA);
  return ada;
}

async function at(person, host) {
  return new Person(await person.page.context().newPage(), person.stack).open(`https://${host}`);
}

test("sister subdomains share sign-ins and sign-outs", async (t) => {
  const app = await signedIn(t);
  const shop = await at(app, SISTER);
  await shop.isInside(ADA);
  await shop.button("Sign out").click();
  await shop.sees("Sign in");
  await app.page.reload();
  await app.sees("Sign in");
});

/** A request that a page may send without a preflight, with all cookies. */
const unasked = ({ page }, path) => page.evaluate(
  (url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" }).then(({ type }) => type, String),
  `https://${API}${path}`,
);

for (const [whose, host] of [["of another registrable domain", FOREIGN], ["of the same domain, but not allowed,", ROGUE]]) {
  test(`a page ${whose} learns nothing and changes nothing`, async (t) => {
    const app = await signedIn(t);
    const before = await app.stack.outcomes("refresh");
    const foreign = await at(app, host);
    await foreign.sees("No connection");
    assert.deepEqual(await app.stack.outcomes("refresh"), before, "the browser has not even sent it");
    assert.equal(await unasked(foreign, "/api/auth/logout/"), "opaque");
    assert.deepEqual(await app.stack.outcomes("logout"), ["invalid_request"]);
    await app.page.reload();
    await app.isInside(ADA);
  });
}
