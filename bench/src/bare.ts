/** Starts the bare server. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Bare extends AsyncDisposable {
  pid: number;
  url: string;
}

/** Resolves once it listens. Rejects where it ends before. */
export async function startBare(natsUrl: string): Promise<Bare> {
  const main = fileURLToPath(new URL("./bare-process.js", import.meta.url));
  const child: ChildProcess = fork(main, [natsUrl]);
  const { port } = await new Promise<{ port: number }>((resolve, reject) => {
    child.once("message", (message) => resolve(message as { port: number }));
    child.once("exit", (code) => reject(new Error(`the bare server ended with ${code}`)));
  });
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      if (!child.connected) return;
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}
