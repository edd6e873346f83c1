/**
 * The life of a server of our own: its directory is freed of orphans, its ports are checked, it is
 * started, asked until it answers, and can be killed, restarted and stopped in any order.
 */
import { mkdir, mkdtemp, realpath, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  DiskFullError,
  isDiskFull,
  PortInUseError,
  type ServerError,
  type ServerName,
  ServerStartError,
} from "./errors.js";
import { freePort, isPortFree } from "./free-port.js";
import type { Server, ServerOptions } from "./server.js";
import { type ServerCommand, ServerProcess } from "./server-process.js";
import { endStaleServer } from "./stale-server.js";
import { holdsWithin } from "./wait.js";

/** What differs between NATS, Redis and PostgreSQL. */
export interface ServerPlan {
  server: ServerName;
  version: string;
  /** Ports as asked for, 0 for any free one; clients use the first. */
  ports: readonly number[];
  home: ServerHome;
  /** A path that stands on the command line. */
  marker: string;
  stopSignal: NodeJS.Signals;
  url(port: number): string;
  /** Writes what the server reads, and says how to run it. Called before each start. */
  prepare(ports: readonly number[]): Promise<ServerCommand>;
  /** Resolves if the server answers its protocol now. */
  probe(port: number): Promise<unknown>;
  /** Runs before a start counts as done. */
  afterReady?(port: number): Promise<void>;
  /** A log line that means: what is left of the last run still ends, try again. */
  tryAgain?: RegExp;
}

export interface ServerHome {
  directory: string;
  temporary: boolean;
}

const READY_LIMIT_MS = 60_000;
const PORT_ATTEMPTS_MAX = 5;
/** With less free space no server starts. */
const FREE_BYTES_MIN = 64 * 1024;
/** How long what a killed server left behind may hold its port or its memory. */
const REMAINS_LIMIT_MS = 10_000;

/** The directory of a server, made if need be; a temporary one if none was given. */
export async function openHome(server: ServerName, directory?: string): Promise<ServerHome> {
  try {
    if (directory === undefined) {
      const prefix = join(tmpdir(), `fanfare-${server.toLowerCase()}-`);
      return { directory: await realpath(await mkdtemp(prefix)), temporary: true };
    }
    await mkdir(directory, { recursive: true });
    return { directory: await realpath(directory), temporary: false };
  } catch (error) {
    if (isDiskFull(error)) throw new DiskFullError(server, directory ?? tmpdir(), { cause: error });
    throw error;
  }
}

/** Starts a server; where the port was ours to choose and is taken meanwhile, on another one. */
export async function startLocalServer(plan: ServerPlan, options: ServerOptions): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const ports = await Promise.all(plan.ports.map((port) => port || freePort()));
    const server = new LocalServer(plan, options, ports);
    try {
      await server.launch(0);
      return server;
    } catch (error) {
      const chosen = error instanceof PortInUseError && !plan.ports.includes(error.port);
      if (chosen && attempt < PORT_ATTEMPTS_MAX) continue;
      await server.removeTemporary();
      throw error;
    }
  }
}

/** A full disk may hold back the very log line that would say so. */
async function isFull(path: string): Promise<boolean> {
  return statfs(path).then(
    ({ bavail, bsize }) => bavail * bsize < FREE_BYTES_MIN,
    () => false,
  );
}

class LocalServer implements Server {
  readonly ours = true;
  readonly port: number;
  #process: ServerProcess | undefined;
  /** Ends when the last of stop and restart has: they never overlap. */
  #queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly plan: ServerPlan,
    private readonly options: ServerOptions,
    private readonly ports: readonly number[],
  ) {
    this.port = ports[0] ?? 0;
  }

  get url(): string {
    return this.plan.url(this.port);
  }

  get version(): string {
    return this.plan.version;
  }

  get directory(): string {
    return this.plan.home.directory;
  }

  get pid(): number | undefined {
    return this.#process?.exit ? undefined : this.#process?.pid;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#process?.kill(signal);
  }

  stop(): Promise<void> {
    return this.#enqueue(async () => this.#process?.stop());
  }

  restart(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#process?.stop();
      await this.launch(REMAINS_LIMIT_MS);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.removeTemporary();
  }

  async removeTemporary(): Promise<void> {
    const { directory, temporary } = this.plan.home;
    if (temporary) await rm(directory, { recursive: true, force: true });
  }

  /** Starts the process and waits until it answers; `remainsMs` is for what an earlier one left. */
  async launch(remainsMs: number): Promise<void> {
    const { plan } = this;
    const deadline = performance.now() + REMAINS_LIMIT_MS;
    for (;;) {
      try {
        await this.#launchOnce(remainsMs);
        return;
      } catch (error) {
        if (isDiskFull(error))
          throw new DiskFullError(plan.server, this.directory, { cause: error });
        const remains = error instanceof ServerStartError && plan.tryAgain?.test(error.message);
        if (!remains || performance.now() > deadline) throw error;
      }
    }
  }

  async #launchOnce(remainsMs: number): Promise<void> {
    const { plan, options } = this;
    const pidFile = join(this.directory, `${plan.server.toLowerCase()}.pid`);
    await endStaleServer({ ...plan, pidFile });
    for (const port of this.ports) {
      const free = await holdsWithin(remainsMs, () => isPortFree(port));
      if (!free) throw new PortInUseError(plan.server, port);
    }
    const command = await plan.prepare(this.ports);
    const logFile = options.stdioLog ?? join(this.directory, `${plan.server.toLowerCase()}.log`);
    const { stopSignal } = plan;
    const started = await ServerProcess.spawn(command, {
      stopSignal,
      logFile: resolve(logFile),
      pidFile,
    });
    try {
      await this.#untilReady(started);
      await plan.afterReady?.(this.port);
    } catch (error) {
      await started.stop();
      throw error;
    }
    this.#process = started;
    void started.exited.then(({ code, signal }) => {
      if (!started.stopping) options.onExit?.(code, signal, started.lastLogLines());
    });
  }

  async #untilReady(started: ServerProcess): Promise<void> {
    const limitMs = this.options.readyWithinMs ?? READY_LIMIT_MS;
    let lastFailure: unknown;
    const ready = await holdsWithin(limitMs, async () => {
      if (started.exit) throw await this.#earlyEnd(started);
      try {
        await this.plan.probe(this.port);
        return !started.exit;
      } catch (error) {
        lastFailure = error;
        return false;
      }
    });
    if (ready) return;
    const what = `did not answer within ${limitMs / 1000} s`;
    const options = { cause: lastFailure };
    throw new ServerStartError(this.plan.server, what, started.lastLogLines(), options);
  }

  /** Says why a server ended before it was ready, as far as its log tells. */
  async #earlyEnd(started: ServerProcess): Promise<ServerError> {
    const { server } = this.plan;
    const lines = started.lastLogLines();
    const log = lines.join("\n");
    const end = started.exit?.signal ?? `exit code ${started.exit?.code}`;
    const cause = new ServerStartError(server, `ended at its start (${end})`, lines);
    if (/address already in use/i.test(log)) {
      const port = this.ports.find((each) => log.includes(String(each))) ?? this.port;
      return new PortInUseError(server, port, { cause });
    }
    if (/no space left on device/i.test(log) || (await isFull(this.plan.marker))) {
      return new DiskFullError(server, this.directory, { cause });
    }
    return cause;
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(step);
    this.#queue = done.catch(() => {});
    return done;
  }
}
