/** The connection to NATS: waiting for it at the start, and knowing whether it stands. */
import { isIP } from "node:net";
import { JetStreamApiError } from "@nats-io/jetstream";
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
} from "@nats-io/transport-node";
import { anywhereWithin } from "./backoff.js";
import { ConfigError, type natsSettings, type z } from "./config.js";
import { type Lifecycle, pause } from "./lifecycle.js";
import { watchLoop } from "./loops.js";
import { readSettingsFile, rereadTls, type TlsFiles } from "./tls-files.js";

/** A server that takes connections and does not speak (it is paused, or its machine is) is left for the next. */
const DIAL_TIMEOUT_MS = 2_000;
/** A connection is given up after two of these without an answer. */
const PING_EVERY_MS = 1_500;
/** Between two tries at the start, on average. */
const RETRY_EVERY_MS = 250;
const SAY_WAITING_EVERY_MS = 5_000;
/** "No suitable peers for placement": a cluster whose servers are still coming. */
const NO_PEERS = 10_005;
/** "Insufficient storage resources available": a volume that is being enlarged, or is too small. */
export const NO_ROOM = 10_047;

/** Where NATS is, and how it lets us in. */
export interface NatsAccess {
  /** One or more servers, comma-separated. */
  url: string;
  user?: string | undefined;
  password?: string | undefined;
  credsFile?: string | undefined;
  /** TLS is also asked for by `tls://` in the URL, then with the system's authorities. */
  tls?: TlsFiles | undefined;
}

/** Throws a ConfigError where both ways to log in are given. */
export function natsAccess(settings: z.output<z.ZodObject<typeof natsSettings>>): NatsAccess {
  const { NATS_CA_FILE: caFile, NATS_CERT_FILE: certFile, NATS_KEY_FILE: keyFile } = settings;
  if (settings.NATS_USER && settings.NATS_CREDS_FILE)
    throw new ConfigError("bad settings: NATS_CREDS_FILE: NATS_USER is given, so it must not be");
  return {
    url: settings.NATS_URL,
    user: settings.NATS_USER,
    password: settings.NATS_PASSWORD,
    credsFile: settings.NATS_CREDS_FILE,
    tls: caFile || certFile ? { caFile, certFile, keyFile } : undefined,
  };
}

/**
 * One try at every server; once connected, the client reconnects for ever, and reads the files again
 * each time. Throws a ConfigError where a file is no good.
 */
export async function dial(access: NatsAccess, name: string): Promise<NatsConnection> {
  return connect({
    ...security(access),
    servers: access.url.split(",").map((each) => each.trim()),
    name,
    timeout: DIAL_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    // Refused twice in a row, the client would give up for ever: a rotated password may come late.
    ignoreAuthErrorAbort: true,
    // A stack trace for each request would cost more than the request.
    noAsyncTraces: true,
    pingInterval: PING_EVERY_MS,
    maxPingOut: 2,
  });
}

function security({ url, user, password, credsFile, tls }: NatsAccess): ConnectionOptions {
  const isSecure = tls !== undefined || /(^|,)\s*tls:/.test(url);
  if (isSecure) refuseAddresses(url);
  return {
    ...(isSecure ? { tls: rereadTls(tls ?? {}) } : {}),
    ...(user ? { user, pass: password ?? "" } : {}),
    ...(credsFile ? { authenticator: rereadCreds(credsFile) } : {}),
  };
}

/** The client tells Node no name for an address, which then checks the certificate for "localhost". */
function refuseAddresses(url: string): void {
  const hosts = url.split(",").map((each) => each.trim().replace(/^.*(\/\/|@)|:\d+$/g, ""));
  const address = hosts.find((host) => isIP(host.replace(/^\[|\]$/g, "")));
  if (address)
    throw new ConfigError(`bad settings: NATS_URL: TLS needs a name in the place of ${address}`);
}

/**
 * Logs in with what the file says at each connect. An authenticator that throws would close the
 * client for good, so in the middle of a rotation it says what it said last.
 */
function rereadCreds(path: string): Authenticator {
  let last = credsAuthenticator(Buffer.from(readSettingsFile(path)));
  try {
    last();
  } catch (cause) {
    throw new ConfigError(`${path}: not a .creds file with a user JWT and its seed`, { cause });
  }
  return (nonce) => {
    try {
      const fresh = credsAuthenticator(Buffer.from(readSettingsFile(path)));
      const login = fresh(nonce);
      last = fresh;
      return login;
    } catch {
      return last(nonce);
    }
  };
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
      await pause(anywhereWithin(2 * RETRY_EVERY_MS), signal);
    }
  }
}

export const NATS_AWAY = {
  what: "NATS can't be reached",
  /** A name that does not resolve may do so later; an address that is none, or a wrong password, not. */
  passes: (error: unknown) =>
    ![errors.AuthorizationError, errors.InvalidArgumentError, ConfigError, TypeError].some(
      (kind) => error instanceof kind,
    ),
};

export const JETSTREAM_AWAY = {
  what: "JetStream is not ready",
  /** Nobody answered, or the answer was that it is not ready: not that our streams are refused. */
  passes: (error: unknown) =>
    error instanceof JetStreamApiError
      ? error.status === 503 || error.code === NO_PEERS || error.code === NO_ROOM
      : !(error instanceof errors.ClosedConnectionError),
};

export interface ConnectionListeners {
  onLost: Set<() => void>;
  onReconnect: Set<() => void>;
}

/** Keeps count of whether the connection stands, and tells of each loss and each reconnect. */
export function followConnection(
  nc: NatsConnection,
  listeners: Readonly<ConnectionListeners>,
  lifecycle: Lifecycle,
): () => boolean {
  const { log } = lifecycle;
  let connected = true;
  const tell = (all: ReadonlySet<() => void>) => {
    for (const listener of [...all])
      try {
        listener();
      } catch (err) {
        log.error({ err }, "a listener to NATS' connection failed");
      }
  };
  const follow = async () => {
    for await (const event of nc.status()) {
      if (event.type === "disconnect") {
        connected = false;
        tell(listeners.onLost);
      }
      if (event.type !== "reconnect") continue;
      connected = true;
      log.info("connected to NATS again");
      tell(listeners.onReconnect);
    }
    connected = false;
    tell(listeners.onLost);
  };
  // The client reconnects for ever: one that has closed itself will not come back.
  void watchLoop("connection to NATS", follow(), lifecycle);
  return () => connected;
}
