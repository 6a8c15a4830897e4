// Proxies between a browser and the servers: one that loses answers, and a front with TLS and several names.
import { once } from "node:events";
import { createServer, request as ask } from "node:http";
import { createServer as createTlsServer } from "node:https";

/**
 * Forwards requests at `port` to `target`. If `loses` says so, the answer is dropped after the server has sent it. A function
 * answers in its place, or instead of the server if `blocks` returns one. Such an answer starts from `{"success":true}`.
 */
async function serve(t, port, server, target, loses, blocks) {
  server.on("request", (request, response) => {
    const instead = blocks?.(request);
    if (instead) return instead(response, undefined, `{"success":true}`, request);
    const { method, headers } = request;
    const onward = ask(target(request), { method, headers: { ...headers, connection: "close" } });
    onward.on("error", () => response.destroy());
    onward.on("response", async (answer) => {
      const body = Buffer.concat(await answer.toArray());
      const loss = loses?.(request);
      if (loss === "whole") return response.destroy();
      if (typeof loss === "function") return loss(response, answer, body.toString(), request);
      response.writeHead(answer.statusCode, { ...answer.headers, connection: "close" });
      if (loss === "body") return response.flushHeaders(), response.destroy();
      response.end(body);
    });
    request.pipe(onward);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close() && server.closeAllConnections());
  return server.address();
}

/** A proxy that counts refreshes or other requests, in total and in parallel, and loses some of their answers. */
export class Road {
  #path;

  constructor(path = "/api/auth/token/refresh") {
    this.#path = path;
  }

  asked = 0;
  lost = 0;
  atOnce = 0;
  #under = 0;
  /** Whether the answer to the n-th request is lost: `whole`, or only its `body`. */
  loses = () => undefined;

  async open(t) {
    const server = createServer();
    server.prependListener("request", (request) => {
      if (!this.#counts(request)) return;
      this.asked += 1;
      this.#under += 1;
      this.atOnce = Math.max(this.atOnce, this.#under);
    });
    const loses = (request) => {
      if (!this.#counts(request)) return undefined;
      this.#under -= 1;
      const loss = this.loses(this.asked);
      if (loss) this.lost += 1;
      return loss;
    };
    const { port } = await serve(t, 0, server, ({ url }) => url, loses);
    // Also for loopback addresses, because browsers otherwise bypass the proxy for them.
    this.proxy = { server: `http://127.0.0.1:${port}`, bypass: "<-loopback>" };
    return this;
  }

  #counts({ method, url }) {
    return method === "POST" && url.endsWith(this.#path);
  }
}

const JSON_TYPE = { "content-type": "application/json" };
const changed = (change) => (response, { statusCode, headers }, body) => {
  const { "content-length": _, ...others } = headers;
  response.writeHead(statusCode, others).end(JSON.stringify(change(JSON.parse(body))));
};
const raw = (status, headers, text) => (response, _answer, _body, { headers: { origin } }) => {
  const cors = origin ? { "access-control-allow-origin": origin, "access-control-allow-credentials": "true" } : {};
  response.writeHead(status, { ...cors, ...headers }).end(text);
};

/** Another server, which lets every page in. It keeps the paths of its requests. */
export const ELSEWHERE = { asked: [] };
const elsewhere = createServer(({ url, headers }, response) => {
  ELSEWHERE.asked.push(url);
  const cors = { "access-control-allow-origin": headers.origin ?? "*", "access-control-allow-credentials": "true", "access-control-allow-headers": "content-type, authorization" };
  response.writeHead(200, { ...cors, ...JSON_TYPE }).end("{}");
}).listen(0, "127.0.0.1").unref();
await once(elsewhere, "listening");
const location = `http://127.0.0.1:${elsewhere.address().port}/sign-in`;

/** Answers that are not Latchkey's, by what they are. The server has handled the request before. */
export const FOREIGN = {
  "a page": raw(200, { "content-type": "text/html" }, "<!doctype html><title>Welcome to our Wi-Fi</title>"),
  "a page that claims to be JSON": raw(200, JSON_TYPE, "<!doctype html>"),
  "204": raw(204, {}),
  "an empty answer": raw(200, JSON_TYPE, ""),
  "null": raw(200, JSON_TYPE, "null"),
  "another service's JSON": raw(200, JSON_TYPE, "{}"),
  "a refusal with a good status": raw(200, JSON_TYPE, '{"success":false,"error":"invalid_token","message":"no"}'),
  "JSON without its type": (response, answer, body, request) => raw(200, { "content-type": "text/plain" }, body)(response, answer, body, request),
  "cut JSON": (response, answer, body, request) => raw(200, JSON_TYPE, body.slice(0, -5))(response, answer, body, request),
  "a good answer that a proxy has changed": (response, answer, body, request) => raw(203, JSON_TYPE, body)(response, answer, body, request),
  "an answer with missing fields": changed(({ expires_in: _, ...answer }) => ({ ...answer, success: undefined })),
  "another service's 401": raw(401, JSON_TYPE, '{"error":"invalid_token"}'),
  "a page with 404": raw(404, { "content-type": "text/html" }, "<!doctype html>"),
  "a redirect to a page": raw(302, { location: "/hotspot" }),
  // A client that follows these sends the body of its request again.
  "a 307 to another server": raw(307, { location }),
  "a 308 to another server": raw(308, { location }),
  "no answer": (response) => response.destroy(),
};
/** Changes fields of an answer. */
export const withFields = (fields) => changed((answer) => ({ ...answer, ...fields }));

/** A proxy for requests to `target` that counts them and spoils answers. */
export class Spoiler {
  /** The requests, as `POST /path`. */
  asked = [];
  /** How the answer to a request is spoiled: a function of `FOREIGN`, or `undefined`. */
  spoil = () => undefined;
  /** The same for a request that does not reach the server. */
  block = () => undefined;

  /** Opens it in front of a server, or as a browser's proxy if there is no target. */
  async open(t, target) {
    const server = createServer();
    const { port } = await serve(t, 0, server, ({ url }) => (target ? target + url : url), (request) => {
      this.asked.push(`${request.method} ${request.url.replace(/^http:\/\/[^/]+/, "")}`);
      return request.method === "OPTIONS" ? undefined : this.spoil(request);
    }, (request) => (request.method === "OPTIONS" ? undefined : this.block(request)));
    this.url = `http://127.0.0.1:${port}`;
    this.proxy = { server: this.url, bypass: "<-loopback>" };
    return this;
  }

  /** Spoils the answers to all requests of a path. */
  on(path, spoiled) {
    this.spoil = ({ url }) => (url.endsWith(path) ? spoiled : undefined);
  }
}

/** A server with TLS for several names. Each name leads to a local server. */
export function withTls(t, port, { key, cert }, names) {
  const target = ({ headers, url }) => new URL(url, names[headers.host]);
  return serve(t, port, createTlsServer({ key, cert }), target);
}
