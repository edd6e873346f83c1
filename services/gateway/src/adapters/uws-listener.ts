/** The public port: listening, and the way out when the gateway stops. */

import uWS, { type TemplatedApp, type us_listen_socket } from "uWebSockets.js";
import type { Health } from "@fanfare/common/health";
import { type Lifecycle, pause } from "@fanfare/common/lifecycle";
import type { Config } from "../config.js";
import type { UwsSockets } from "./uws-sockets.js";

/** What a part of the stop may take beyond its settings. */
const MARGIN_MS = 2_000;

/** Without it, a second gateway would silently share the port (SO_REUSEPORT). */
const EXCLUSIVE_PORT = 1;

/** `listen` with host, port and options is in the library, not in its types. */
type Listen = (
  host: string,
  port: number,
  options: number,
  on: (socket: us_listen_socket | false) => void,
) => void;

/** Listens and returns the bound port; port 0 takes a free one. Fails where the port is in use. */
export async function listen(
  app: TemplatedApp,
  parts: { config: Config; health: Health; sockets: UwsSockets },
  lifecycle: Lifecycle,
): Promise<number> {
  const { config, health, sockets } = parts;
  const { LISTEN_HOST: host, HTTP_PORT: port } = config;
  const listening = await new Promise<us_listen_socket>((resolve, reject) =>
    (app.listen as unknown as Listen).call(app, host, port, EXCLUSIVE_PORT, (socket) =>
      socket
        ? resolve(socket)
        : reject(
            new Error(`port ${port} can't be listened on: in use, or not allowed (HTTP_PORT)`),
          ),
    ),
  );
  const bound = uWS.us_socket_local_port(listening);
  lifecycle.push("public port", () => {
    app.close();
  });
  lifecycle.push("sockets", () => sockets.leave(), config.DRAIN_SPREAD_MS + MARGIN_MS);
  const stopListening = async () => {
    health.draining();
    await pause(config.DRAIN_MS);
    uWS.us_listen_socket_close(listening);
  };
  lifecycle.push("listening", stopListening, config.DRAIN_MS + MARGIN_MS);
  return bound;
}
