/** Three real NATS servers that keep every stream together, each write on disk before its ack. */
import { freePort } from "@fanfare/common/servers/free-port";
import { type NatsServer, startNats } from "@fanfare/common/servers/nats";
import {
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { until } from "./pods.js";

const NAMES = ["nats-0", "nats-1", "nats-2"] as const;
const ANSWER_LIMIT_MS = 500;
/** A new leader is elected 4 to 9 s after the old one was heard last; a split vote takes longer. */
export const ELECTION_LIMIT_MS = 20_000;

export class NatsCluster implements AsyncDisposable {
  private constructor(
    private readonly members: ReadonlyMap<string, NatsServer>,
    private readonly nc: NatsConnection,
    private readonly jsm: JetStreamManager,
  ) {}

  /** Resolves once the three can make streams. */
  static async start(): Promise<NatsCluster> {
    const ports = await Promise.all(NAMES.map(() => freePort()));
    const started = await Promise.all(
      NAMES.map((name, i) => startNats({ cluster: { name, port: ports[i] ?? 0, ports } })),
    );
    const servers = started.map(({ url }) => url);
    const nc = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: ANSWER_LIMIT_MS });
    await until(() => jsm.getAccountInfo().catch(() => undefined), ELECTION_LIMIT_MS);
    return new NatsCluster(
      new Map(NAMES.map((name, i) => [name, started[i] as NatsServer])),
      nc,
      jsm,
    );
  }

  /** Addresses of all members, as NATS_URL takes them. */
  get url(): string {
    return [...this.members.values()].map(({ url }) => url).join(",");
  }

  /** The member that leads all of these streams, which it is made to do. */
  async leaderOf(streams: readonly string[]): Promise<NatsServer> {
    const [first = ""] = streams;
    const leader = (await this.#inform(first)).cluster?.leader ?? "";
    for (const stream of streams) await this.#moveLeader(stream, leader);
    const member = this.members.get(leader);
    if (!member) throw new Error(`${first} has no leader`);
    return member;
  }

  /** Resolves once all three hold all of a stream. */
  async whole(stream: string): Promise<void> {
    await until(async () => {
      const replicas = (await this.#inform(stream)).cluster?.replicas ?? [];
      return replicas.length === 2 && replicas.every(({ current, offline }) => current && !offline);
    }, ELECTION_LIMIT_MS);
  }

  /** Publishes as an outsider does, once, and resolves when it is stored. */
  async append(subject: string, text: string): Promise<void> {
    await jetstream(this.nc).publish(subject, text);
  }

  async #moveLeader(stream: string, to: string): Promise<void> {
    await until(async () => {
      if ((await this.#inform(stream)).cluster?.leader === to) return true;
      const wish = JSON.stringify({ placement: { preferred: to } });
      await this.nc.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, wish).catch(() => {});
      return false;
    }, ELECTION_LIMIT_MS);
  }

  #inform(stream: string): Promise<StreamInfo> {
    return until(() => this.jsm.streams.info(stream).catch(() => undefined), ELECTION_LIMIT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nc.close();
    await Promise.all([...this.members.values()].map((each) => each[Symbol.asyncDispose]()));
  }
}
