/** The connection to NATS: waiting for it at the start, and knowing whether it stands. */
import { JetStreamApiError } from "@nats-io/jetstream";
import { connect, errors, type NatsConnection } from "@nats-io/transport-node";
import { type Lifecycle, pause } from "./lifecycle.js";

const DIAL_TIMEOUT_MS = 5_000;
const RETRY_EVERY_MS = 250;
const SAY_WAITING_EVERY_MS = 5_000;
/** "No suitable peers for placement": a cluster whose servers are still coming. */
const NO_PEERS = 10_005;

/** One try at every server of `url`; once connected, the client reconnects for ever. */
export function dial(url: string, name: string): Promise<NatsConnection> {
  return connect({
    servers: url.split(","),
    name,
    timeout: DIAL_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    // Refused twice in a row, the client would give up for ever: a rotated password may come late.
    ignoreAuthErrorAbort: true,
    // A stack trace for each request would cost more than the request.
    noAsyncTraces: true,
    pingInterval: 5_000,
    maxPingOut: 2,
  });
}

/** Tries until it works or fails with what does not pass; says now and then what it waits for. */
export async function insist<T>(
  attempt: () => Promise<T>,
  on: { what: string; passes(error: unknown): boolean },
  { log, signal }: Lifecycle,
): Promise<T> {
  let toldAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    try {
      return await attempt();
    } catch (err) {
      if (!on.passes(err)) throw err;
      if (signal.aborted) throw new Error(`${on.what}, and the process stops`, { cause: err });
      if (performance.now() - toldAt >= SAY_WAITING_EVERY_MS) {
        log.warn({ err }, `${on.what}; trying again`);
        toldAt = performance.now();
      }
      await pause(RETRY_EVERY_MS, signal);
    }
  }
}

export const NATS_AWAY = {
  what: "NATS can't be reached",
  /** A name that does not resolve may do so later; an address that is none, or a wrong password, not. */
  passes: (error: unknown) =>
    ![errors.AuthorizationError, errors.InvalidArgumentError, TypeError].some(
      (kind) => error instanceof kind,
    ),
};

export const JETSTREAM_AWAY = {
  what: "JetStream is not ready",
  /** Nobody answered, or the answer was that it is not ready: not that our streams are refused. */
  passes: (error: unknown) =>
    error instanceof JetStreamApiError
      ? error.status === 503 || error.code === NO_PEERS
      : !(error instanceof errors.ClosedConnectionError),
};

/** Keeps count of whether the connection stands, and tells of each reconnect. */
export function followConnection(
  nc: NatsConnection,
  listeners: ReadonlySet<() => void>,
  { log }: Lifecycle,
): () => boolean {
  let connected = true;
  const follow = async () => {
    for await (const event of nc.status()) {
      if (event.type === "disconnect") connected = false;
      if (event.type !== "reconnect") continue;
      connected = true;
      log.info("connected to NATS again");
      for (const listener of [...listeners])
        try {
          listener();
        } catch (err) {
          log.error({ err }, "a listener to reconnects failed");
        }
    }
    connected = false;
  };
  void follow();
  return () => connected;
}
