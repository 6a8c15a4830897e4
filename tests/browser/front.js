// What stands between a browser and the servers: a proxy on which answers get lost, and a front with TLS and names.
import { once } from "node:events";
import { createServer, request as ask } from "node:http";
import { createServer as createTlsServer } from "node:https";

/** Serves at `port` what `target` leads to; an answer that `loses` is not told, though it was given. */
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

/** A proxy that looks at refreshes: how many, how many at once, and which answers it loses. */
export class Road {
  asked = 0;
  lost = 0;
  atOnce = 0;
  #under = 0;
  /** Says of the n-th refresh whether its answer is lost: `whole`, or the `body` only. */
  loses = () => undefined;

  async open(t) {
    const server = createServer();
    server.prependListener("request", (request) => {
      if (!isRefresh(request)) return;
      this.asked += 1;
      this.#under += 1;
      this.atOnce = Math.max(this.atOnce, this.#under);
    });
    const loses = (request) => {
      if (!isRefresh(request)) return undefined;
      this.#under -= 1;
      const loss = this.loses(this.asked);
      if (loss) this.lost += 1;
      return loss;
    };
    const { port } = await serve(t, 0, server, ({ url }) => url, loses);
    // For loopback addresses too, which browsers otherwise reach without their proxy.
    this.proxy = { server: `http://127.0.0.1:${port}`, bypass: "<-loopback>" };
    return this;
  }
}

const isRefresh = ({ method, url }) => method === "POST" && url.endsWith("/api/auth/token/refresh/");

/** A server with TLS for several names, each of which leads to a server here. */
export function withTls(t, port, { key, cert }, names) {
  const target = ({ headers, url }) => new URL(url, names[headers.host]);
  return serve(t, port, createTlsServer({ key, cert }), target);
}
