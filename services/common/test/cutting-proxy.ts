/** A network between client and PostgreSQL that is cut at one chosen message of the protocol. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export const CUTS = ["end", "reset", "half a message", "terminated by an administrator"] as const;
export type Cut = (typeof CUTS)[number];

/** ErrorResponse FATAL 57P01, as pg_terminate_backend has it sent. */
const TERMINATED = errorResponse("SFATAL", "VFATAL", "C57P01", "Mterminating connection");

/** DataRow, ParameterStatus (and what goes with another anyway, Describe and Sync): dozens of one kind for each connection, of which none is a point of its own. */
const MANY = [0x44, 0x53];

/** Forwards to the server at `url`, message by message; `url` of the result leads through the proxy. */
export async function startCuttingProxy(url: string) {
  const target = new URL(url);
  const open = new Set<Socket>();
  const dead = new WeakSet<Socket>();
  let plan: { message: number; cut: Cut } | undefined;
  let passed = 0;
  let silent = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    const passes = !silent;
    for (const socket of [near, far]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => open.delete(socket));
    }
    // The server does not learn of it either.
    near.on("close", () => !dead.has(near) && far.destroy());
    far.on("close", () => near.destroy());
    const forward = (to: Socket) => (message: Buffer) => {
      // What was connected before or in a silence stays dead, as behind a router that forgot it.
      if (silent || !passes || dead.has(near)) return;
      if (!MANY.includes(message[0] ?? 0)) passed++;
      if (plan?.message !== passed) return void to.write(message);
      const { cut } = plan;
      plan = undefined;
      if (cut === "half a message") to.write(message.subarray(0, message.length >> 1));
      if (cut === "terminated by an administrator") near.write(TERMINATED);
      far.destroy();
      if (cut === "reset") near.resetAndDestroy();
      else near.end();
    };
    // What a client says first has no type before its length.
    near.on("data", inMessages(0, forward(far)));
    far.on("data", inMessages(1, forward(near)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    /** Messages in either direction since the last `cutAt`. */
    passed: () => passed,
    /** Counts anew, and cuts the connection that has the message of this number. */
    cutAt: (message: number, cut: Cut) => {
      passed = 0;
      plan = { message, cut };
    },
    /** Connections stay, and no byte passes; with `false` new ones work again. */
    goSilent: (now: boolean) => {
      silent = now;
      if (now) for (const socket of open) dead.add(socket);
    },
    stop: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

function inMessages(typeBytes: number, pass: (message: Buffer) => void) {
  let held = Buffer.alloc(0);
  let before = typeBytes;
  return (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= before + 4) {
      const length = before + held.readUInt32BE(before);
      if (held.length < length) return;
      pass(held.subarray(0, length));
      held = held.subarray(length);
      before = 1;
    }
  };
}

function errorResponse(...fields: string[]): Buffer {
  const body = Buffer.from(`${fields.join("\0")}\0\0`);
  const head = Buffer.from("E\0\0\0\0");
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
