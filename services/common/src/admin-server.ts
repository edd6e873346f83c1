/** The admin port: probes and metrics, plain HTTP, never exposed to players. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Health } from "./health.js";
import type { Lifecycle } from "./lifecycle.js";
import type { LoopBook } from "./loop-book.js";
import type { Metrics } from "./metrics.js";

/**
 * Serves /livez (the event loop turns, and no loop has ended), /readyz (work may come) and /metrics.
 * Returns the bound port; port 0 takes a free one.
 */
export async function startAdminServer(
  options: { port: number; host?: string; health: Health; metrics: Metrics },
  lifecycle: Lifecycle,
): Promise<number> {
  const { loops } = lifecycle;
  options.metrics.watchLoops(() => loops.all());
  const server = createServer((request, response) => {
    answer(request, response, { ...options, loops }).catch((err) => {
      lifecycle.log.error({ err, path: request.url }, "admin page failed");
      response.statusCode = 500;
      response.end("failed; the log says why\n");
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host ?? "0.0.0.0", resolve);
  });
  lifecycle.push("admin server", () => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { health, metrics, loops }: { health: Health; metrics: Metrics; loops: LoopBook },
): Promise<void> {
  const path = request.url?.split("?")[0];
  if (path === "/livez") {
    const ended = loops.ended().map((name) => `the loop "${name}" has ended`);
    response.statusCode = ended.length === 0 ? 200 : 503;
    response.end(`${ended.join("\n") || "ok"}\n`);
  } else if (path === "/readyz") {
    const faults = health.faults();
    response.statusCode = faults.length === 0 ? 200 : 503;
    response.end(`${faults.join("\n") || "ok"}\n`);
  } else if (path === "/metrics") {
    const { contentType, text } = await metrics.page(request.headers.accept);
    response.setHeader("content-type", contentType);
    response.end(text);
  } else {
    response.statusCode = 404;
    response.end("no such page; there are /livez, /readyz and /metrics\n");
  }
}
