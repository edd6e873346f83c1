/** Real servers are started, asked, killed and stopped, as `make up` and the other tests do it. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer, connect as dial, type Server as Listener } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ask } from "../src/servers/ask.js";
import { findBinary, isAtLeast } from "../src/servers/binary.js";
import {
  DirectoryInUseError,
  DiskFullError,
  PortInUseError,
  ServerStartError,
  ServerUnavailableError,
  VersionMismatchError,
} from "../src/servers/errors.js";
import { freePort } from "../src/servers/free-port.js";
import { withInstallLock } from "../src/servers/install-lock.js";
import { startNats } from "../src/servers/nats.js";
import { startPostgres } from "../src/servers/postgres.js";
import { findProcess, isRunning } from "../src/servers/process-table.js";
import { startRedis } from "../src/servers/redis.js";
import type { Server, ServerOptions } from "../src/servers/server.js";
import { ServerProcess } from "../src/servers/server-process.js";
import { holdsWithin } from "../src/servers/wait.js";

// Real servers on a busy machine: a limit for what hangs, not a measure of what is slow.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const isRoot = process.getuid?.() === 0;
const here = dirname(fileURLToPath(import.meta.url));
const opened: AsyncDisposable[] = [];
let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "fanfare-servers-test-")));
});

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Notes a server, so that it is stopped after the test. */
async function open<T extends AsyncDisposable>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  opened.push(server);
  return server;
}

function newFolder(): Promise<string> {
  return mkdtemp(join(folder, "server-"));
}

/** What a server must do, and how a client writes into it and reads it back. */
interface Kind {
  name: string;
  start(options: ServerOptions): Promise<Server>;
  write(server: Server, value: string): Promise<void>;
  read(server: Server): Promise<string>;
}

const nats: Kind = {
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

const redis: Kind = {
  name: "Redis",
  start: (options) => startRedis({ ...options, persistence: true }),
  write: async (server, value) => {
    await askRedis(server, `SET kept ${value}`);
  },
  read: (server) => askRedis(server, "GET kept"),
};

const postgresql: Kind = {
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

function askRedis(server: Server, command: string): Promise<string> {
  return ask({
    host: "127.0.0.1",
    port: server.port,
    request: `${command}\r\n`,
    read: (answer) => /^(?:[+:]|\$\d+\r\n)(.*)\r\n$/.exec(answer)?.[1],
  });
}

async function withSql<T>(server: Server, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}

function pidOf(server: Server): number {
  if (server.pid === undefined) throw new Error("the server does not run");
  return server.pid;
}

async function listenOn(port: number): Promise<Listener & AsyncDisposable> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(port, "127.0.0.1", resolve));
  const dispose = () => new Promise<void>((resolve) => listener.close(() => resolve()));
  return Object.assign(listener, { [Symbol.asyncDispose]: dispose });
}

/** A disk of 128 KiB in memory; undefined where it cannot be had, as in many containers. */
async function mountSmallDisk(directory: string): Promise<AsyncDisposable | undefined> {
  const run = promisify(execFile);
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", directory]);
  } catch {
    return undefined;
  }
  return { [Symbol.asyncDispose]: async () => void (await run("umount", [directory])) };
}

describe.each([nats, redis, postgresql])("$name", (kind) => {
  test("keeps its data, port and directory through kill -9 and restart, and stops for good", async () => {
    const directory = await newFolder();
    const exits: (string | null)[] = [];
    const onExit: ServerOptions["onExit"] = (_code, signal) => exits.push(signal);
    const server = await open(kind.start({ directory, onExit }));
    const { port, url } = server;
    const firstPid = pidOf(server);
    await kind.write(server, "precious");

    await server.kill("SIGKILL");
    expect(await isRunning(firstPid)).toBe(false);
    expect(server.pid).toBeUndefined();
    await server.restart();

    expect(await kind.read(server)).toBe("precious");
    expect({ port: server.port, url: server.url }).toEqual({ port, url });
    const secondPid = pidOf(server);
    expect(secondPid).not.toBe(firstPid);

    await Promise.all([server.stop(), server.stop()]);
    expect(await isRunning(secondPid)).toBe(false);
    expect(exits).toEqual(["SIGKILL"]);

    await server.restart();
    expect(await kind.read(server)).toBe("precious");
  });

  test("refuses a port that is in use, and names it", async () => {
    const port = await freePort();
    opened.push(await listenOn(port));

    const failure = await kind
      .start({ port, directory: await newFolder() })
      .catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(PortInUseError);
    expect(failure).toMatchObject({ port, server: kind.name });
    expect(String(failure)).toMatch(/_URL/);
  });

  test("does not start twice in one directory while the first has an owner", async () => {
    const directory = await newFolder();
    const first = await open(kind.start({ directory }));

    await expect(kind.start({ directory })).rejects.toThrow(DirectoryInUseError);

    expect(await isRunning(pidOf(first))).toBe(true);
  });

  test("ends an orphan of its directory, and ignores a pid file that names a stranger", async () => {
    const directory = await newFolder();
    const orphan = await kind.start({ directory });
    const orphanPid = pidOf(orphan);
    const pidFile = join(directory, `${kind.name.toLowerCase()}.pid`);
    // As if another process, now gone, had started it.
    await writeFile(pidFile, `${orphanPid} 999999999\n`);

    const heir = await open(kind.start({ directory }));
    expect(await isRunning(orphanPid)).toBe(false);
    await heir.stop();

    await writeFile(pidFile, `${process.pid} ${process.ppid}\n`);
    await heir.restart();
    expect(heir.pid).toBeDefined();
  });

  test("is used and left alone where only its address is given", async () => {
    const owner = await open(kind.start({ directory: await newFolder() }));

    const guest = await kind.start({ url: owner.url });

    expect(guest).toMatchObject({ url: owner.url, port: owner.port, ours: false, pid: undefined });
    expect(isAtLeast(owner.version, guest.version) && isAtLeast(guest.version, owner.version)).toBe(
      true,
    );
    await guest.stop();
    await expect(guest.kill("SIGKILL")).rejects.toThrow("not ours");
    expect(await isRunning(pidOf(owner))).toBe(true);
  });

  test("says so in one line where the given address does not answer", async () => {
    const url = `x://user:secret@127.0.0.1:${await freePort()}`;
    const failure = await kind.start({ url: url }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServerUnavailableError);
    expect(String(failure)).not.toMatch(/secret|\n/);
  });

  test.runIf(isRoot && process.platform === "linux")(
    "says that the disk is full",
    async (context) => {
      const directory = await newFolder();
      const disk = await mountSmallDisk(directory);
      if (!disk) return context.skip("this machine does not let root mount");
      opened.push(disk);
      await writeFile(join(directory, "ballast"), Buffer.alloc(200 * 1024)).catch(() => {});

      const failure = await kind.start({ directory }).catch((error: unknown) => error);

      expect(failure).toBeInstanceOf(DiskFullError);
      expect(String(failure)).not.toContain("\n");
    },
  );

  test("without a directory it uses a temporary one, gone after disposal", async () => {
    const server = await kind.start({});
    const directory = server.directory ?? "";
    expect((await stat(directory)).isDirectory()).toBe(true);
    await server[Symbol.asyncDispose]();
    await expect(stat(directory)).rejects.toThrow("ENOENT");
  });
});

describe("a NATS server", () => {
  test("says its last words when it cannot start, in time", async () => {
    const failure = await startNats({ syncInterval: "nonsense" }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServerStartError);
    expect(String(failure)).toMatch(/sync_interval|nonsense/);
  });

  test("serves its monitoring pages", async () => {
    const server = await open(startNats());
    const answer = await fetch(`${server.monitorUrl}/jsz`);
    expect(await answer.json()).toMatchObject({ config: { sync_always: true } });
  });

  test("logs into the file that it was given", async () => {
    const stdioLog = join(await newFolder(), "nats.log");
    await open(startNats({ stdioLog }));
    expect(await readFile(stdioLog, "utf8")).toContain("Server is ready");
  });
});

describe("a Redis server", () => {
  test("without persistence is empty after a restart", async () => {
    const server = await open(startRedis());
    await redis.write(server, "fleeting");
    await server.restart();
    expect(await askRedis(server, "EXISTS kept")).toBe("0");
  });

  test("is stopped when its parent is killed with -9", async () => {
    const parent = await startElsewhere();
    const { pid } = parent;
    expect(await isRunning(pid)).toBe(true);
    parent.process.kill("SIGKILL");
    expect(await holdsWithin(10_000, async () => !(await isRunning(pid)))).toBe(true);
  });

  test("leads a process group of its own, which a terminal's Ctrl-C does not reach", async () => {
    const server = await open(startRedis());
    const { stdout } = await promisify(execFile)("ps", ["-o", "pgid=", "-p", String(server.pid)]);
    expect(Number(stdout)).toBe(server.pid);
  });

  test("that is paused can still be stopped", async () => {
    const server = await open(startRedis());
    const pid = pidOf(server);
    await server.kill("SIGSTOP");
    await server.stop();
    expect(await isRunning(pid)).toBe(false);
  });
});

/** Compiles the code under test and starts a Redis from another Node process. */
async function startElsewhere(): Promise<{ process: ChildProcess; pid: number }> {
  const out = await newFolder();
  const source = join(here, "..", "src");
  const flags = [
    "--ignoreConfig",
    "--noCheck",
    "--target",
    "es2023",
    "--module",
    "nodenext",
    "--types",
    "node",
  ];
  const tsc = join(here, "..", "..", "..", "node_modules", ".bin", "tsc");
  await promisify(execFile)(tsc, [
    ...flags,
    "--rootDir",
    source,
    "--outDir",
    out,
    join(source, "servers", "redis.ts"),
  ]);
  await writeFile(join(out, "package.json"), '{ "type": "module" }');
  const program = `
    import { startRedis } from ${JSON.stringify(join(out, "servers", "redis.js"))};
    const server = await startRedis({ directory: ${JSON.stringify(join(out, "redis"))} });
    console.log(server.pid);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  opened.push({ [Symbol.asyncDispose]: async () => void child.kill("SIGKILL") });
  for await (const line of child.stdout) return { process: child, pid: Number(String(line)) };
  throw new Error("the other process started no server");
}

describe("a PostgreSQL server", () => {
  test("has the database fanfare in UTF-8, on the loopback address only", async () => {
    const server = await open(startPostgres({ fsync: false }));
    const answer = await withSql(server, async (sql) => {
      const [row] = await sql`select current_database() as database, current_user as "user",
        pg_encoding_to_char(encoding) as encoding, lower('ÄÖ') as lower,
        current_setting('listen_addresses') as listens, current_setting('fsync') as fsync
        from pg_database where datname = current_database()`;
      return row;
    });
    expect(answer).toEqual({
      database: "fanfare",
      user: "fanfare",
      encoding: "UTF8",
      lower: "äö",
      listens: "127.0.0.1",
      fsync: "off",
    });
  });

  test("comes from npm where that is asked for", async () => {
    const server = await open(startPostgres({ source: "embedded", fsync: false }));
    expect(server.version).toMatch(/^18\./);
    const running = await findProcess(pidOf(server));
    expect(running?.commandLine).toMatch(/native\/bin\/postgres|\/var\/lib\/fanfare/);
    const lower = await withSql(server, (sql) => sql`select lower('ÄÖ') as lower`);
    expect(lower[0]).toEqual({ lower: "äö" });
    await server.kill("SIGKILL");
    await server.restart();
  });

  test("refuses data of another major version in one line", async () => {
    const directory = await newFolder();
    await mkdir(join(directory, "data"));
    await writeFile(join(directory, "data", "PG_VERSION"), "9\n");
    const failure = await startPostgres({ directory }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(VersionMismatchError);
    expect(String(failure)).toMatch(/written by PostgreSQL 9, .* install PostgreSQL 9, or move/);
    expect(String(failure)).not.toContain("\n");
  });

  test("starts over a lock file whose number belongs to a stranger", async () => {
    const directory = await newFolder();
    const server = await open(startPostgres({ directory, fsync: false }));
    await server.kill("SIGKILL");
    const lock = join(directory, "data", "postmaster.pid");
    const lines = (await readFile(lock, "utf8")).split("\n");
    await writeFile(lock, [process.pid, ...lines.slice(1)].join("\n"));
    await server.restart();
    expect(server.pid).toBeDefined();
  });

  test.runIf(isRoot)(
    "as root keeps its data elsewhere if its account cannot reach the directory",
    async () => {
      // Not in the temporary directory, whose folders are opened instead.
      const closed = await mkdtemp("/var/tmp/fanfare-closed-");
      opened.push({ [Symbol.asyncDispose]: () => rm(closed, { recursive: true, force: true }) });
      await chmod(closed, 0o700);
      const progress: string[] = [];
      const onProgress = (line: string) => progress.push(line);
      const directory = join(closed, "postgresql");
      const server = await open(startPostgres({ directory, onProgress, fsync: false }));
      const place = dirname(await realpath(join(directory, "data")));
      opened.unshift({ [Symbol.asyncDispose]: () => rm(place, { recursive: true, force: true }) });

      expect(place).toMatch(/^\/var\/lib\/fanfare\//);
      expect(progress.join("\n")).toContain(place);
      await postgresql.write(server, "elsewhere");
      await server.stop();
      const again = await open(startPostgres({ directory, fsync: false }));
      expect(await postgresql.read(again)).toBe("elsewhere");
    },
  );
});

describe("the parts", () => {
  test("freePort gives each caller another port, outside the range of outgoing connections", async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
    expect(new Set(ports).size).toBe(50);
    expect(Math.max(...ports)).toBeLessThan(30_000);
    await expect(
      new Promise((resolve, reject) => {
        dial({ port: ports[0] ?? 0, host: "127.0.0.1" })
          .once("connect", resolve)
          .once("error", reject);
      }),
    ).rejects.toThrow("ECONNREFUSED");
  });

  test.each([
    ["2.12", "2.12", true],
    ["2.15.2", "2.12", true],
    ["2.9.10", "2.12", false],
    ["7.0.15", "7", true],
    ["8", "8.0.1", false],
    ["18.4", "15", true],
  ])("version %s is at least %s: %s", (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected);
  });

  test("an old binary is refused and reported, and the cache is searched last", async () => {
    const cache = await newFolder();
    const old = await newFolder();
    await writeFile(join(old, "fanfare-test-server"), "#!/bin/sh\necho server: v1.4.2\n", {
      mode: 0o755,
    });
    await writeFile(join(cache, "fanfare-test-server"), "#!/bin/sh\necho server: v2.0\n", {
      mode: 0o755,
    });
    await symlink(join(old, "fanfare-test-server"), join(old, "again"));
    const found = await findBinary({
      candidates: [{ name: "fanfare-test-server", minimum: "2" }],
      folders: [`${folder}/server-*`, old],
      cacheFolders: [cache],
      accept: ({ source }) => source === "cache" || source === "machine",
    });
    expect(found.binary?.version).toBe("2.0");
    expect(found.refused.every(({ version }) => version === "1.4.2")).toBe(true);
  });

  test("two installers take turns, and a dead one does not block", async () => {
    const cache = await newFolder();
    await writeFile(join(cache, "thing.lock"), "999999999");
    const order: string[] = [];
    const install = (name: string) =>
      withInstallLock(cache, "thing", async () => {
        order.push(`${name} begins`);
        await stat(cache);
        order.push(`${name} ends`);
      });
    await Promise.all([install("one"), install("two")]);
    expect(order.map((line) => line.split(" ")[1])).toEqual(["begins", "ends", "begins", "ends"]);
  });

  test("a program that does not exist is an error, not a crash", async () => {
    const home = await newFolder();
    const command = { path: join(home, "nothing"), args: [], cwd: home };
    const files = { logFile: join(home, "log"), pidFile: join(home, "pid") };
    await expect(ServerProcess.spawn(command, { stopSignal: "SIGTERM", ...files })).rejects.toThrow(
      "ENOENT",
    );
  });
});
