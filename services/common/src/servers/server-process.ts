/** One run of a server program: started in its own group, watched, logged, and ended for sure. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { openServerLog, type ServerLog } from "./server-log.js";
import { writePidFile } from "./stale-server.js";
import { settlesWithin } from "./wait.js";
import { watchOver } from "./watchdog.js";

export interface ServerCommand {
  path: string;
  args: string[];
  cwd: string;
  account?: { uid: number; gid: number } | undefined;
  /** Added to this process's own; never in the arguments, which everybody can list. */
  environment?: Readonly<Record<string, string>> | undefined;
}

export interface ProcessOptions {
  stopSignal: NodeJS.Signals;
  logFile: string;
  pidFile: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const STOP_LIMIT_MS = 10_000;

export class ServerProcess {
  /** Resolves once the process has ended and the system has forgotten it. */
  readonly exited: Promise<Exit>;
  #exit: Exit | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(
    readonly pid: number,
    private readonly child: ChildProcess,
    private readonly stopSignal: NodeJS.Signals,
    private readonly log: ServerLog,
  ) {
    const unwatch = watchOver(pid, stopSignal);
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        unwatch();
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  /** Resolves once the program runs (not: once it serves). Rejects if it cannot be run at all. */
  static async spawn(command: ServerCommand, options: ProcessOptions): Promise<ServerProcess> {
    const log = openServerLog(options.logFile);
    const child = spawn(command.path, command.args, {
      cwd: command.cwd,
      env: { ...process.env, ...command.environment },
      // A group of its own: Ctrl-C in the terminal must not end it before we stop it in order.
      detached: true,
      stdio: ["ignore", log.descriptor, log.descriptor],
      ...(command.account ? { uid: command.account.uid, gid: command.account.gid } : {}),
    });
    closeSync(log.descriptor);
    if (child.pid === undefined) {
      throw await new Promise((resolve) => child.once("error", resolve));
    }
    const started = new ServerProcess(child.pid, child, options.stopSignal, log);
    child.on("error", () => {}); // A signal that could not be sent; `exit` tells what matters.
    try {
      writePidFile(options.pidFile, child.pid);
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** True once `stop` was called: its end is then no surprise. */
  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** The last lines that this run has logged. */
  lastLogLines(): string[] {
    return this.log.lastLines();
  }

  /** Sends a signal. After SIGKILL it resolves when the process is gone, else at once. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    if (signal === "SIGKILL") await this.exited;
  }

  /** Asks the server to stop, ends it if it does not within the limit; resolves when it is gone. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#exit) return;
    this.child.kill(this.stopSignal);
    this.child.kill("SIGCONT"); // One that was paused must wake to hear it.
    if (await settlesWithin(STOP_LIMIT_MS, this.exited)) return;
    this.child.kill("SIGKILL");
    await this.exited;
  }
}
