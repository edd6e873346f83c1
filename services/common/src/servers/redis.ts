/** Redis or Valkey, for `make up` and for tests. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "./ask.js";
import { useExternalServer } from "./external-server.js";
import { findRedis, REDIS_MINIMUM } from "./install-redis.js";
import { openHome, startLocalServer } from "./local-server.js";
import type { Server, ServerOptions } from "./server.js";

export interface RedisOptions extends ServerOptions {
  /** True: an append-only file, synced each second. Else a restart finds it empty. */
  persistence?: boolean | undefined;
}

const DEFAULT_PORT = 6379;

/** Resolves once the server answers PING, its file read if it keeps one. */
export async function startRedis(options: RedisOptions = {}): Promise<Server> {
  if (options.url) {
    const plan = { server: "Redis", defaultPort: DEFAULT_PORT, minimum: REDIS_MINIMUM } as const;
    return useExternalServer({ ...plan, url: options.url, probe: ping });
  }
  const binary = await findRedis(options);
  const home = await openHome("Redis", options.directory);
  const configFile = join(home.directory, "redis.conf");
  return startLocalServer(
    {
      server: "Redis",
      version: binary.version,
      ports: [options.port ?? 0],
      home,
      marker: configFile,
      stopSignal: "SIGTERM",
      url: (port) => `redis://127.0.0.1:${port}`,
      probe: (port) => ping(`redis://127.0.0.1:${port}`),
      prepare: async ([port = 0]) => {
        await writeFile(configFile, configuration(home.directory, port, options));
        return { path: binary.path, args: [configFile], cwd: home.directory };
      },
    },
    options,
  );
}

function configuration(directory: string, port: number, options: RedisOptions): string {
  return `# Written at each start; edits are lost.
bind 127.0.0.1
port ${port}
protected-mode yes
daemonize no
dir ${JSON.stringify(directory)}
save ""
appendonly ${options.persistence ? "yes" : "no"}
appendfsync everysec
# A board that was evicted would be a wrong board.
maxmemory-policy noeviction
# Keeps the path of this file on the command line, by which a server of this directory is known.
set-proc-title no
`;
}

/** Resolves with the server's version once it answers PING; a server that still loads does not. */
async function ping(url: string): Promise<string> {
  const { hostname, port, protocol, username, password } = new URL(url);
  const login = [username || "default", password].map(decodeURIComponent);
  const commands = [...(password ? [["AUTH", ...login]] : []), ["PING"], ["INFO", "server"]];
  return ask({
    host: hostname,
    port: Number(port) || DEFAULT_PORT,
    secure: protocol === "rediss:",
    request: commands.map(encodeCommand).join(""),
    read: (answer) => {
      const refusal = /^-.*/m.exec(answer)?.[0];
      if (refusal) throw new Error(refusal);
      const info = wholeBulk(answer);
      return info && answer.includes("+PONG\r\n") ? versionIn(info) : undefined;
    },
  });
}

/** The first bulk string of an answer; undefined while it has not come whole. */
function wholeBulk(answer: string): string | undefined {
  const [, length, rest = ""] = /\$(\d+)\r\n([\s\S]*)$/.exec(answer) ?? [];
  return length !== undefined && rest.length >= Number(length) ? rest : undefined;
}

/** Valkey states the Redis that it is compatible with too, and first. */
function versionIn(info: string): string | undefined {
  const own = /valkey_version:([\d.]+)/.exec(info) ?? /redis_version:([\d.]+)/.exec(info);
  return own?.[1];
}

function encodeCommand(words: string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join("")}`;
}
