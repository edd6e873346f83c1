/** Which processes a stack has, and the environment of each: pure, so that a table tells it all. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PortName } from "./ports.js";

export const KINDS = ["quiz-master", "leaderboard", "quiz", "history", "gateway"] as const;
export type Kind = (typeof KINDS)[number];

const SERVICES = fileURLToPath(new URL("../../..", import.meta.url));

/** Comes before each of them; it loads nothing where no collector is named. */
export const TELEMETRY = join(SERVICES, "common/dist/telemetry.js");

/** Where the code of a kind begins, relative to services/. */
const MAINS: Readonly<Record<Kind, string>> = {
  "quiz-master": "quiz-master/dist/main.js",
  leaderboard: "leaderboard/dist/main.js",
  quiz: "quiz/dist/main.js",
  history: "quiz/dist/history-main.js",
  gateway: "gateway/dist/main.js",
};

/** A process with its ports, before its environment is known. */
export interface Seat {
  /** `quiz-1`, `quiz-2`, … */
  name: string;
  kind: Kind;
  /** gRPC; HTTP for a gateway; unused by history. */
  port: number;
  adminPort: number;
}

export interface ProcessPlan extends Seat {
  main: string;
  env: Record<string, string>;
}

/** What all processes of a stack are told. */
export interface Surroundings {
  natsUrl: string;
  redisUrl: string;
  postgresUrl: string;
  tokenSecret: string;
  logLevel: string;
  /** More variables, for `all`, for a kind, or for one process; the last of these wins. */
  env: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The names of the ports that a kind listens on. */
export function portNamesOf(kind: Kind): { main: PortName | undefined; admin: PortName } {
  return { main: kind === "history" ? undefined : kind, admin: `${kind}-admin` };
}

export function planProcesses(seats: readonly Seat[], around: Surroundings): ProcessPlan[] {
  const addresses = (kind: Kind) =>
    seats
      .filter((seat) => seat.kind === kind)
      .map(({ port }) => `127.0.0.1:${port}`)
      .join(",");
  const shared = {
    LISTEN_HOST: "127.0.0.1",
    NATS_URL: around.natsUrl,
    REDIS_URL: around.redisUrl,
    POSTGRES_URL: around.postgresUrl,
    QUIZ_URL: addresses("quiz"),
    LEADERBOARD_URL: addresses("leaderboard"),
    QUIZ_MASTER_URL: addresses("quiz-master"),
    TOKEN_SECRET: around.tokenSecret,
    LOG_LEVEL: around.logLevel,
    // Nobody watches endpoints here: a stop need not wait for them.
    DRAIN_MS: "0",
  };
  return seats.map((seat) => ({
    ...seat,
    main: join(SERVICES, MAINS[seat.kind]),
    env: {
      ...shared,
      POD_NAME: seat.name,
      OTEL_SERVICE_NAME: `fanfare-${seat.kind}`,
      [seat.kind === "gateway" ? "HTTP_PORT" : "GRPC_PORT"]: String(seat.port),
      ADMIN_PORT: String(seat.adminPort),
      ...around.env.all,
      ...around.env[seat.kind],
      ...around.env[seat.name],
    },
  }));
}
