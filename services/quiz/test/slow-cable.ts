/** A cable to a server whose bytes take their time, in order, both ways. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** `url` leads to the server at `target` through the cable. */
export async function slowCable(target: string) {
  const to = new URL(target);
  const sockets = new Set<Socket>();
  let delayMs = 0;
  const carry = (from: Socket, into: Socket) => {
    sockets.add(from);
    let lastAt = 0;
    from.on("data", (chunk) => {
      lastAt = Math.max(lastAt, performance.now() + delayMs);
      setTimeout(() => into.writable && into.write(chunk), lastAt - performance.now());
    });
    from.on("error", () => into.destroy());
    from.on("close", () => into.destroy());
  };
  const server = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    carry(near, far);
    carry(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const through = new URL(target);
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    delay(ms: number) {
      delayMs = ms;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
