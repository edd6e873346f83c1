/** The parts that servers are started with: ports, binaries, locks, processes. */
import { stat, symlink, writeFile } from "node:fs/promises";
import { connect as dial } from "node:net";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findBinary, isAtLeast } from "../src/servers/binary.js";
import { freePort } from "../src/servers/free-port.js";
import { withInstallLock } from "../src/servers/install-lock.js";
import { ServerProcess } from "../src/servers/server-process.js";
import { useServers } from "./server-room.js";

const { newFolder } = useServers();

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
    folders: [join(dirname(old), "server-*"), old],
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
