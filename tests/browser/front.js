// Proxies between a browser and the servers: one that loses answers, and a front with TLS and several names.
import { once } from "node:events";
import { createServer, request as ask } from "node:http";
import { createServer as createTlsServer } from "node:https";

/** Forwards requests at `port` to `target`. If `loses` says so, the answer is dropped after the server has sent it. */
async function serve(t, port, server, target, loses) {
  server.on("request", (request, response) => {
    const { method, headers } = request;
    const onward = ask(target(request), { method, headers: { ...headers, connection: "close" } });
    onward.on("error", () => response.destroy());
    onward.on("response", async (answer) => {
      const body = Buffer.concat(await answer.toArray());
      const loss = loses?.(request);
      if (loss === "whole") return response.destroy();
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

  constructor(path = "/api/auth/token/refresh/") {
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

/** A server with TLS for several names. Each name leads to a local server. */
export function withTls(t, port, { key, cert }, names) {
  const target = ({ headers, url }) => new URL(url, names[headers.host]);
  return serve(t, port, createTlsServer({ key, cert }), target);
}
