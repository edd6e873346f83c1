/** The three kinds of servers as the tests see them: started, written into, read back. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import postgres from "postgres";
import { ask } from "../src/servers/ask.js";
import { startNats } from "../src/servers/nats.js";
import { startPostgres } from "../src/servers/postgres.js";
import { startRedis } from "../src/servers/redis.js";
import type { Server, ServerOptions } from "../src/servers/server.js";

/** What a server must do, and how a client writes into it and reads it back. */
export interface Kind {
  name: string;
  start(options: ServerOptions): Promise<Server>;
  write(server: Server, value: string): Promise<void>;
  read(server: Server): Promise<string>;
}

export const nats: Kind = {
  name: "NATS",
  start: (options) => startNats(options),
  write: (server, value) =>
    withNats(server, async (connection) => {
      const streams = await jetstreamManager(connection);
      await streams.streams.add({ name: "KEPT", subjects: ["kept"] });
      await jetstream(connection).publish("kept", value);
    }),
  read: (server) =>
    withNats(server, async (connection) => {
      const streams = await jetstreamManager(connection);
      const message = await streams.streams.getMessage("KEPT", { last_by_subj: "kept" });
      return message?.string() ?? "";
    }),
};

export const redis: Kind = {
  name: "Redis",
  start: (options) => startRedis({ ...options, persistence: true }),
  write: async (server, value) => {
    await askRedis(server, `SET kept ${value}`);
  },
  read: (server) => askRedis(server, "GET kept"),
};

export const postgresql: Kind = {
  name: "PostgreSQL",
  start: (options) => startPostgres({ ...options, fsync: false }),
  write: (server, value) =>
    withSql(server, async (sql) => {
      await sql`create table kept (value text)`;
      await sql`insert into kept values (${value})`;
    }),
  read: (server) =>
    withSql(server, async (sql) => {
      const [row] = await sql<{ value: string }[]>`select value from kept`;
      return row?.value ?? "";
    }),
};

async function withNats<T>(
  server: Server,
  use: (connection: Awaited<ReturnType<typeof connectNats>>) => Promise<T>,
): Promise<T> {
  const connection = await connectNats({ servers: server.url });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

export function askRedis(server: Server, command: string): Promise<string> {
  return ask({
    host: "127.0.0.1",
    port: server.port,
    request: `${command}\r\n`,
    read: (answer) => /^(?:[+:]|\$\d+\r\n)(.*)\r\n$/.exec(answer)?.[1],
  });
}

export async function withSql<T>(
  server: Server,
  use: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}

export function pidOf(server: Server): number {
  if (server.pid === undefined) throw new Error("the server does not run");
  return server.pid;
}
