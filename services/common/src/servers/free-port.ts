/**
 * Ports for servers of our own. They come from below the range that kernels take for outgoing
 * connections: a client that retries a dead server inside that range can end up connected to
 * itself, and then the server cannot come back on its port.
 */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

const PORT_FIRST = 15_000;
const PORT_LAST = 29_999;
const ATTEMPTS_MAX = 1_000;
const REMEMBERED_MAX = 5_000;

/** Ports already given to a caller in this process, who may not have bound them yet. */
const handedOut = new Set<number>();

/**
 * A port on 127.0.0.1 that nobody listens on. Never the same one twice in a process; another
 * process may draw it too, in the moment before the caller binds it, so be ready to try again.
 */
export async function freePort(): Promise<number> {
  if (handedOut.size >= REMEMBERED_MAX) handedOut.clear();
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = randomInt(PORT_FIRST, PORT_LAST + 1);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`no free port between ${PORT_FIRST} and ${PORT_LAST}`);
}

/** True if a listener can be bound to this port of 127.0.0.1 now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
