/** The admin port: probes and metrics, plain HTTP, never exposed to players. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Health } from "./health.js";
import type { Lifecycle } from "./lifecycle.js";
import type { Metrics } from "./metrics.js";

/**
 * Serves /livez (the loop turns), /readyz (work may come) and /metrics. Returns the bound port; port
 * 0 takes a free one.
 */
export async function startAdminServer(
  options: { port: number; host?: string; health: Health; metrics: Metrics },
  lifecycle: Lifecycle,
): Promise<number> {
  const { health, metrics } = options;
  const server = createServer(async (request, response) => {
    const path = request.url?.split("?")[0];
    if (path === "/livez") return response.end("ok\n");
    if (path === "/readyz") {
      const faults = health.faults();
      response.statusCode = faults.length === 0 ? 200 : 503;
      return response.end(`${faults.join("\n") || "ok"}\n`);
    }
    if (path === "/metrics") {
      response.setHeader("content-type", metrics.registry.contentType);
      return response.end(await metrics.registry.metrics());
    }
    response.statusCode = 404;
    return response.end("no such page; there are /livez, /readyz and /metrics\n");
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
