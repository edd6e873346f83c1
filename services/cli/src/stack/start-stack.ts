/**
 * All of Fanfare as separate processes on real servers, as it runs in a cluster. `make up`, the
 * end-to-end tests and the benchmark all start it here, so that nothing is tested in a way that
 * nobody runs.
 */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Server } from "@fanfare/common/servers/server";
import { Tokens } from "@fanfare/common/tokens";
import { endOrphans } from "./orphans.js";
import { PortBook, type Ports } from "./ports.js";
import { KINDS, type Kind, planProcesses, portNamesOf, type Seat } from "./processes.js";
import { type ServersOptions, type StackServers, startServers } from "./servers.js";
import { ServiceProcess, type StackProcess } from "./service-process.js";
import { Supervisor } from "./supervisor.js";
import { watchNats } from "./watch-nats.js";

export interface StackOptions {
  /** Holds data, logs and pid files. None: a temporary one, gone after the stop. */
  directory?: string;
  /** How many processes of each kind; one where nothing is said, and 0 is allowed. */
  gateways?: number;
  quiz?: number;
  histories?: number;
  leaderboards?: number;
  quizMasters?: number;
  /** Ports of the first process of each kind and of the servers; free ones where nothing is said. */
  ports?: Ports;
  servers?: ServersOptions;
  /** More environment, by `all`, by kind (`quiz`), or by process (`quiz-2`); the last wins. */
  env?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Drawn where nothing is said; at least 32 characters. */
  tokenSecret?: string;
  /** `warn` where nothing is said. */
  logLevel?: string;
  /** True: what dies is started again, with a line to `onProgress`. Tests leave it off. */
  supervise?: boolean;
  /** Told of long steps and of surprises, a line at a time. */
  onProgress?: (line: string) => void;
  /** Aborts the start: what runs by then is stopped, and startStack rejects. */
  signal?: AbortSignal;
}

export interface Stack extends AsyncDisposable {
  readonly directory: string;
  /** `http://127.0.0.1:<port>`, one for each gateway. */
  readonly gatewayUrls: readonly string[];
  /** `127.0.0.1:<port>` for gRPC, one for each process. */
  readonly quizUrls: readonly string[];
  readonly leaderboardUrls: readonly string[];
  readonly quizMasterUrls: readonly string[];
  readonly natsUrl: string;
  readonly redisUrl: string;
  readonly postgresUrl: string;
  readonly tokenSecret: string;
  /** Role admin, good for 30 days. */
  readonly adminToken: string;
  /** By name: `gateway-1`, `quiz-2`, `history-1`, `leaderboard-1`, `quiz-master-1`. */
  readonly processes: ReadonlyMap<string, StackProcess>;
  readonly servers: StackServers;
  /** The process of this name; throws where there is none. */
  process(name: string): StackProcess;
  /** Stops everything in reverse order. Safe to repeat. */
  stop(): Promise<void>;
  /** Ends everything at once with SIGKILL, as far as it runs. */
  killAll(): void;
}

const ADMIN_TOKEN_SECONDS = 30 * 86_400;

/**
 * Resolves once every process is ready. Rejects with a message for people (PortBusyError,
 * ServerError, or what a service's log says), after everything that was started has been stopped.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const stack = new RunningStack(
    options,
    options.directory ?? (await mkdtemp(join(tmpdir(), "fanfare-stack-"))),
  );
  try {
    await stack.start();
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

class RunningStack implements Stack {
  readonly processes = new Map<string, ServiceProcess>();
  readonly tokenSecret: string;
  readonly adminToken: string;
  #servers: StackServers | undefined;
  #seats: Seat[] = [];
  readonly #startedServers: Server[] = [];
  readonly #supervisor: Supervisor | undefined;
  readonly #tell: (line: string) => void;
  #ready = false;
  #stopping: Promise<void> | undefined;

  constructor(
    private readonly options: StackOptions,
    readonly directory: string,
  ) {
    this.tokenSecret = options.tokenSecret ?? randomBytes(32).toString("hex");
    this.adminToken = new Tokens([this.tokenSecret]).issue(
      { role: "admin", subject: "admin" },
      ADMIN_TOKEN_SECONDS,
    );
    this.#tell = options.onProgress ?? (() => {});
    const find = (name: string) =>
      this.processes.get(name) ?? this.#servers?.[name as keyof StackServers];
    this.#supervisor = options.supervise ? new Supervisor(find, this.#tell) : undefined;
  }

  get servers(): StackServers {
    if (!this.#servers) throw new Error("the stack has not started");
    return this.#servers;
  }

  get gatewayUrls(): string[] {
    return this.#addresses("gateway").map((address) => `http://${address}`);
  }

  get quizUrls(): string[] {
    return this.#addresses("quiz");
  }

  get leaderboardUrls(): string[] {
    return this.#addresses("leaderboard");
  }

  get quizMasterUrls(): string[] {
    return this.#addresses("quiz-master");
  }

  get natsUrl(): string {
    return this.servers.nats.url;
  }

  get redisUrl(): string {
    return this.servers.redis.url;
  }

  get postgresUrl(): string {
    return this.servers.postgres.url;
  }

  process(name: string): StackProcess {
    const found = this.processes.get(name);
    if (!found) throw new Error(`no process ${name}; there are ${[...this.processes.keys()]}`);
    return found;
  }

  async start(): Promise<void> {
    const { options, directory } = this;
    const folders = {
      data: join(directory, "data"),
      logs: join(directory, "logs"),
      run: join(directory, "run"),
    };
    for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true });
    const orphans = await endOrphans(directory);
    if (orphans > 0) this.#tell(`ended ${orphans} processes that an earlier run left behind`);
    const ports = new PortBook(options.ports ?? {});
    this.#seats = await this.#takeSeats(ports);
    this.#servers = await startServers(
      {
        ...options.servers,
        ...folders,
        ports,
        onProgress: this.#tell,
        onExit: (name, why) => this.#supervisor?.ended(name, why),
      },
      (server) => this.#startedServers.push(server),
    );
    options.signal?.throwIfAborted();
    await this.#startProcesses(folders);
    if (this.#supervisor)
      void watchNats(
        this.servers.nats,
        { onUnwell: (why) => this.#supervisor?.unwell("nats", why), tell: this.#tell },
        this.#supervisor.signal,
      );
  }

  stop(): Promise<void> {
    this.#supervisor?.stop();
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  killAll(): void {
    this.#supervisor?.stop();
    for (const each of [...this.processes.values(), ...this.#startedServers])
      if (each.pid !== undefined) void each.kill("SIGKILL");
  }

  async #takeSeats(ports: PortBook): Promise<Seat[]> {
    const { gateways, quiz, histories, leaderboards, quizMasters } = this.options;
    const counts: Record<Kind, number> = {
      gateway: gateways ?? 1,
      quiz: quiz ?? 1,
      history: histories ?? 1,
      leaderboard: leaderboards ?? 1,
      "quiz-master": quizMasters ?? 1,
    };
    const seats: Seat[] = [];
    for (const kind of KINDS) {
      const names = portNamesOf(kind);
      for (let number = 1; number <= counts[kind]; number++)
        seats.push({
          name: `${kind}-${number}`,
          kind,
          port: names.main ? await ports.take(names.main) : 0,
          adminPort: await ports.take(names.admin),
        });
    }
    return seats;
  }

  /** All at once: each waits by itself for what it needs. */
  async #startProcesses(folders: { logs: string; run: string }): Promise<void> {
    const plans = planProcesses(this.#seats, {
      natsUrl: this.natsUrl,
      redisUrl: this.redisUrl,
      postgresUrl: this.postgresUrl,
      tokenSecret: this.tokenSecret,
      logLevel: this.options.logLevel ?? "warn",
      env: this.options.env ?? {},
    });
    const onExit = (name: string, why: string) => {
      // Before all are ready an early end is the start's failure, and told as that.
      if (this.#ready) this.#supervisor?.ended(name, why);
    };
    for (const plan of plans)
      this.processes.set(plan.name, new ServiceProcess(plan, { ...folders, onExit }));
    const starts = [...this.processes.values()].map((each) => each.restart());
    await orAborted(Promise.all(starts), this.options.signal);
    this.#ready = true;
  }

  async #stop(): Promise<void> {
    for (const kinds of STOP_ORDER) {
      const names = this.#seats.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
      await Promise.all(names.map((name) => this.processes.get(name)?.stop()));
    }
    await Promise.all(this.#startedServers.map((server) => server[Symbol.asyncDispose]()));
    if (this.options.directory === undefined)
      await rm(this.directory, { recursive: true, force: true });
  }

  #addresses(of: Kind): string[] {
    return this.#seats.filter(({ kind }) => kind === of).map(({ port }) => `127.0.0.1:${port}`);
  }
}

/** Who takes in work goes first, who stores it last. */
const STOP_ORDER: readonly (readonly Kind[])[] = [
  ["gateway"],
  ["quiz", "leaderboard", "history"],
  ["quiz-master"],
];

/** Rejects when `signal` aborts, without waiting for `work`. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
