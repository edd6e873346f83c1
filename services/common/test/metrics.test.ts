/** What every process counts, and the two forms of its page. */
import { open as openFile } from "node:fs/promises";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Histogram, type Registry } from "prom-client";
import { expect, test } from "vitest";
import { GivenUpError, ServiceError } from "../src/errors.js";
import { HotCounter, LabelledHotCounter } from "../src/hot-counter.js";
import { HotHistogram } from "../src/hot-histogram.js";
import { Metrics } from "../src/metrics.js";
import { eventually } from "./parts.js";

const OPEN = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";

test("a counter keeps its name in both forms, whichever is read first", async () => {
  const metrics = new Metrics("test");
  metrics.limitHits.inc({ limit: "X" }, 2);
  for (const accept of [OPEN, "", OPEN, undefined]) {
    const { text, contentType } = await metrics.page(accept);
    const isOpen = contentType.startsWith("application/openmetrics-text");
    expect(isOpen).toBe(accept === OPEN);
    expect(text).toContain(`# TYPE quiz_limit_hits${isOpen ? "" : "_total"} counter\n`);
    expect(text).toContain('quiz_limit_hits_total{limit="X",component="test"} 2\n');
  }
});

test("a metric that is made after the first page is on the next one", async () => {
  const metrics = new Metrics("test");
  await metrics.page(OPEN);
  new HotCounter({ name: "later_total", help: "l", registers: [metrics.registry] }).add(5);
  expect((await metrics.page(OPEN)).text).toContain('later_total{component="test"} 5');
});

test("an exemplar is shown in OpenMetrics only, and only where there is a trace", async () => {
  const metrics = new Metrics("test");
  const registers = [metrics.registry];
  const delays = new HotHistogram({ name: "delays", help: "d", buckets: [0.1, 1], registers });
  delays.observe(0.05);
  delays.observe(0.5, "4bf92f35");
  const open = (await metrics.page(OPEN)).text;
  expect(open).toMatch(
    /^delays_bucket\{le="1",component="test"\} 2 # \{trace_id="4bf92f35"\} 0\.5 /m,
  );
  expect(open).toMatch(/^delays_bucket\{le="0\.1",component="test"\} 1$/m);
  expect((await metrics.page()).text).toMatch(/^delays_bucket\{le="1",component="test"\} 2$/m);
});

test("a hot histogram has the same page as prom-client's own", async () => {
  const config = { name: "delays", help: "d", buckets: [0.1, 0.5, 1] };
  const [hot, plain] = [new Metrics("test"), new Metrics("test")];
  const ours = new HotHistogram({ ...config, registers: [hot.registry] });
  const theirs = new Histogram({ ...config, registers: [plain.registry] });
  for (const accept of ["", OPEN])
    for (const value of [0, 0.1, 0.100001, 0.5, 1, 1.5, 1_000]) {
      ours.observe(value);
      theirs.observe(value);
      const lines = async (of: Metrics) =>
        (await of.page(accept)).text.split("\n").filter((line) => line.includes("delays"));
      expect(await lines(hot)).toEqual(await lines(plain));
    }
});

test("what hot counters were given is in the page once, however often it is read", async () => {
  const { registry } = new Metrics("test");
  const registers = [registry];
  const plain = new HotCounter({ name: "plain_total", help: "p", registers });
  const labelled = new LabelledHotCounter({
    name: "labelled_total",
    help: "l",
    label: "type",
    registers,
  });
  plain.add();
  plain.add(6);
  labelled.add("a");
  labelled.add("b", 2);
  labelled.add("a", 3);
  for (const more of [0, 1, 2]) {
    plain.add(more);
    labelled.add("b", more);
    await registry.metrics();
  }
  const text = await registry.metrics();
  expect(text).toContain('plain_total{component="test"} 10');
  expect(text).toContain('labelled_total{type="a",component="test"} 4');
  expect(text).toContain('labelled_total{type="b",component="test"} 5');
});

test("calls count by what became of them", async () => {
  const metrics = new Metrics("test");
  const limit = { metadata: { limit: "IMPORT_BYTES_MAX" } };
  metrics.served("GetQuiz", 0.01, undefined);
  metrics.served("GetQuiz", 0.01, new ServiceError(ErrorReason.TOO_LARGE, "large", limit));
  metrics.called("GetQuiz", 0.01, new GivenUpError(undefined));
  metrics.called("GetQuiz", 0.01, new TypeError("a fault"));
  const { registry } = metrics;
  expect(await counts(registry, "rpc_server_call_duration_seconds")).toEqual({
    OK: 1,
    TOO_LARGE: 1,
  });
  expect(await counts(registry, "rpc_client_call_duration_seconds")).toEqual({
    CANCELLED: 1,
    INTERNAL: 1,
  });
  expect(await registry.metrics()).toContain('quiz_limit_hits_total{limit="IMPORT_BYTES_MAX"');
});

test("operations of a store are timed, and what they throw is passed on and named shortly", async () => {
  const metrics = new Metrics("test");
  const postgres = metrics.operations("postgresql");
  const redis = metrics.operations("redis");
  expect(await postgres.time("read", async () => 7)).toBe(7);
  const failures = [
    Object.assign(new Error("player Zoë"), { name: "PostgresError", code: "23505" }),
    Object.assign(new Error("OOM command not allowed"), { name: "ReplyError" }),
    Object.assign(new Error("away"), { code: "ECONNREFUSED" }),
    new RangeError("Zoë"),
    "Zoë",
  ];
  for (const failure of failures)
    await expect(redis.time("write", () => Promise.reject(failure))).rejects.toBe(failure);
  const { registry } = metrics;
  expect(await counts(registry, "db_client_operation_duration_seconds")).toEqual({
    OK: 1,
    "23505": 1,
    OOM: 1,
    ECONNREFUSED: 1,
    RangeError: 1,
    other: 1,
  });
});

test("an event loop that was blocked says for how long, and that it no longer is", async () => {
  const metrics = new Metrics("test");
  const lag = async (quantile: string) => {
    const text = await metrics.registry.metrics();
    return Number(
      new RegExp(`event_loop_lag_seconds{quantile="${quantile}".*} (.*)`).exec(text)?.[1],
    );
  };
  /** Long enough for two looks of the monitor, which a page that was read has made begin anew. */
  const looks = () => new Promise((resolve) => setTimeout(resolve, 250));
  const blocked = async () => {
    await looks();
    for (const until = performance.now() + 400; performance.now() < until; );
    await looks();
    return lag("1");
  };
  // A block is seen from the look that it delays on: of 400 ms at least 300.
  expect(await blocked()).toBeGreaterThan(0.25);
  await eventually("an idle loop is not late", async () => {
    await looks();
    return (await lag("0.5")) < 0.05;
  });
});

test.runIf(process.platform === "linux")(
  "open files are counted, and no more than there are",
  async () => {
    const { registry } = new Metrics("test");
    const open = async () =>
      Number(
        /fds\S* (\d+)$/m.exec(await registry.getSingleMetricAsString("process_open_fds"))?.[1],
      );
    const before = await open();
    const files = await Promise.all(Array.from({ length: 50 }, () => openFile("/dev/null")));
    expect((await open()) - before).toBeGreaterThanOrEqual(45);
    await Promise.all(files.map((file) => file.close()));
    expect((await open()) - before).toBeLessThan(45);
  },
);

/** Observations of a histogram by error_type. */
async function counts(registry: Registry, name: string): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).matchAll(
    new RegExp(`^${name}_count{.*error_type="(\\w+)".*} (\\d+)$`, "gm"),
  );
  return Object.fromEntries([...lines].map(([, type, count]) => [type, Number(count)]));
}
