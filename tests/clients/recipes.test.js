// Builds each recipe of docs/frontend.md and signs in with it, in a real browser, against a running `local`. Then checks that
// its backends take and refuse the right tokens.
//
// API=http://localhost:3000 INBOX=http://127.0.0.1:8025 node --test recipes.test.js
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const { API, INBOX, CHROMIUM = "/usr/bin/chromium", PYTHON = "python3" } = process.env;
const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
// `local` allows this origin. Page and API have the same host name, so cookies work.
const [PORT, PAGE] = [5173, "http://localhost:5173"];
const { issuer } = await (await fetch(`${API}/.well-known/openid-configuration`)).json();
Object.assign(process.env, { VITE_AUTH_API: API, NEXT_PUBLIC_AUTH_API: API, AUTH_ISSUER: issuer, NEXT_TELEMETRY_DISABLED: "1" });

const APPS = ["plain", "react", "vue", "svelte", "next"];
const NEXT = join(HERE, "node_modules/next/dist/bin/next");
/** Each backend, with the path that answers with the user's id. */
const BACKENDS = {
  express: { path: "/me", start: (t, env) => serve(t, process.execPath, ["server.js"], "express", env) },
  fastapi: { path: "/me", start: (t, env) => serve(t, PYTHON, ["-m", "uvicorn", "main:app", "--port", PORT, "--log-level", "warning"], "fastapi", env) },
  next: { path: "/api/me", start: (t, env) => serve(t, process.execPath, [NEXT, "start", "--port", PORT, "--hostname", "127.0.0.1"], "next", env) },
};
let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM });
});

after(() => browser.close());

/** Starts a server of the test and waits for its first answer. */
async function serve(t, command, args, folder, env = {}) {
  const server = spawn(command, args, { cwd: join(HERE, folder), env: { ...process.env, PORT, ...env }, stdio: "inherit" });
  t.after(() => new Promise((stopped) => server.once("exit", stopped) && server.kill()));
  for (const until = Date.now() + 30_000; Date.now() < until; await new Promise((wake) => setTimeout(wake, 100))) {
    if (server.exitCode !== null) break;
    if (await fetch(PAGE).then(() => true, () => false)) return;
  }
  throw new Error(`${command} ${args.join(" ")} does not answer`);
}

async function messages(address) {
  return (await fetch(`${INBOX}/api/messages?to=${encodeURIComponent(address)}`)).json();
}

/** A new address, so that the tests can run again against the same inbox. */
const address = (name) => `${name}+${Date.now()}@example.com`;

/** Signs in, reloads, and signs out with the page at PAGE, after a mistyped address. Returns what the signed-in user sees. */
async function signIn(t, address) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(PAGE);
  const ask = async (address) => {
    await page.getByLabel("Email").fill(address);
    await page.getByRole("button", { name: "Send the code" }).click();
    await page.getByLabel("Code").waitFor();
  };
  await ask(`mistyped.${address}`);
  await page.getByRole("button", { name: "Use another address" }).click();
  await ask(address);
  // The API repeats the same code for some seconds, without another message.
  const again = page.waitForResponse((response) => response.url().includes("/otp/request") && response.request().method() === "POST");
  await page.getByRole("button", { name: "Send a new code" }).click();
  assert.equal((await again).status(), 200);
  // One, although an effect may run twice.
  const [message, ...more] = await messages(address);
  assert.equal(more.length, 0, "more than one message");
  await page.getByLabel("Code").fill(message.text.match(/\b\d{6}\b/)[0]);
  await page.getByRole("button", { name: "Sign in" }).click();
  const text = await page.getByText("Signed in as").innerText();
  if (text.includes("as user")) await showsFailures(page);
  await signOutElsewhere(context, page);
  await page.reload();
  await page.getByLabel("Email").waitFor();
  assert.deepEqual(problems, []);
  return text;
}

/** An app that asks its own server says that this server has failed. */
async function showsFailures(page) {
  await page.route(/\/me$/, (route) => route.fulfill({ status: 500, json: { id: "nobody" } }));
  await page.reload();
  await page.getByRole("alert").filter({ hasText: "The server answered 500." }).waitFor();
  await page.unroute(/\/me$/);
}

/** Reloads, and signs out in another tab while the answer about the user is on its way. It then comes too late to be shown. */
async function signOutElsewhere(context, page) {
  let [arrived, release] = [];
  const [isThere, isReleased] = [new Promise((resume) => (arrived = resume)), new Promise((resume) => (release = resume))];
  await page.route(/\/(me|profile)$/, async (route) => {
    if (route.request().method() === "OPTIONS") return route.continue();
    const response = await route.fetch();
    arrived();
    await isReleased;
    await route.fulfill({ response });
  });
  await page.reload();
  await isThere;
  const other = await context.newPage();
  await other.goto(PAGE);
  await other.getByText("Signed in as").waitFor();
  await other.getByRole("button", { name: "Sign out" }).click();
  await other.getByLabel("Email").waitFor();
  await page.getByLabel("Email").waitFor();
  const late = page.waitForResponse(/\/(me|profile)$/);
  release();
  await (await late).finished();
  await page.evaluate(() => new Promise((resume) => requestAnimationFrame(() => requestAnimationFrame(resume))));
  assert.deepEqual([await page.getByLabel("Email").isVisible(), await page.getByText("Signed in as").isVisible()], [true, false]);
  await page.unroute(/\/(me|profile)$/);
}

/** Tokens of a new user, and the user's id. */
async function tokens() {
  const post = async (path, body) => {
    const answer = await fetch(API + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    assert.equal(answer.status, 200);
    return answer.json();
  };
  const identifier = address("backend");
  const { challenge_id } = await post("/api/auth/otp/request/", { identifier });
  const otp_code = (await messages(identifier))[0].text.match(/\b\d{6}\b/)[0];
  const { user, tokens } = await post("/api/auth/otp/verify/", { identifier, otp_code, challenge_id });
  return { id: user.id, ...tokens };
}

/** Asserts that the backend at PAGE answers a request with this header with the user's id, or with 401. */
async function asked(path, authorization, id, name) {
  const answer = await fetch(PAGE + path, authorization ? { headers: { authorization } } : {});
  if (id) return assert.deepEqual([answer.status, await answer.json()], [200, { id }], name);
  assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [401, "Bearer"], name);
}

/** The backend at PAGE takes an access token, and nothing else. */
async function checksTokens({ path }) {
  const { id, access, refresh } = await tokens();
  await asked(path, `Bearer ${access}`, id);
  const [head, body, signature] = access.split(".");
  const changed = (part, fields) => Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(part, "base64url")), ...fields })).toString("base64url");
  const bad = {
    "no token": undefined,
    "another scheme": `Basic ${access}`,
    "a refresh token": `Bearer ${refresh}`,
    "another user": `Bearer ${head}.${changed(body, { sub: "somebody-else" })}.${signature}`,
    "no signature": `Bearer ${changed(head, { alg: "none" })}.${body}.`,
    "an unknown key": `Bearer ${changed(head, { kid: "0" })}.${body}.${signature}`,
  };
  for (const [name, authorization] of Object.entries(bad)) await asked(path, authorization, undefined, name);
}

/** An issuer that signs any token. Latchkey signs no token of another type or for another audience. */
async function otherIssuer(t) {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const keys = [{ ...(await exportJWK(publicKey)), kid: "1", alg: "RS256", use: "sig" }];
  const server = createServer((request, response) => response.setHeader("content-type", "application/json").end(JSON.stringify({ keys })));
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close() && server.closeAllConnections());
  const iss = `http://127.0.0.1:${server.address().port}`;
  const sign = ({ typ = "at+jwt", ...claims }) => {
    const token = new SignJWT({ iss, aud: "latchkey", sub: "ada", exp: Math.floor(Date.now() / 1000) + 60, ...claims });
    return token.setProtectedHeader({ alg: "RS256", kid: "1", typ }).sign(privateKey);
  };
  return { iss, sign };
}

test("plain HTML signs in", async (t) => {
  // Its text names the API of the tutorial, and a page of the tutorial has its own port.
  const server = createServer(async ({ url }, response) => {
    const path = url === "/" ? "/index.html" : url;
    // A copy of the client's files lies beside the page.
    const read = (folder) => readFile(join(folder, path), "utf8").catch(() => undefined);
    const text = (await read(join(HERE, "plain"))) ?? (await read(join(ROOT, "web/client")));
    if (text === undefined) return response.writeHead(404).end();
    response.setHeader("content-type", { ".html": "text/html", ".js": "text/javascript" }[extname(path)]);
    response.end(text.replace(`"http://127.0.0.1:3000"`, JSON.stringify(API)));
  }).listen(PORT, "127.0.0.1");
  t.after(() => server.close() && server.closeAllConnections());
  const plain = address("plain");
  assert.equal(await signIn(t, plain), `Signed in as ${plain}`);
});

for (const app of ["vue", "svelte"]) {
  test(`${app} signs in`, async (t) => {
    const root = join(HERE, app);
    await build({ root, logLevel: "warn" });
    const server = await preview({ root, preview: { port: PORT, host: "127.0.0.1", strictPort: true } });
    t.after(() => server.close());
    const own = address(app);
    assert.equal(await signIn(t, own), `Signed in as ${own} Sign out`);
  });
}

test("React in StrictMode signs in, and asks Express", async (t) => {
  await build({ root: join(HERE, "react"), logLevel: "warn" });
  await BACKENDS.express.start(t, { SITE: join(HERE, "react/dist") });
  assert.match(await signIn(t, address("react")), /Signed in as user [0-9a-f-]{36}/);
  await checksTokens(BACKENDS.express);
});

test("FastAPI checks tokens", async (t) => {
  await BACKENDS.fastapi.start(t);
  await checksTokens(BACKENDS.fastapi);
});

test("Next.js signs in, and its route checks tokens", async (t) => {
  await promisify(execFile)(process.execPath, [NEXT, "build"], { cwd: join(HERE, "next") });
  await BACKENDS.next.start(t);
  assert.match(await signIn(t, address("next")), /Signed in as user [0-9a-f-]{36}/);
  await checksTokens(BACKENDS.next);
});

for (const [name, { path, start }] of Object.entries(BACKENDS)) {
  test(`${name} refuses signed tokens that are not for it`, async (t) => {
    const { iss, sign } = await otherIssuer(t);
    await start(t, { AUTH_ISSUER: iss });
    await asked(path, `Bearer ${await sign({})}`, "ada");
    for (const bad of [{ typ: "JWT" }, { aud: "another" }, { iss: "https://another.example" }, { exp: 1 }]) {
      await asked(path, `Bearer ${await sign(bad)}`, undefined, JSON.stringify(bad));
    }
  });
}

/** The files of the recipes that a reader needs, without what a framework's template has. */
async function recipes() {
  const folders = [...APPS, "express", "fastapi"];
  const files = await Promise.all(folders.map(async (folder) => {
    const found = await readdir(join(HERE, folder), { recursive: true });
    return found.filter((file) => !/(^|\/)(dist|\.next|__pycache__)(\/|$)/.test(file)).map((file) => `${folder}/${file}`);
  }));
  const isOwn = (file) => /\.(jsx?|vue|svelte|py|html)$/.test(file);
  const isUsual = (file) => /(vite\.config|(vue|svelte)\/main|layout)\.jsx?$|(react|vue|svelte)\/index\.html$/.test(file);
  return files.flat().filter((file) => isOwn(file) && !isUsual(file)).sort();
}

test("docs/frontend.md shows the recipes as they are", async () => {
  const page = await readFile(join(ROOT, "docs/frontend.md"), "utf8");
  const shown = [...page.matchAll(/\]\(\.\.\/tests\/clients\/([^)]+)\)[^\n]*\n\n```\w+\n([^]*?)```\n/g)];
  assert.deepEqual(shown.map(([, file]) => file).sort(), await recipes());
  for (const [, file, text] of shown) assert.equal(text, await readFile(join(HERE, file), "utf8"), file);
});
