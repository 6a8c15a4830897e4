// Checks of the client package's files. They need no browser.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { siteFiles } from "./site.js";
import { ROOT, start } from "./stack.js";
import * as client from "../../web/client/latchkey.js";
import { webmail } from "../../web/client/webmail.js";

const run = promisify(execFile);
const CLIENT = join(ROOT, "web/client");
const read = (name) => readFile(join(ROOT, name), "utf8");

/** The modules that `name` imports, and the modules that these import. */
async function reached(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const [, next] of (await readFile(join(CLIENT, name), "utf8")).matchAll(/ from "([^"]+)"/g)) await reached(next.replace("./", ""), found);
  return found;
}

test("the core has at most 13 KB gzipped, in short modules without dependencies", async (t) => {
  const names = [...(await reached("latchkey.js"))];
  const texts = await Promise.all(names.map((name) => readFile(join(CLIENT, name), "utf8")));
  const size = gzipSync(texts.join("")).length;
  t.diagnostic(`${names.join(", ")}: ${size} bytes gzipped`);
  assert.ok(size <= 13 * 1_024, `${size} bytes`);
  for (const [index, text] of texts.entries()) {
    assert.ok(text.split("\n").length < 400, names[index]);
    assert.doesNotMatch(text, /^import (?!\{[^}]*\} from "\.\/)|import\(|https?:\/\/(?!auth\.example\.com)/m, names[index]);
  }
});

test("the package has its modules and types, and nothing else", async () => {
  const manifest = JSON.parse(await read("web/client/package.json"));
  assert.equal(manifest.sideEffects, false);
  assert.deepEqual([manifest.dependencies, manifest.peerDependencies], [undefined, undefined]);
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json"], { cwd: CLIENT });
  const [{ files }] = JSON.parse(stdout);
  const there = (await readdir(CLIENT)).filter((name) => /\.(js|d\.ts|json|md)$/.test(name));
  assert.deepEqual(files.map(({ path }) => path).sort(), there.sort());
  for (const { types, default: code } of Object.values(manifest.exports).filter((entry) => typeof entry === "object")) {
    assert.ok(there.includes(types.replace("./", "")) && there.includes(code.replace("./", "")));
  }
});

test("its type declarations match its members", async () => {
  const text = await read("web/client/latchkey.d.ts");
  const declared = text.split("export declare class Latchkey ")[1];
  const names = [...declared.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, name]) => name);
  const there = Object.getOwnPropertyNames(client.Latchkey.prototype);
  assert.deepEqual(names.filter((name) => !name.endsWith("EventListener")).sort(), there.sort());
  const exported = [...text.matchAll(/^export declare (?:class|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(exported.sort(), Object.keys(client).sort());
  assert.ok(new client.LatchkeyError("network", "") instanceof Error);
});

test("its types know every code of the API", async () => {
  const [, codes] = (await read("web/client/latchkey.d.ts")).match(/type ErrorCode =([^;]+);/);
  const declared = [...codes.matchAll(/"(\w+)"/g)].map(([, code]) => code);
  const answered = [...(await read("shared/src/words/error.rs")).matchAll(/ => "(\w+)",/g)].map(([, code]) => code);
  assert.ok(answered.length > 12);
  const own = ["network", "unexpected", "signed_out", "storage", "busy", "insecure", "unsupported", "invalid_option"];
  assert.deepEqual(declared.toSorted(), [...new Set([...answered, ...own])].toSorted());
  const described = (await read("docs/frontend.md")).matchAll(/^\| `(\w+)` \|/gm);
  const names = new Set([...described].map(([, name]) => name));
  assert.deepEqual(own.filter((code) => !names.has(code)), []);
});

test("a frontend in TypeScript compiles with them", async () => {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  await run(process.execPath, [tsc, "--project", join(ROOT, "tests/browser")]);
});

test("well-known domains have a webmail, and others have none", () => {
  assert.deepEqual(webmail("Ada@GMail.com "), { name: "Gmail", url: "https://mail.google.com/" });
  assert.equal(webmail("ada@web.de").url, "https://web.de/email/");
  for (const other of ["ada@example.com", "+447400123456", "gmail.com", "ada@gmail.com.example.org", "ada@toString", "", undefined]) {
    assert.equal(webmail(other), undefined);
  }
});

test("`local` serves the same page", async (t) => {
  const stack = await start(t);
  for (const [name, path] of await siteFiles()) {
    const url = `${stack.builtIn}/${name.replace("index.html", "")}`;
    const served = await (await fetch(url)).text();
    const kept = (await readFile(path, "utf8")).replace(`content="http://127.0.0.1:3000" data-delivery="cookie"`, `content="${stack.api}" data-delivery="body"`);
    assert.equal(served, kept, name);
  }
});
