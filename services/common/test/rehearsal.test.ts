/** What becomes of a rehearsal that is long, breaks or is stopped; what services rehearse: e2e/rehearsals.test.ts. */
import { expect, test } from "vitest";
import type { Lifecycle } from "../src/lifecycle.js";
import { Metrics } from "../src/metrics.js";
import { rehearse } from "../src/rehearsal.js";
import { installTracing, isTracing } from "../src/tracing.js";
import { newLifecycle } from "./parts.js";

const FOREVER_MS = 60_000;

/** Rehearses scenes; tells what was played, and whether the stage is closed. */
async function play(
  limitMs: number,
  scene: (n: number, lifecycle: Lifecycle) => Promise<unknown>,
  { lifecycle, lines } = newLifecycle(),
) {
  const metrics = new Metrics("test", { isRehearsed: true });
  const played: number[] = [];
  let open = 0;
  async function* scenes() {
    for (let n = 1; n <= 3; n++) {
      played.push(n);
      yield scene(n, lifecycle);
    }
  }
  const setStage = async (stage: Lifecycle) => {
    stage.log.warn("nobody reads this");
    open++;
    stage.push("stage", () => void open--);
    return scenes();
  };
  await rehearse({ limitMs, metrics, open: setStage }, lifecycle);
  const seconds = (await metrics.warmUpSeconds.get()).values[0]?.value;
  return { played, open, lines, seconds };
}

test("all scenes are played, on two stages, both are closed, and nothing is logged or traced", async () => {
  installTracing({ tracer: {} as never, ratio: 1, stop: async () => {} });
  const traced: boolean[] = [];
  const { played, open, lines, seconds } = await play(FOREVER_MS, async () => {
    traced.push(isTracing());
  });
  expect(isTracing()).toBe(true);
  installTracing(undefined);
  expect(traced).toEqual([false, false, false, false, false, false]);
  expect({ played, open, lines }).toEqual({ played: [1, 2, 3, 1, 2, 3], open: 0, lines: [] });
  expect(seconds).toBeGreaterThan(0);
});

test("0 rehearses nothing", async () => {
  const { played, open, seconds } = await play(0, async () => {});
  expect({ played, open, seconds }).toEqual({ played: [], open: 0, seconds: 0 });
});

test("it ends when its time is over, in the middle of a scene, without a word", async () => {
  const { played, open, lines } = await play(50, () => new Promise(() => {}));
  expect({ played, open, lines }).toEqual({ played: [1], open: 0, lines: [] });
});

test("a stop ends it after the scene", async () => {
  const { played, open } = await play(FOREVER_MS, async (n, lifecycle) => {
    if (n === 2) void lifecycle.close();
  });
  expect({ played, open }).toEqual({ played: [1, 2], open: 0 });
});

test("one that breaks is told once, and the process goes on", async () => {
  const { played, open, lines } = await play(FOREVER_MS, async (n) => {
    if (n === 3) throw new Error("forgot the text");
  });
  expect({ played, open }).toEqual({ played: [1, 2, 3], open: 0 });
  expect(lines.map(({ msg }) => msg)).toEqual([
    "rehearsal failed; the first crowd is served slowly",
  ]);
});
