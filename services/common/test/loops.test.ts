/** Loops live on through faults; one that ends all the same is a process to be started again. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { startAdminServer } from "../src/admin-server.js";
import { Health } from "../src/health.js";
import { type Lifecycle, pause } from "../src/lifecycle.js";
import { repeat, watchLoop } from "../src/loops.js";
import { Metrics } from "../src/metrics.js";
import { eventually, type LogLine, newLifecycle } from "./parts.js";

let lifecycle: Lifecycle;
let lines: LogLine[];
let port: number;

beforeEach(async () => {
  ({ lifecycle, lines } = newLifecycle());
  const [health, metrics] = [new Health(), new Metrics("test")];
  port = await startAdminServer({ port: 0, host: "127.0.0.1", health, metrics }, lifecycle);
});

afterEach(() => lifecycle.close());

async function get(path: string) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
}

async function sample(name: string, loop: string): Promise<string | undefined> {
  const { text } = await get("/metrics");
  return new RegExp(`^${name}\\{.*loop="${loop}".*\\} (\\d+)$`, "m").exec(text)?.[1];
}

const ALWAYS = { firstMs: 1, maxMs: 1 };

test("a loop goes on through turns that fail, and says so once for each row of them", async () => {
  let turns = 0;
  const turn = async () => {
    turns++;
    if (turns === 2 || turns === 3 || turns === 5) throw new Error(`turn ${turns} failed`);
  };
  const done = repeat("tidying", turn, { everyMs: 1, retry: ALWAYS }, lifecycle);
  await eventually("eight turns", () => turns >= 8);
  expect(await sample("quiz_loop_failures_total", "tidying")).toBe("3");
  expect(await sample("quiz_loop_ended", "tidying")).toBe("0");
  expect(lines.map(({ msg, err }) => [msg, (err as Error | undefined)?.message])).toEqual([
    ["a loop failed; it tries again", "turn 2 failed"],
    ["a loop works again", undefined],
    ["a loop failed; it tries again", "turn 5 failed"],
    ["a loop works again", undefined],
  ]);
  expect(await get("/livez")).toEqual({ status: 200, text: "ok\n" });
  await lifecycle.close();
  await done;
});

test("a turn that throws before it waits for anything fails like any other", async () => {
  let turns = 0;
  const turn = () => {
    if (turns++ === 0) throw new TypeError("not a promise");
    return Promise.resolve();
  };
  void repeat("hasty", turn, { everyMs: 1, retry: ALWAYS }, lifecycle);
  await eventually("a second turn", () => turns > 1);
});

test("a turn may ask for the next one at once", async () => {
  let turns = 0;
  const turn = async () => (++turns < 100 ? 0 : undefined);
  void repeat("busy", turn, { everyMs: 3_600_000 }, lifecycle);
  await eventually("a hundred turns", () => turns === 100);
});

test.each([
  ["returns", async () => {}],
  [
    "throws",
    async () => {
      throw new Error("gone");
    },
  ],
])("a loop that %s although nobody stopped it fails the probe", async (_, loop) => {
  await watchLoop("reading", loop(), lifecycle);
  expect(await get("/livez")).toEqual({ status: 503, text: 'the loop "reading" has ended\n' });
  expect(await sample("quiz_loop_ended", "reading")).toBe("1");
  expect(lines).toMatchObject([
    { level: 60, loop: "reading", msg: "a loop has ended: this process must be started again" },
  ]);
});

test("a loop that ends with the stop, or with its own signal, is no fault", async () => {
  const own = new AbortController();
  const followed = watchLoop("reading", pause(3_600_000, own.signal), lifecycle, own.signal);
  own.abort();
  await followed;
  expect(await get("/livez")).toMatchObject({ status: 200 });
  const stopped = watchLoop("all", pause(3_600_000, lifecycle.signal), lifecycle);
  await lifecycle.close();
  await stopped;
  expect(lifecycle.loops.ended()).toEqual([]);
  expect(lines).toEqual([]);
});
