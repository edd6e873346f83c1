/** NATS on a disk that fills up: it stores nothing until it is started again, and every process knows. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { subjectForSessionCreated } from "@fanfare/proto/addresses";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectBus, isFull, openBucket } from "../src/bus.js";
import { unavailable } from "../src/errors.js";
import { Health } from "../src/health.js";
import { startNats } from "../src/servers/nats.js";
import type { Server } from "../src/servers/server.js";
import { SmallDisk } from "../src/servers/small-disk.js";
import { eventually, newLifecycle } from "./parts.js";

const SEEN_WITHIN_MS = 15_000;

let folder: string;
let disk: SmallDisk;
let nats: Server;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-full-"));
  disk = SmallDisk.mount(join(folder, "nats"), 32);
  nats = await startNats({ directory: disk.path, fileStoreMax: "1GB" });
});

afterEach(async () => {
  await nats[Symbol.asyncDispose]();
  disk[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});

test.runIf(SmallDisk.isPossible)(
  "a full disk is seen by who writes and who does not, is told once, and is over with a restart",
  async () => {
    const [writer, reader] = [newLifecycle(), newLifecycle()];
    const options = { url: nats.url, name: "test", replicas: 1 };
    const bus = await connectBus(options, writer.lifecycle);
    const other = await connectBus(options, reader.lifecycle);
    const health = new Health();
    health.watch(() => other.storage.advice());
    health.started();
    const sessions = await openBucket(bus, "sessions");
    const publish = (n: number) =>
      bus.js.publish(subjectForSessionCreated(`s${n}`), "x".repeat(3_000));
    await publish(0);

    disk.fill();
    await eventually("a write fails", () =>
      publish(1).then(
        () => false,
        () => true,
      ),
    );
    await eventually(
      "both know",
      () => !!bus.storage.fault && !!other.storage.fault,
      SEEN_WITHIN_MS,
    );
    expect([bus.storage.fault, other.storage.fault]).toEqual(["full", "full"]);
    expect(health.faults()).toEqual([expect.stringMatching(/stores nothing.*full.*make room/)]);
    const refused = await publish(2).catch((error) => error);
    expect(isFull(refused)).toBe(true);
    expect(unavailable("the log", refused).message).toBe("the log is full; try again later");
    expect(isFull(await sessions.put("s", "x").catch((error) => error))).toBe(true);

    // Room alone does not help: the server has given the stream up.
    disk.empty();
    await other.storage.look();
    expect(other.storage.fault).toBe("full");
    await nats.restart();
    await eventually(
      "it is over",
      () => !bus.storage.fault && !other.storage.fault,
      SEEN_WITHIN_MS,
    );
    expect(health.faults()).toEqual([]);
    await publish(3);
    await sessions.put("s", "x");
    for (const { lines } of [writer, reader]) {
      const told = lines.filter(({ msg }) => /NATS stores/.test(msg)).map(({ msg }) => msg);
      expect(told).toEqual(["NATS stores nothing", "NATS stores again"]);
    }
    await Promise.all([writer, reader].map(({ lifecycle }) => lifecycle.close()));
  },
);
