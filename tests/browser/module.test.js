// Checks of the client module's source.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ROOT } from "./stack.js";

const read = (name) => readFile(join(ROOT, name), "utf8");

test("the module is short and has no dependencies", async () => {
  const text = await read("web/client/latchkey.js");
  assert.ok(text.split("\n").length < 310);
  assert.doesNotMatch(text, /^import |import\(|https?:\/\/(?!auth\.example\.com)/m);
});

test("its type declarations match its members", async () => {
  globalThis.location ??= new URL("http://127.0.0.1/");
  const { Latchkey, LatchkeyError } = await import("../../web/client/latchkey.js");
  const declared = (await read("web/client/latchkey.d.ts")).split("export declare class Latchkey ")[1];
  const names = [...declared.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, name]) => name);
  const there = Object.getOwnPropertyNames(Latchkey.prototype);
  assert.deepEqual(names.filter((name) => name !== "addEventListener").sort(), there.sort());
  assert.ok(new LatchkeyError("network", "") instanceof Error);
});

test("its types know every code of the API", async () => {
  const [, codes] = (await read("web/client/latchkey.d.ts")).match(/type ErrorCode =([^;]+);/);
  const declared = [...codes.matchAll(/"(\w+)"/g)].map(([, code]) => code);
  const answered = [...(await read("shared/src/words/error.rs")).matchAll(/ => "(\w+)",/g)].map(([, code]) => code);
  assert.ok(answered.length > 12);
  assert.deepEqual(declared.toSorted(), [...new Set(answered), "network", "unexpected", "signed_out"].toSorted());
});

test("a frontend in TypeScript compiles with them", async () => {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "--project", join(ROOT, "tests/browser")]);
});
