// The client package in the usual bundlers. A bundle works on a server too, and an unused import leaves nothing behind.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";

const USED = `import { Latchkey, LatchkeyError } from "@latchkey/client";
import { webmail } from "@latchkey/client/webmail";
globalThis.built = { auth: new Latchkey({ api: "/auth" }), LatchkeyError, mail: webmail("ada@gmail.com") };
`;
const UNUSED = `import { Latchkey } from "@latchkey/client";
import { webmail } from "@latchkey/client/webmail";
globalThis.built = "nothing";
`;

const BUILD = {
  esbuild: (entry, outfile) => esbuild.build({ entryPoints: [entry], outfile, bundle: true, minify: true, format: "esm" }),
  vite: (entry, outfile) => vite.build({
    configFile: false,
    logLevel: "error",
    build: { lib: { entry, formats: ["es"], fileName: () => "out.mjs" }, outDir: join(outfile, ".."), emptyOutDir: false, minify: "oxc" },
  }),
  webpack: async (entry, outfile) => {
    const options = { mode: "production", entry, output: { path: join(outfile, ".."), filename: "out.mjs" } };
    const stats = await promisify(webpack)(options);
    assert.equal(stats.hasErrors(), false, stats.toString());
  },
};

// Beside the packages, so that they are found.
const home = await mkdtemp(join(import.meta.dirname, "node_modules/built-"));
after(() => rm(home, { recursive: true }));

async function built(name, what, text) {
  const folder = join(home, `${name}-${what}`);
  const outfile = join(folder, "out.mjs");
  const entry = join(home, `${name}-${what}.js`);
  await writeFile(entry, text);
  await BUILD[name](entry, outfile);
  return outfile;
}

for (const name of Object.keys(BUILD)) {
  test(`${name} builds it`, async (t) => {
    const file = await built(name, "used", USED);
    await import(pathToFileURL(file));
    const { auth, LatchkeyError, mail } = globalThis.built;
    assert.equal(auth.signedIn, undefined);
    assert.equal(mail.name, "Gmail");
    await assert.rejects(() => auth.restore(), (error) => error instanceof LatchkeyError && error.code === "unsupported");
    t.diagnostic(`${gzipSync(await readFile(file)).length} bytes gzipped`);
  });

  test(`${name} leaves it out if it is unused`, async () => {
    assert.doesNotMatch(await readFile(await built(name, "unused", UNUSED), "utf8"), /latchkey|gmail/i);
  });
}
