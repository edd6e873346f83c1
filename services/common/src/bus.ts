/** NATS JetStream: one connection per process, and the streams and buckets that all of them expect. */

import {
  BUCKETS,
  DEAD_LETTER_SUBJECTS,
  isLogSubject,
  LEADERBOARD_SUBJECTS,
  LOG_SUBJECTS,
  LOG_TRANSFORM,
  SESSION_REPUBLISH,
  STREAMS,
  streamOfBucket,
} from "@fanfare/proto/addresses";
import {
  AckPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type PubAck,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import {
  dial,
  followConnection,
  insist,
  JETSTREAM_AWAY,
  NATS_AWAY,
  type NatsAccess,
  NO_ROOM,
  natsAccess,
} from "./bus-connection.js";
import { BusStorage } from "./bus-storage.js";
import { natsSettings, z } from "./config.js";
import { type Lifecycle, within } from "./lifecycle.js";
import { NOT_STORED } from "./storage-faults.js";

export { AckPolicy };

/** Oldest server whose streams survive kill -9 (Jepsen 2.12.1; nats-server #6888). */
const SERVER_MIN = [2, 12] as const;
const FLUSH_WITHIN_MS = 2_000;
/** For making streams, which the servers of a cluster agree on. */
const SETUP_LIMIT_MS = 5_000;
/** For an entry to be stored. */
const PUBLISH_LIMIT_MS = 2_000;
/**
 * For all other questions. While a stream of a cluster has no leader (4 to 9 s after one has died)
 * nobody answers them; whoever waits for the answer must say so in time.
 */
const ANSWER_LIMIT_MS = 1_000;
const NANOS_PER_MS = 1_000_000;
const NANOS_PER_S = 1_000 * NANOS_PER_MS;
/**
 * For `purge` on a bucket: how long the mark of a removal stays, which would else stay for ever, one
 * for each session ever played.
 */
export const PURGE_MARKER_TTL = "10m";

export interface BusOptions extends NatsAccess {
  /** Name of the connection in the server's monitoring. */
  name: string;
  /** Copies of each stream: 1, or 3 on a cluster. */
  replicas: number;
  /** What the log may hold before it refuses new entries, in bytes; 0 leaves the stream's limit as it is. */
  logBytesMax?: number;
  /** Lives and sizes of the other streams; where nothing is said, those of the settings' defaults. */
  limits?: StreamLimits;
}

export interface StreamLimits {
  boardsAgeS: number;
  boardsBytesMax: number;
  deadLettersAgeS: number;
  deadLettersBytesMax: number;
}

const LIMITS: StreamLimits = limitsOf(z.object(natsSettings).parse({}));

/** A service's options, by its settings. */
export function busOptions(
  settings: z.output<z.ZodObject<typeof natsSettings>>,
  name: string,
): BusOptions {
  return {
    ...natsAccess(settings),
    name,
    replicas: settings.NATS_REPLICAS,
    logBytesMax: settings.NATS_LOG_BYTES_MAX,
    limits: limitsOf(settings),
  };
}

function limitsOf(settings: z.output<z.ZodObject<typeof natsSettings>>): StreamLimits {
  return {
    boardsAgeS: settings.NATS_BOARDS_AGE_S,
    boardsBytesMax: settings.NATS_BOARDS_BYTES_MAX,
    deadLettersAgeS: settings.NATS_DEAD_LETTERS_AGE_S,
    deadLettersBytesMax: settings.NATS_DEAD_LETTERS_BYTES_MAX,
  };
}

export interface Bus {
  nc: NatsConnection;
  js: JetStreamClient;
  jsm: JetStreamManager;
  connected(): boolean;
  /** Whether NATS stores what it is given; a publish that it would not store is refused at once. */
  storage: BusStorage;
  /**
   * Hears what is published to a subject while this process is connected. What the listener throws is
   * logged: thrown into the client it would end the connection.
   */
  listen(subject: string, listener: (message: Msg) => void): Subscription;
  /**
   * Calls back after each reconnect, until the result is called: what was missed meanwhile must be
   * read again.
   */
  onReconnect(listener: () => void): () => void;
}

/**
 * Connects, waiting as long as it takes while the lifecycle lives, and makes what is missing. Throws
 * what no waiting heals: a server that is too old or does not let us in, and the stop.
 */
export async function connectBus(options: BusOptions, lifecycle: Lifecycle): Promise<Bus> {
  const nc = await insist(() => dial(options, options.name), NATS_AWAY, lifecycle);
  lifecycle.push("nats", async () => {
    // A drain flushes what was published; a server that is away must not hold up the stop.
    await within(FLUSH_WITHIN_MS, nc.drain()).catch(() => {});
    if (!nc.isClosed()) await nc.close();
  });
  const listeners = { onLost: new Set<() => void>(), onReconnect: new Set<() => void>() };
  const connected = followConnection(nc, listeners, lifecycle);
  refuseOldServer(nc);
  const manage = async () => {
    await ensureStreams(await jetstreamManager(nc, { timeout: SETUP_LIMIT_MS }), options);
    return jetstreamManager(nc, { timeout: ANSWER_LIMIT_MS });
  };
  const jsm = await insist(manage, JETSTREAM_AWAY, lifecycle);
  const storage = new BusStorage(jsm, connected, lifecycle);
  storage.watch();
  listeners.onReconnect.add(() => storage.suspect());
  const js = watchedPublishing(
    jetstream(nc, { timeout: PUBLISH_LIMIT_MS }),
    storage,
    listeners.onLost,
  );
  return {
    nc,
    js,
    jsm,
    connected,
    storage,
    onReconnect(listener) {
      listeners.onReconnect.add(listener);
      return () => listeners.onReconnect.delete(listener);
    },
    listen: (subject, listener) =>
      nc.subscribe(subject, {
        callback: (error, message) => {
          try {
            if (!error) listener(message);
          } catch (err) {
            lifecycle.log.warn({ err, subject }, "message passed over");
          }
        },
      }),
  };
}

/**
 * Publishes through `js`, of buckets too: not what would not be stored, and without waiting for an answer
 * that can't come any more, as its connection is lost. The entry may then be stored all the same.
 */
function watchedPublishing(
  js: JetStreamClient,
  storage: BusStorage,
  onLost: Set<() => void>,
): JetStreamClient {
  const publish = js.publish.bind(js);
  const underWay = new Set<(error: Error) => void>();
  onLost.add(() => {
    for (const reject of underWay) reject(new Error("the connection to NATS was lost"));
    storage.logFailed(performance.now());
  });
  js.publish = async (...args) => {
    const startedAt = performance.now();
    const isForLog = isLogSubject(args[0]);
    let giveUp: (error: Error) => void = () => {};
    try {
      storage.refuse();
      const ack = await new Promise<PubAck>((resolve, reject) => {
        giveUp = reject;
        underWay.add(giveUp);
        publish(...args).then(resolve, reject);
      });
      if (isForLog) storage.logAnswered();
      return ack;
    } catch (error) {
      if (isWrongLastSequence(error)) {
        if (isForLog) storage.logAnswered();
      } else if (isForLog) storage.logFailed(startedAt);
      else storage.suspect();
      throw error;
    } finally {
      underWay.delete(giveUp);
    }
  };
  return js;
}

function refuseOldServer(nc: NatsConnection): void {
  const version = nc.info?.version ?? "0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < SERVER_MIN[0] || (major === SERVER_MIN[0] && minor < SERVER_MIN[1]))
    throw new Error(
      `nats-server ${version} is too old: ${SERVER_MIN.join(".")} or newer is needed`,
    );
}

/** Makes the streams that are missing and brings the others' changeable settings up to date. */
async function ensureStreams(
  jsm: JetStreamManager,
  { replicas, logBytesMax = 0, limits = LIMITS }: BusOptions,
): Promise<void> {
  const shared = {
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    num_replicas: replicas,
    allow_direct: true,
  };
  await ensureStream(jsm, {
    ...shared,
    name: STREAMS.log,
    subjects: [LOG_SUBJECTS],
    subject_transform: LOG_TRANSFORM,
    // Full means refuse: an acknowledged answer is never dropped for a newer one.
    discard: DiscardPolicy.New,
    ...(logBytesMax > 0 ? { max_bytes: logBytesMax } : {}),
    duplicate_window: 120_000 * NANOS_PER_MS,
  });
  await ensureStream(jsm, {
    ...shared,
    name: STREAMS.leaderboard,
    subjects: [LEADERBOARD_SUBJECTS],
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.Old,
    max_age: limits.boardsAgeS * NANOS_PER_S,
    max_bytes: limits.boardsBytesMax,
  });
  await ensureStream(jsm, {
    ...shared,
    name: STREAMS.deadLetters,
    subjects: [DEAD_LETTER_SUBJECTS],
    discard: DiscardPolicy.Old,
    max_msgs: 100_000,
    max_age: limits.deadLettersAgeS * NANOS_PER_S,
    max_bytes: limits.deadLettersBytesMax,
    // A board that is built again meets the same entries: their letters are kept once.
    duplicate_window: 24 * 3_600_000 * NANOS_PER_MS,
  });
  for (const bucket of Object.values(BUCKETS))
    await ensureStream(jsm, {
      ...shared,
      ...bucketLayout(bucket),
      ...(bucket === BUCKETS.sessions ? { republish: SESSION_REPUBLISH } : {}),
    });
}

/** The stream of a bucket as NATS clients expect it (NATS architecture decision record 8). */
function bucketLayout(bucket: string) {
  return {
    name: streamOfBucket(bucket),
    subjects: [`$KV.${bucket}.>`],
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    allow_rollup_hdrs: true,
    allow_msg_ttl: true,
  };
}

async function ensureStream(
  jsm: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  try {
    await jsm.streams.add(config);
  } catch (error) {
    // 10058: there is one of this name with other settings. 10047: no room for another one of this size,
    // which a single server says before it looks whether it has this very stream.
    if (codeOf(error) !== 10058 && codeOf(error) !== NO_ROOM) throw error;
    await jsm.streams.update(config.name, config).catch((cause: unknown) => {
      throw codeOf(cause) === 10059 ? error : cause;
    });
  }
}

/** One of the key-value buckets, all of which connectBus has made. */
export function openBucket(bus: Bus, bucket: keyof typeof BUCKETS): Promise<KV> {
  return new Kvm(bus.js).open(BUCKETS[bucket]);
}

/** JetStream said that another writer was there first (10071; 10164 on a replicated stream). */
export function isWrongLastSequence(error: unknown): boolean {
  const code = codeOf(error);
  return code === 10071 || code === 10164;
}

/** JetStream can't store an entry: the stream, or the volume under it, is full or switched off. */
export function isFull(error: unknown): boolean {
  return codeOf(error) === NOT_STORED;
}

const codeOf = (error: unknown) => (error as { code?: number }).code;
