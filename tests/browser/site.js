// Serves the sign-in page as docs/frontend.md describes it: the files of two folders in one place, with one line changed.
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const WEB = new URL("../../web/", import.meta.url).pathname;
const KINDS = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript" };

/** The names of the page's files, each with its path. */
export async function siteFiles() {
  const folders = ["page", "client"].map(async (folder) => {
    const names = (await readdir(join(WEB, folder))).filter((name) => extname(name) in KINDS);
    return names.map((name) => [name, join(WEB, folder, name)]);
  });
  return new Map((await Promise.all(folders)).flat());
}

/** The script of a worker, for the tests of the client in one. */
const WORKER = ["worker.js", join(import.meta.dirname, "worker.js")];

/** Serves the page for the API at `api` until the end of the test. Returns its origin. */
export async function serveSite(t, api, delivery = "body") {
  const files = new Map([...(await siteFiles()), WORKER]);
  const policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src ${api}`;
  const server = createServer(async ({ url }, response) => {
    const name = url === "/" ? "index.html" : url.slice(1);
    if (!files.has(name)) return response.writeHead(404).end();
    const text = await readFile(files.get(name), "utf8");
    const headers = { "content-type": `${KINDS[extname(name)]}; charset=utf-8`, "content-security-policy": policy, "cache-control": "no-store" };
    response.writeHead(200, headers);
    response.end(text.replace(`content="http://127.0.0.1:3000" data-delivery="cookie"`, `content="${api}" data-delivery="${delivery}"`));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close() && server.closeAllConnections());
  return `http://127.0.0.1:${server.address().port}`;
}
