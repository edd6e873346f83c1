import { Gauge } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startAdminServer } from "../src/admin-server.js";
import { Health } from "../src/health.js";
import type { Lifecycle } from "../src/lifecycle.js";
import { Metrics } from "../src/metrics.js";
import { type LogLine, newLifecycle } from "./parts.js";

let lifecycle: Lifecycle;
let lines: LogLine[];
let health: Health;
let metrics: Metrics;
let port: number;

beforeEach(async () => {
  ({ lifecycle, lines } = newLifecycle());
  health = new Health();
  metrics = new Metrics("test");
  port = await startAdminServer({ port: 0, host: "127.0.0.1", health, metrics }, lifecycle);
});

afterEach(() => lifecycle.close());

async function get(path: string) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

test("/livez is good whatever else is not", async () => {
  expect(await get("/livez")).toMatchObject({ status: 200, text: "ok\n" });
  health.draining();
  expect(await get("/livez")).toMatchObject({ status: 200, text: "ok\n" });
});

test("/readyz says whether work may come, and why not", async () => {
  let connected = false;
  health.require("NATS", () => connected);
  health.require("Redis", () => connected);
  expect(await get("/readyz")).toMatchObject({ status: 503, text: "starting\n" });
  health.started();
  expect(await get("/readyz?verbose")).toMatchObject({
    status: 503,
    text: "NATS is not connected\nRedis is not connected\n",
  });
  connected = true;
  expect(await get("/readyz")).toMatchObject({ status: 200, text: "ok\n" });
  health.draining();
  expect(await get("/readyz")).toMatchObject({ status: 503, text: "draining\n" });
});

test("/metrics has Node's own and the limits that were hit, with the component's name", async () => {
  metrics.limitHits.inc({ limit: "SOCKETS_MAX" }, 3);
  const { status, text, headers } = await get("/metrics");
  expect(status).toBe(200);
  expect(headers.get("content-type")).toContain("text/plain");
  expect(text).toMatch(
    /^quiz_limit_hits_total\{(?=.*limit="SOCKETS_MAX")(?=.*component="test").*\} 3$/m,
  );
  expect(text).toContain("nodejs_eventloop_lag_seconds");
});

test("a metric that can't be read is a failed page and a line in the log, no more", async () => {
  new Gauge({
    name: "broken",
    help: "fails",
    registers: [metrics.registry],
    collect() {
      throw new Error("the store is away");
    },
  });
  expect(await get("/metrics")).toMatchObject({ status: 500 });
  expect(lines).toMatchObject([{ level: 50, path: "/metrics", msg: "admin page failed" }]);
  expect(await get("/livez")).toMatchObject({ status: 200 });
});

test.each(["/", "/metrics/", "/readyz/../livez2", "/quiz"])("%s is not there", async (path) => {
  expect(await get(path)).toMatchObject({ status: 404 });
});

test("a port that is taken fails the start", async () => {
  const other = newLifecycle().lifecycle;
  const options = { port, host: "127.0.0.1", health, metrics };
  await expect(startAdminServer(options, other)).rejects.toThrow("EADDRINUSE");
});

test("a stop frees the port, also while somebody is connected", async () => {
  await get("/livez");
  const startedAt = performance.now();
  await lifecycle.close();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await expect(get("/livez")).rejects.toThrow();
});
