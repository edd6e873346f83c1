/** Several Redis servers together: a cluster, or a primary with replica and sentinel. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateFiles } from "@fanfare/common/servers/certificates";
import { freePort } from "@fanfare/common/servers/free-port";
import { findRedis } from "@fanfare/common/servers/install-redis";
import { openHome, startLocalServer } from "@fanfare/common/servers/local-server";
import type { Server } from "@fanfare/common/servers/server";
import { rereadTls } from "@fanfare/common/tls-files";
import { Redis } from "ioredis";
import { eventually } from "./stack.js";

export interface Security {
  password?: string;
  tls?: CertificateFiles;
}

interface Member extends Security {
  /** Lines of its configuration, asked for at its first start only: servers write into it. */
  lines?: (port: number) => string;
  sentinel?: boolean;
}

/** Keeps no data over a restart, but what a cluster or sentinel notes of itself. */
export async function startMember(member: Member): Promise<Server> {
  const [binary, home] = [await findRedis(), await openHome("Redis")];
  const configFile = join(home.directory, "redis.conf");
  let isWritten = false;
  return startLocalServer(
    {
      server: "Redis",
      version: binary.version,
      ports: [0],
      home,
      marker: configFile,
      stopSignal: "SIGTERM",
      url: (port) => `redis://127.0.0.1:${port}`,
      probe: (port) => ping(port, member),
      prepare: async ([port = 0]) => {
        if (!isWritten) await writeFile(configFile, configuration(home.directory, port, member));
        isWritten = true;
        const args = [configFile, ...(member.sentinel ? ["--sentinel"] : [])];
        return { path: binary.path, args, cwd: home.directory };
      },
    },
    {},
  );
}

function configuration(directory: string, port: number, member: Member): string {
  const { lines, password, sentinel, tls } = member;
  const ports = tls
    ? [
        "port 0",
        `tls-port ${port}`,
        `tls-cert-file ${tls.certFile}`,
        `tls-key-file ${tls.keyFile}`,
        `tls-ca-cert-file ${tls.caFile}`,
        "tls-replication yes",
        ...(sentinel ? [] : ["tls-cluster yes"]),
      ]
    : [`port ${port}`];
  return [
    "bind 127.0.0.1",
    ...ports,
    "daemonize no",
    `dir ${directory}`,
    "set-proc-title no",
    ...(password ? [`requirepass ${password}`] : []),
    ...(sentinel ? [] : ['save ""', "appendonly no", "repl-diskless-sync-delay 0"]),
    ...(password && !sentinel ? [`masterauth ${password}`] : []),
    lines?.(port) ?? "",
    "",
  ].join("\n");
}

/** A connection of a test's own, which sees to it that it stays. */
export function connectTo(port: number, { password, tls }: Security): Redis {
  const redis = new Redis({
    host: "127.0.0.1",
    port,
    retryStrategy: () => 50,
    ...(password ? { password } : {}),
    ...(tls ? { tls: rereadTls(tls) } : {}),
  });
  redis.on("error", () => {});
  return redis;
}

async function ping(port: number, security: Security): Promise<void> {
  const redis = connectTo(port, security);
  try {
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}

/** `size` nodes, each with its share of the slots. */
export class RedisCluster implements AsyncDisposable {
  private constructor(
    readonly nodes: Server[],
    readonly connections: Redis[],
  ) {}

  static async start(size: number, security: Security = {}): Promise<RedisCluster> {
    const busPorts = await Promise.all(Array.from({ length: size }, () => freePort()));
    const nodes = await Promise.all(busPorts.map((busPort) => startNode(busPort, security)));
    const connections = nodes.map(({ port }) => connectTo(port, security));
    const cluster = new RedisCluster(nodes, connections);
    const share = Math.ceil(16_384 / size);
    for (const [i, connection] of connections.entries()) {
      const last = Math.min((i + 1) * share, 16_384) - 1;
      await connection.call("CLUSTER", "ADDSLOTSRANGE", i * share, last);
      await connection.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
      const first = nodes[0];
      if (i > 0 && first)
        await connection.call("CLUSTER", "MEET", "127.0.0.1", first.port, busPorts[0] ?? 0);
    }
    await cluster.untilWhole();
    return cluster;
  }

  /** Adds a node that follows another, and takes its place when it is gone. */
  async addReplica(of: number): Promise<void> {
    const busPort = await freePort();
    const replica = await startNode(busPort, {});
    const connection = connectTo(replica.port, {});
    this.nodes.push(replica);
    this.connections.push(connection);
    const followed = this.connections[of];
    if (!followed) throw new Error("no such node");
    await followed.call("CLUSTER", "MEET", "127.0.0.1", replica.port, busPort);
    await this.untilWhole();
    await connection.call("CLUSTER", "REPLICATE", await followed.cluster("MYID"));
    await eventually(
      async () => String(await connection.info("replication")),
      (replication) => replication.includes("master_link_status:up"),
    );
  }

  get url(): string {
    return this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
  }

  /** Waits until every node serves, and knows that the others do. */
  async untilWhole(): Promise<void> {
    const states = () =>
      Promise.all(this.connections.map(async (each) => String(await each.cluster("INFO")))).catch(
        () => [],
      );
    await eventually(states, (infos) => {
      const whole = infos.filter(
        (info) =>
          info.includes("cluster_state:ok") &&
          info.includes(`cluster_known_nodes:${this.nodes.length}`),
      );
      return whole.length === this.nodes.length;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.connections) connection.disconnect();
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }
}

function startNode(busPort: number, security: Security): Promise<Server> {
  const lines = [
    "cluster-enabled yes",
    "cluster-node-timeout 1000",
    `cluster-port ${busPort}`,
    "cluster-config-file nodes.conf",
  ];
  return startMember({ ...security, lines: () => lines.join("\n") });
}

const PRIMARY = "mymaster";

/** A primary, its replica, and one sentinel that decides alone. */
export class WatchedRedis implements AsyncDisposable {
  private constructor(
    readonly primary: Server,
    readonly replica: Server,
    readonly sentinel: Server,
    private readonly security: Security,
  ) {}

  static async start(
    security: Security & { sentinelPassword?: string } = {},
  ): Promise<WatchedRedis> {
    const { password, tls, sentinelPassword } = security;
    const primary = await startMember(security);
    const replica = await startMember({
      ...security,
      lines: () => `replicaof 127.0.0.1 ${primary.port}`,
    });
    const sentinel = await startMember({
      ...(tls ? { tls } : {}),
      ...(sentinelPassword ? { password: sentinelPassword } : {}),
      sentinel: true,
      lines: () =>
        [
          `sentinel monitor ${PRIMARY} 127.0.0.1 ${primary.port} 1`,
          `sentinel down-after-milliseconds ${PRIMARY} 500`,
          `sentinel failover-timeout ${PRIMARY} 3000`,
          ...(password ? [`sentinel auth-pass ${PRIMARY} ${password}`] : []),
        ].join("\n"),
    });
    const watched = new WatchedRedis(primary, replica, sentinel, security);
    await watched.ask(sentinel, security.sentinelPassword, (connection) =>
      eventually(
        () => connection.call("SENTINEL", "REPLICAS", PRIMARY) as Promise<unknown[]>,
        (replicas) => JSON.stringify(replicas).includes('"master-link-status","ok"'),
        20_000,
      ),
    );
    return watched;
  }

  get url(): string {
    return `127.0.0.1:${this.sentinel.port}/${PRIMARY}`;
  }

  /**
   * Lets the replica sleep once it has all so far, and cuts its line: what comes now it does not get. One that
   * knows its line to be down is not chosen after ten times `down-after-milliseconds`, and one that follows
   * another is set right by the sentinel after `failover-timeout`; this one knows of nothing until it wakes.
   */
  async cutOff(): Promise<void> {
    await this.ask(this.primary, this.security.password, (connection) =>
      eventually(async () => String(await connection.info("replication")), hasCaughtUp),
    );
    await this.replica.kill("SIGSTOP");
    await this.ask(this.primary, this.security.password, (connection) =>
      connection.call("CLIENT", "KILL", "TYPE", "replica"),
    );
  }

  /** Kills the primary, and only then wakes the replica, so that there is nobody to catch up from. */
  async loseWrites(): Promise<void> {
    await this.primary.kill("SIGKILL");
    await this.replica.kill("SIGCONT");
  }

  /** Waits until the replica is the primary. */
  async untilReplaced(): Promise<void> {
    await this.ask(this.replica, this.security.password, (connection) =>
      eventually(
        async () => String(await connection.info("replication")),
        (replication) => replication.includes("role:master"),
        50_000,
      ),
    );
  }

  private async ask<T>(
    server: Server,
    password: string | undefined,
    question: (connection: Redis) => Promise<T>,
  ): Promise<T> {
    const { tls } = this.security;
    const connection = connectTo(server.port, {
      ...(password ? { password } : {}),
      ...(tls ? { tls } : {}),
    });
    try {
      return await question(connection);
    } finally {
      connection.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.sentinel, this.replica, this.primary])
      await server[Symbol.asyncDispose]();
  }
}

/** Whether the one replica has confirmed what its primary has written (INFO replication). */
function hasCaughtUp(replication: string): boolean {
  const written = /master_repl_offset:(\d+)/.exec(replication)?.[1];
  const confirmed = /slave0:.*offset=(\d+)/.exec(replication)?.[1];
  return written !== undefined && written === confirmed;
}
