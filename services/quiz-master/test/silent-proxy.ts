/** A network between service and PostgreSQL that can go silent: what is connected then never answers again. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Forwards to the server at `url`; `url` of the result leads through the proxy. */
export async function startSilentProxy(url: string) {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    sockets.add(near);
    near.on("error", () => {});
    if (silent) return;
    const far = connect(Number(target.port), target.hostname);
    sockets.add(far);
    far.on("error", () => near.destroy());
    far.on("close", () => near.end());
    near.on("close", () => far.destroy());
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    /** Connections stay, and new ones are taken, but no byte passes any more. */
    goSilent: () => {
      silent = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    /** New connections pass again; the old ones stay dead, as after a fail-over to another host. */
    comeBack: () => {
      silent = false;
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
