/** NATS with JetStream on file storage, for `make up` and for tests. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "./ask.js";
import { useExternalServer } from "./external-server.js";
import { findNats, NATS_MINIMUM } from "./install-nats.js";
import { openHome, startLocalServer } from "./local-server.js";
import type { Server, ServerOptions } from "./server.js";

export interface NatsOptions extends ServerOptions {
  /** Port of the monitoring pages; 0 or none: a free one. */
  monitorPort?: number | undefined;
  /** Largest message; 1 MiB if not given. */
  maxPayloadBytes?: number | undefined;
  /** When JetStream syncs to disk: "always" (if not given), or an interval such as "2m". */
  syncInterval?: string | undefined;
  /** What all streams together may take on disk, such as "1GB"; none: three quarters of what is free. */
  fileStoreMax?: string | undefined;
  /** Makes it one of several servers that keep their streams together. */
  cluster?: NatsMember | undefined;
}

export interface NatsMember {
  /** Unlike any other member's; streams name their leader by it. */
  name: string;
  /** Where the other members reach this one, on the loopback address. */
  port: number;
  /** Such ports of all members. */
  ports: readonly number[];
}

export interface NatsServer extends Server {
  /** Address of the monitoring pages; undefined for a server that is not ours. */
  readonly monitorUrl: string | undefined;
}

const DEFAULT_PORT = 4222;
const PAYLOAD_BYTES = 1024 * 1024;

/**
 * Resolves once the server has read its streams and greets clients. Streams live in the directory
 * and are there again after `restart`; by default each acknowledged message is on disk.
 */
export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  if (options.url) {
    const plan = { server: "NATS", defaultPort: DEFAULT_PORT, minimum: NATS_MINIMUM } as const;
    const external = await useExternalServer({ ...plan, url: options.url, probe: greet });
    return Object.assign(external, { monitorUrl: undefined });
  }
  const binary = await findNats(options);
  const home = await openHome("NATS", options.directory);
  const configFile = join(home.directory, "nats.conf");
  let monitorPort = 0;
  const server = await startLocalServer(
    {
      server: "NATS",
      version: binary.version,
      ports: [options.port ?? 0, options.monitorPort ?? 0],
      home,
      marker: configFile,
      stopSignal: "SIGTERM",
      url: (port) => `nats://127.0.0.1:${port}`,
      probe: (port) => greet(`nats://127.0.0.1:${port}`),
      prepare: async ([port = 0, monitor = 0]) => {
        monitorPort = monitor;
        await writeFile(configFile, configuration(home.directory, port, monitor, options));
        return { path: binary.path, args: ["-c", configFile], cwd: home.directory };
      },
    },
    options,
  );
  return Object.assign(server, { monitorUrl: `http://127.0.0.1:${monitorPort}` });
}

function configuration(
  directory: string,
  port: number,
  monitorPort: number,
  options: NatsOptions,
): string {
  return `# Written at each start; edits are lost.
server_name: ${options.cluster?.name ?? "fanfare-local"}
listen: "127.0.0.1:${port}"
http: "127.0.0.1:${monitorPort}"
max_payload: ${options.maxPayloadBytes ?? PAYLOAD_BYTES}
# The shortest that the server takes; SIGTERM does not use it.
lame_duck_duration: "30s"
lame_duck_grace_period: "1s"
jetstream {
  store_dir: ${JSON.stringify(join(directory, "jetstream"))}
  sync_interval: ${JSON.stringify(options.syncInterval ?? "always")}
  ${options.fileStoreMax ? `max_file_store: ${options.fileStoreMax}` : ""}
}
${options.cluster ? membership(options.cluster) : ""}`;
}

function membership({ port, ports }: NatsMember): string {
  const routes = ports.filter((each) => each !== port).map((each) => `nats://127.0.0.1:${each}`);
  return `cluster {
  name: fanfare-local
  listen: "127.0.0.1:${port}"
  routes: ${JSON.stringify(routes)}
}
`;
}

/** Resolves with the version in the server's greeting, which it sends once its streams are read. */
async function greet(urls: string): Promise<string> {
  const [first = ""] = urls.split(",");
  const { hostname, port } = new URL(first.includes("://") ? first : `nats://${first}`);
  return ask({
    host: hostname,
    port: Number(port) || DEFAULT_PORT,
    read: (answer) => {
      if (!answer.includes("\r\n")) return undefined;
      const greeting = /^INFO (\{.*\})\s*\r\n/.exec(answer)?.[1];
      if (!greeting) throw new Error(`not a NATS greeting: ${answer.slice(0, 80)}`);
      const { version } = JSON.parse(greeting) as { version?: unknown };
      return String(version);
    },
  });
}
