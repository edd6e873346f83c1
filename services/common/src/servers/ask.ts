/** Asks a TCP server in its own protocol, with a time limit; enough to see that it serves. */
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface Question {
  host: string;
  port: number;
  secure?: boolean;
  /** Sent once connected. */
  request?: string;
  /** What the answer gives so far; undefined while it is not whole. May throw. */
  read(answer: string): string | undefined;
}

const ANSWER_LIMIT_MS = 3_000;
const ANSWER_BYTES_MAX = 64 * 1024;

/** Resolves with what `read` made of the answer; rejects if there is none within three seconds. */
export function ask(question: Question): Promise<string> {
  const { host, port, secure, request, read } = question;
  return new Promise((resolve, reject) => {
    const socket: Socket = secure
      ? connectTls({ host, port, servername: host })
      : connectPlain({ host, port });
    let answer = "";
    const end = (settle: () => void): void => {
      socket.destroy();
      settle();
    };
    const fail = (error: Error): void => end(() => reject(error));
    socket.setTimeout(ANSWER_LIMIT_MS, () => fail(new Error(`${host}:${port} does not answer`)));
    socket.once("error", fail);
    socket.once("close", () => fail(new Error(`${host}:${port} closed the connection`)));
    socket.once(secure ? "secureConnect" : "connect", () => {
      if (request !== undefined) socket.write(request);
    });
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      try {
        const result = read(answer);
        if (result !== undefined) end(() => resolve(result));
        else if (answer.length > ANSWER_BYTES_MAX)
          fail(new Error(`${host}:${port} talks too much`));
      } catch (error) {
        fail(error as Error);
      }
    });
  });
}
