/** The demo as a process of its own: whatever it does, it disturbs nothing else. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ServerProcess } from "@fanfare/common/servers/server-process";

const PROGRAM = fileURLToPath(new URL("../../bin/fanfare.js", import.meta.url));

export interface DemoProcessOptions {
  gatewayUrl: string;
  /** Folder of `logs` and `run`. */
  directory: string;
  onExit(why: string): void;
}

export class DemoProcess {
  #process: ServerProcess | undefined;

  constructor(private readonly options: DemoProcessOptions) {}

  /** Starts it, after ending one that still runs. It takes its token from the data folder. */
  async restart(): Promise<void> {
    await this.stop();
    const { gatewayUrl, directory, onExit } = this.options;
    const started = await ServerProcess.spawn(
      {
        path: process.execPath,
        args: [PROGRAM, "demo", "-url", gatewayUrl],
        cwd: directory,
      },
      {
        stopSignal: "SIGTERM",
        logFile: join(directory, "logs", "demo.log"),
        pidFile: join(directory, "run", "demo.pid"),
      },
    );
    this.#process = started;
    void started.exited.then(({ code, signal }) => {
      const end = signal ?? `exit code ${code}`;
      if (!started.stopping) onExit([end, ...started.lastLogLines().slice(-3)].join("\n  "));
    });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  kill(): void {
    if (!this.#process?.exit) void this.#process?.kill("SIGKILL");
  }
}
