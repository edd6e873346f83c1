/** Which port belongs to what. `make up` uses the well-known ones; tests take free ones. */
import { connect } from "node:net";
import { freePort, isPortFree } from "@fanfare/common/servers/free-port";

/** Ports of `make up`. The first process of a kind gets these; every further one a free port. */
export const WELL_KNOWN_PORTS = {
  gateway: 8000,
  quiz: 9001,
  leaderboard: 9002,
  "quiz-master": 9003,
  "gateway-admin": 9100,
  "quiz-admin": 9101,
  "leaderboard-admin": 9102,
  "quiz-master-admin": 9103,
  "history-admin": 9104,
  nats: 4222,
  "nats-monitor": 8222,
  redis: 6379,
  postgres: 5432,
} as const;

export type PortName = keyof typeof WELL_KNOWN_PORTS;
export type Ports = Partial<Record<PortName, number>>;

/** The variable that moves a port: FANFARE_PORT_QUIZ_MASTER. */
export function portVariable(name: PortName): string {
  return `FANFARE_PORT_${name.replaceAll("-", "_").toUpperCase()}`;
}

/** The well-known ports with what the environment says otherwise; throws on what is no port. */
export function portsFromEnv(env: Readonly<Record<string, string | undefined>>): Required<Ports> {
  const names = Object.keys(WELL_KNOWN_PORTS) as PortName[];
  const ports = names.map((name) => {
    const given = env[portVariable(name)];
    const port = given ? Number(given) : WELL_KNOWN_PORTS[name];
    if (!Number.isInteger(port) || port < 1 || port > PORT_MAX)
      throw new Error(`${portVariable(name)}: ${given} is no port number`);
    return [name, port];
  });
  return Object.fromEntries(ports);
}

const OFFSET = 10_000;
const PORT_MAX = 65_535;
const URL_VARIABLES: Partial<Record<PortName, string>> = {
  nats: "NATS_URL",
  redis: "REDIS_URL",
  postgres: "POSTGRES_URL",
};

/** A port that a process of ours needs is taken by somebody else. */
export class PortBusyError extends Error {
  override name = "PortBusyError";
  constructor(
    readonly port: number,
    portName: PortName,
  ) {
    const other = port + OFFSET <= PORT_MAX ? port + OFFSET : port - OFFSET;
    const url = URL_VARIABLES[portName];
    const use = url ? `, or use the server that runs there: ${url}` : "";
    super(
      `port ${port}, wanted for ${portName}, is in use: free it, or choose another one: ` +
        `${portVariable(portName)}=${other}${use}`,
    );
  }
}

/** Hands out ports: the given one for the first process of a kind, else a free one. */
export class PortBook {
  readonly #given: Map<PortName, number>;

  constructor(ports: Ports) {
    this.#given = new Map(Object.entries(ports) as [PortName, number][]);
  }

  /** The port that was asked for; undefined leaves the choice to whoever listens. */
  given(name: PortName): number | undefined {
    return this.#given.get(name);
  }

  /** Throws PortBusyError where the port was given and somebody listens on it. */
  async take(name: PortName): Promise<number> {
    const port = this.#given.get(name);
    if (port === undefined) return freePort();
    this.#given.delete(name);
    if (!(await isPortFree(port)) || (await isAnswering(port))) throw new PortBusyError(port, name);
    return port;
  }
}

/** macOS lets 127.0.0.1 be bound beside a listener on all addresses: ask by connecting too. */
function isAnswering(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const answer = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(1_000, () => answer(false));
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
  });
}
