/** What every server does: it is started, asked, killed and stopped, as `make up` and tests do it. */
import { execFile } from "node:child_process";
import { stat, writeFile } from "node:fs/promises";
import { createServer, type Server as Listener } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { isAtLeast } from "../src/servers/binary.js";
import {
  DirectoryInUseError,
  DiskFullError,
  PortInUseError,
  ServerUnavailableError,
} from "../src/servers/errors.js";
import { freePort } from "../src/servers/free-port.js";
import { isRunning } from "../src/servers/process-table.js";
import type { ServerOptions } from "../src/servers/server.js";
import { nats, pidOf, postgresql, redis } from "./server-kinds.js";
import { useServers } from "./server-room.js";

const { open, newFolder, opened } = useServers();
const isRoot = process.getuid?.() === 0;

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
