/** One process of ours: started, waited for, killed, restarted and stopped, in any order. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ServerProcess } from "@fanfare/common/servers/server-process";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { explainLog } from "./explain-log.js";
import { type ProcessPlan, TELEMETRY } from "./processes.js";

/** Of a larger nursery a busy gateway gains nothing, and an idle one keeps it (docs/performance.md). */
const NODE_FLAGS = [
  "--enable-source-maps",
  "--max-semi-space-size=8",
  `--import=${pathToFileURL(TELEMETRY)}`,
];
const READY_LIMIT_MS = 60_000;
const PROBE_LIMIT_MS = 2_000;

/** A process of the stack, as its user sees it. */
export interface StackProcess {
  readonly name: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  readonly logFile: string;
  /** Base of /livez, /readyz and /metrics. */
  readonly adminUrl: string;
  /** Sends a signal as a fault would. After SIGKILL it resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Stops it if it runs and starts it on the same ports. Resolves when it is ready. */
  restart(): Promise<void>;
  /** Asks it to stop, after 10 s ends it. Safe to repeat; `restart` may follow. */
  stop(): Promise<void>;
  /** Resolves when the process says that it is ready; rejects if it ends, or after 60 s. */
  untilReady(): Promise<void>;
}

export interface ServiceProcessOptions {
  logs: string;
  /** Folder of pid files. */
  run: string;
  /** Is called when the process ends without `stop` or `restart`, with what its log says of it. */
  onExit?: ((name: string, why: string) => void) | undefined;
}

export class ServiceProcess implements StackProcess {
  readonly logFile: string;
  #process: ServerProcess | undefined;
  /** Ends when the last of restart and stop has: they never overlap. */
  #queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly plan: ProcessPlan,
    private readonly options: ServiceProcessOptions,
  ) {
    this.logFile = join(options.logs, `${plan.name}.log`);
  }

  get name(): string {
    return this.plan.name;
  }

  get pid(): number | undefined {
    return this.#process?.exit ? undefined : this.#process?.pid;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.plan.adminPort}`;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#process?.kill(signal);
  }

  stop(): Promise<void> {
    // At once too, so that a start that still waits to be ready gives up.
    void this.#process?.stop();
    return this.#enqueue(async () => this.#process?.stop());
  }

  restart(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#process?.stop();
      await this.#start();
    });
  }

  async untilReady(): Promise<void> {
    const started = this.#process;
    if (!started) throw new Error(`${this.name} was not started`);
    const ready = await holdsWithin(READY_LIMIT_MS, async () => {
      if (started.exit) throw new Error(`${this.name} ended at its start: ${this.#why(started)}`);
      return this.#isReady();
    });
    if (ready) return;
    const seconds = READY_LIMIT_MS / 1_000;
    throw new Error(`${this.name} was not ready within ${seconds} s: ${this.#why(started)}`);
  }

  async #start(): Promise<void> {
    const { plan, options } = this;
    const started = await ServerProcess.spawn(
      {
        path: process.execPath,
        args: [...NODE_FLAGS, plan.main],
        cwd: options.run,
        environment: plan.env,
      },
      {
        stopSignal: "SIGTERM",
        logFile: this.logFile,
        pidFile: join(options.run, `${plan.name}.pid`),
      },
    );
    this.#process = started;
    void started.exited.then(() => {
      if (!started.stopping) options.onExit?.(plan.name, this.#why(started));
    });
    try {
      await this.untilReady();
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  async #isReady(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(PROBE_LIMIT_MS);
      const response = await fetch(`${this.adminUrl}/readyz`, { signal });
      await response.text();
      return response.status === 200;
    } catch {
      return false;
    }
  }

  #why(started: ServerProcess): string {
    const end = started.exit && (started.exit.signal ?? `exit code ${started.exit.code}`);
    const said = explainLog(started.lastLogLines());
    return [end, ...said, `log: ${this.logFile}`].filter(Boolean).join("\n  ");
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(step);
    this.#queue = done.catch(() => {});
    return done;
  }
}
