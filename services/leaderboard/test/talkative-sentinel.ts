/** A sentinel that speaks up in the worst moment. */
import { EventEmitter, once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/**
 * As much of a sentinel as a client asks for. Asked for the primary a second time, it tells of a
 * fail-over first, and answers once that was heard: the order that a real one has on a busy machine.
 */
export async function startTalkativeSentinel(primaryPort: number) {
  const bulk = (text: string | number) => `$${String(text).length}\r\n${text}\r\n`;
  const address = `*2\r\n${bulk("127.0.0.1")}${bulk(primaryPort)}`;
  const sockets = new Set<Socket>();
  const events = new EventEmitter();
  const [subscribed, told] = [once(events, "subscribed"), once(events, "told")];
  let asked = 0;
  const answer = async (socket: Socket, said: string) => {
    if (said.includes("subscribe")) {
      socket.write(`>3\r\n${bulk("subscribe")}${bulk("+switch-master")}:1\r\n`);
      events.emit("subscribed", socket);
    } else if (said.includes("get-master-addr-by-name")) {
      if (++asked === 2) await tell((await subscribed)[0] as Socket);
      socket.write(address);
    } else socket.write("*0\r\n");
  };
  const tell = async (socket: Socket) => {
    const news = `mymaster 127.0.0.1 1 127.0.0.1 ${primaryPort}`;
    const heard = new Promise((resolve) => socket.once("close", resolve));
    socket.write(`>3\r\n${bulk("message")}${bulk("+switch-master")}${bulk(news)}`);
    await heard;
    events.emit("told");
  };
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.on("data", async (data) => {
      for (const command of String(data).split(/(?=\*\d+\r\n)/)) await answer(socket, command);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    subscribed,
    told,
    async [Symbol.asyncDispose]() {
      for (const each of sockets) each.destroy();
      server.close();
    },
  };
}
