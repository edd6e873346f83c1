/** A player's phone within the process, over loopback: what it says is written out, what it hears is looked for. */
import { RawSocket } from "@fanfare/common/raw-socket";

const RESUME_TOKEN = /"resumeToken":"([^"]+)"/;

export class RehearsedPlayer {
  #socket: RawSocket | undefined;
  #resumeToken = "";
  #heard: { marker: string; resolve(): void; reject(error: Error): void } | undefined;

  constructor(
    private readonly url: URL,
    private readonly sessionId: string,
    private readonly name: string,
  ) {}

  /** Comes in, for the first time or again. Rejects where the socket closes before. */
  enter(): Promise<void> {
    const { sessionId, name } = this;
    const join = { sessionId, nickname: name, submissionId: `join-${name}` };
    const who = this.#resumeToken ? { resumeToken: this.#resumeToken } : { join };
    const hello = JSON.stringify({ hello: { protocolVersion: 1, ...who } });
    const socket = new RawSocket(this.url, {
      open: () => socket.send(hello),
      text: (payload) => this.#hear(payload),
      close: (code) => {
        if (this.#socket === socket) this.#heard?.reject(new Error(`socket closed with ${code}`));
      },
    });
    this.#socket = socket;
    return this.hears('"joined"');
  }

  /** Resolves with the next frame that holds the text. */
  hears(marker: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#heard = { marker, resolve, reject };
    });
  }

  answer(round: number): Promise<void> {
    const submissionId = `${round}-${this.name}`;
    this.#socket?.send(JSON.stringify({ answer: { round, choices: ["A"], submissionId } }));
    return this.hears('"accepted"');
  }

  leave(): void {
    this.#heard = undefined;
    this.#socket?.end();
  }

  #hear(payload: Buffer): void {
    if (!this.#heard || !payload.includes(this.#heard.marker)) return;
    if (!this.#resumeToken) this.#resumeToken = RESUME_TOKEN.exec(payload.toString())?.[1] ?? "";
    const { resolve } = this.#heard;
    this.#heard = undefined;
    resolve();
  }
}
