/** What only one kind of server does. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { ServerStartError, VersionMismatchError } from "../src/servers/errors.js";
import { startNats } from "../src/servers/nats.js";
import { startPostgres } from "../src/servers/postgres.js";
import { findProcess, isRunning } from "../src/servers/process-table.js";
import { startRedis } from "../src/servers/redis.js";
import { holdsWithin } from "../src/servers/wait.js";
import { askRedis, pidOf, postgresql, redis, withSql } from "./server-kinds.js";
import { useServers } from "./server-room.js";

const { open, newFolder, opened } = useServers();
const isRoot = process.getuid?.() === 0;
const here = dirname(fileURLToPath(import.meta.url));

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
