// A separate stack for each test: `local` on free ports, with the parameters of a deployment.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { serveSite } from "./site.js";

export const ROOT = new URL("../../", import.meta.url).pathname;
const LOCAL = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/local");
export const ADA = "ada@example.com";
/** The screens on which the page must look right. */
export const SCREENS = {
  "desktop in the light": { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  "desktop in the dark": { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  "phone in the light": { viewport: { width: 360, height: 740 }, colorScheme: "light", isMobile: true, hasTouch: true },
  "phone in the dark": { viewport: { width: 360, height: 740 }, colorScheme: "dark", isMobile: true, hasTouch: true },
};
/** Limits above those of any test, keys that are quick to generate, and exact lives of tokens. */
const USUAL = {
  JwtAlgorithm: "ES256",
  JwtAccessJitter: 0,
  OtpRequestsPerIp: 1_000_000,
  OtpFailuresPerIp: 1_000_000,
};

/** Long timeouts, because a busy machine is slow. A message whose answer came too late could arrive after the test looked for it. */
const PATIENCE = ["AWS_ATTEMPT_TIMEOUT_MS=20000", "AWS_OPERATION_TIMEOUT_MS=25000"].flatMap((setting) => ["--env", setting]);

/** A free port, below those that the system gives to outgoing connections. Such a connection could take it before its server. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(() => true, () => false);
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** A folder with the template and a profile with these parameters. */
async function deployment(parameters) {
  const root = await mkdtemp(join(tmpdir(), "latchkey-"));
  await cp(join(ROOT, "template.yaml"), join(root, "template.yaml"));
  const profile = await readFile(join(ROOT, "samconfig.toml"), "utf8");
  const lines = Object.entries(parameters).map(([name, value]) => `    "${name}=${value}",\n`);
  const changed = Object.keys(parameters).join("|");
  const kept = profile.replace(new RegExp(`^ *"(${changed})=.*\n`, "gm"), "");
  await writeFile(join(root, "samconfig.toml"), kept.replace("parameter_overrides = [\n", `$&${lines.join("")}`));
  return root;
}

/** Starts a stack. It stops at the end of the test. */
export async function start(t, parameters = {}) {
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const [api, aws, inbox, builtIn] = ports.map((port) => `127.0.0.1:${port}`);
  const page = await serveSite(t, `http://${api}`, parameters.TokenDelivery);
  const AllowedOrigins = [page, `http://${builtIn}`, `http://${builtIn}`.replace("127.0.0.1", "localhost")].join();
  const root = await deployment({ ...USUAL, AllowedOrigins, ...parameters });
  const local = spawn(LOCAL, ["--api", api, "--aws", aws, "--inbox", inbox, "--page", builtIn, ...PATIENCE], { cwd: root });
  t.after(async () => {
    local.kill();
    await rm(root, { recursive: true });
  });
  let said = "";
  local.stderr.on("data", (text) => (said += text));
  const ready = (async () => {
    for await (const line of createInterface(local.stdout)) if (line.startsWith("Press Ctrl-C")) return true;
    return false;
  })();
  if (!(await ready)) throw new Error(`local did not start: ${said}`);
  return new Stack(`http://${api}`, `http://${inbox}`, page, `http://${builtIn}`, `http://${aws}`);
}

class Stack {
  /** By how many seconds the server's clock is ahead. */
  skipped = 0;

  /** `page` is from the files of `web`, `builtIn` from the copy in `local`. */
  constructor(api, inbox, page, builtIn, aws) {
    Object.assign(this, { api, inbox, page, builtIn, aws });
  }

  /** The newest code sent to `address`. */
  async code(address = ADA) {
    const [{ channel, text }] = await this.messages(address);
    // A call speaks each digit for itself.
    return (channel === "voice" ? text.replaceAll(" … ", "") : text).match(/\d{6}/)[0];
  }

  /** All messages sent to `address`, newest first. */
  async messages(address = ADA) {
    return (await fetch(`${this.inbox}/api/messages?to=${encodeURIComponent(address)}`)).json();
  }

  /** Requests a code without a browser. */
  ask(body) {
    return this.#post("otp/request", body);
  }

  /** Signs in without a browser, from a page at `source`. Returns the answer with the tokens. */
  async signIn(address, source) {
    const { challenge_id } = await this.ask({ identifier: address });
    const answer = { identifier: address, otp_code: await this.code(address), challenge_id, source_url: source };
    return this.#post("otp/verify", answer);
  }

  /** Ends the session of a refresh token. */
  signOut(refresh) {
    return this.#post("logout", { refresh });
  }

  /** Puts an event on the bus, as the function `record` does. The bus has the name of its resource in the template. */
  async putEvent(type, detail) {
    const entry = { EventBusName: "latchkey-Bus", Source: "latchkey", DetailType: type, Detail: JSON.stringify(detail) };
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSEvents.PutEvents",
      authorization: "AWS4-HMAC-SHA256 Credential=Record/20270115/us-east-1/events/aws4_request, Signature=0",
    };
    const answer = await fetch(this.aws, { method: "POST", headers, body: JSON.stringify({ Entries: [entry] }) });
    const body = await answer.json();
    if (!answer.ok || body.FailedEntryCount) throw new Error(JSON.stringify(body));
  }

  /** Moves the server's clock. */
  wait(seconds) {
    this.skipped += seconds;
    return this.#tell("clock", { advance_seconds: seconds });
  }

  /** Sets the faults from now on. */
  faults(faults) {
    return this.#tell("faults", faults);
  }

  /** The outcomes of one function's requests, oldest first. */
  async outcomes(name) {
    const lines = (await (await fetch(`${this.inbox}/api/logs`)).text()).split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line)).filter((line) => line.function === name).map((line) => line.outcome);
  }

  /** Whether a refresh token was reused. */
  async reuse() {
    return (await (await fetch(`${this.inbox}/api/logs`)).text()).includes("refresh_reuse");
  }

  async #post(path, body) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.api}/api/auth/${path}/`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  async #tell(what, body) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.inbox}/api/${what}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  }
}
