/**
 * Prometheus metrics of one process: what all processes have, and the page that shows them. Each
 * service declares its own in its metrics.ts; docs/metrics.md lists all. Never a player or session
 * id as a label.
 */
import { readFileSync } from "node:fs";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  Registry,
} from "prom-client";
import { GivenUpError, ServiceError } from "./errors.js";
import { watchEventLoop } from "./event-loop-lag.js";
import type { LoopBook } from "./loop-book.js";
import { watchOpenFiles } from "./open-files.js";
import { OperationTimes } from "./operation-times.js";
import { STORAGE_FAULTS, type StorageFault } from "./storage-faults.js";
import { countFaultLimit } from "./tracing.js";

/** Bounds of call times, in seconds. */
export const CALL_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const { version } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
) as { version: string };

/** The process's registry with what every process has, and its page. */
export class Metrics {
  readonly registry = new Registry();
  /** The same metrics as OpenMetrics: the one form that can show exemplars. */
  readonly #openMetrics = new Registry<OpenMetricsContentType>();
  /** Every named limit counts here when it is hit. */
  readonly limitHits: Counter<"limit">;
  /** Steps of the common clock (bus-clock.ts): NATS servers whose clocks nobody keeps. */
  readonly clockSteps: Counter;
  /** How long this process has rehearsed before it was ready (rehearsal.ts). */
  readonly warmUpSeconds: Gauge;
  #certificateEnd: (() => number) | undefined;
  #storage: { fault: () => StorageFault | undefined } | undefined;
  #loops: () => ReturnType<LoopBook["all"]> = () => [];
  readonly #served: Histogram<"rpc_method" | "error_type">;
  readonly #called: Histogram<"rpc_method" | "error_type">;
  readonly #operations: Histogram<"db_system_name" | "db_operation_name" | "error_type">;

  /**
   * `component` is on every metric; `service` would be Prometheus Operator's own label. One that
   * `isRehearsed` counts for a rehearsal, and watches nothing of the process.
   */
  constructor(component: string, { isRehearsed = false } = {}) {
    const registers = [this.registry];
    for (const each of [this.registry, this.#openMetrics]) each.setDefaultLabels({ component });
    this.#openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    if (!isRehearsed) this.#watchProcess();
    new Gauge({
      name: "quiz_build_info",
      help: "1; the version that runs",
      labelNames: ["version", "node"],
      registers,
    }).set({ version, node: process.versions.node }, 1);
    this.limitHits = this.counter(
      "quiz_limit_hits_total",
      "Times that a named limit was hit",
      "limit",
    );
    this.clockSteps = this.counter(
      "quiz_clock_steps_total",
      "Steps of NATS' clock by more than a second, with which deadlines moved",
    );
    this.warmUpSeconds = new Gauge({
      name: "quiz_warm_up_seconds",
      help: "How long this process rehearsed before it was ready; 0 where it did not",
      registers,
    });
    const certificateEnd = () => this.#certificateEnd?.();
    new Gauge({
      name: "quiz_tls_certificate_expiry_timestamp_seconds",
      help: "When the certificate for mutual TLS ends, in Unix time",
      registers,
      collect() {
        const end = certificateEnd();
        // Without a certificate there is no sample.
        if (end === undefined) this.remove();
        else this.set(end);
      },
    });
    this.#countLoops();
    this.#countStorage();
    this.#served = this.#calls("rpc_server_call_duration_seconds", "gRPC calls served");
    this.#called = this.#calls("rpc_client_call_duration_seconds", "gRPC calls made");
    this.#operations = new Histogram({
      name: "db_client_operation_duration_seconds",
      help: "Calls of Redis and PostgreSQL",
      labelNames: ["db_system_name", "db_operation_name", "error_type"],
      buckets: CALL_SECONDS,
      registers,
    });
  }

  #watchProcess(): void {
    // The default of 10 ms wakes an idle process a hundred times a second.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 100 });
    watchEventLoop(this.registry, 100);
    watchOpenFiles(this.registry);
    countFaultLimit(() => this.limitHits.inc({ limit: "FAULT_SPANS_PER_SECOND_MAX" }));
  }

  /** Shows when the certificate for mutual TLS ends: `endsAt` in Unix seconds, asked for each page. */
  watchCertificate(endsAt: () => number): void {
    this.#certificateEnd = endsAt;
  }

  /** Shows how the loops of this process get on: `loops` is asked for each page. */
  watchLoops(loops: () => ReturnType<LoopBook["all"]>): void {
    this.#loops = loops;
  }

  /** Shows what keeps NATS from storing: `fault` is asked for each page. */
  watchStorage(fault: () => StorageFault | undefined): void {
    this.#storage = { fault };
  }

  #countStorage(): void {
    const storage = () => this.#storage;
    new Gauge({
      name: "quiz_nats_storage_fault",
      help: "1 while NATS stores nothing: full, failed (a write error), or off (no JetStream)",
      labelNames: ["fault"],
      registers: [this.registry],
      collect() {
        const now = storage();
        if (!now) return;
        for (const each of STORAGE_FAULTS) this.set({ fault: each }, each === now.fault() ? 1 : 0);
      },
    });
  }

  #countLoops(): void {
    const loops = () => this.#loops();
    const [labelNames, registers] = [["loop"] as const, [this.registry]];
    new Counter({
      name: "quiz_loop_failures_total",
      help: "Turns of a loop that failed and were tried again",
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { name, failures } of loops()) this.inc({ loop: name }, failures);
      },
    });
    new Gauge({
      name: "quiz_loop_ended",
      help: "1 for a loop that has ended although nobody stopped it: its process must be started again",
      labelNames,
      registers,
      collect() {
        for (const { name, ended } of loops()) this.set({ loop: name }, ended ? 1 : 0);
      },
    });
  }

  /** A gRPC call that this process served has ended, with `error` or well. */
  served(method: string, seconds: number, error: ServiceError | undefined): void {
    const limit = error?.metadata.limit;
    if (limit !== undefined) this.limitHits.inc({ limit });
    this.#served.observe({ rpc_method: method, error_type: reasonOf(error) }, seconds);
  }

  /** A gRPC call that this process made has ended, with what it threw or well. */
  called(method: string, seconds: number, thrown?: unknown): void {
    this.#called.observe({ rpc_method: method, error_type: reasonOf(thrown) }, seconds);
  }

  /** Times the named operations of a store of this process. */
  operations(system: "redis" | "postgresql"): OperationTimes {
    return new OperationTimes(system, this.#operations);
  }

  /** A counter of this process, by labels of small, fixed sets. */
  protected counter<L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  protected histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }

  /** A gauge that is read when the page is. */
  protected gauge(name: string, help: string, read: () => number): Gauge {
    return new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** The page, as OpenMetrics where a scraper's Accept header asks for that. */
  async page(accept = ""): Promise<{ contentType: string; text: string }> {
    if (!accept.includes("application/openmetrics-text"))
      return { contentType: this.registry.contentType, text: await this.registry.metrics() };
    this.#completeOpenMetrics();
    return { contentType: this.#openMetrics.contentType, text: await this.#openMetrics.metrics() };
  }

  /**
   * An OpenMetrics registry renames its counters for good, so it gets a view of each: an object that
   * shares all but the name.
   */
  #completeOpenMetrics(): void {
    for (const metric of this.registry.getMetricsAsArray()) {
      const isCounter = (metric.type as unknown as string) === "counter";
      const { name } = metric;
      const openName = isCounter ? name.replace(/_total$/, "") : name;
      if (this.#openMetrics.getSingleMetric(openName)) continue;
      const view = isCounter ? Object.assign(Object.create(metric), { name: openName }) : metric;
      this.#openMetrics.registerMetric(view);
    }
  }

  #calls(name: string, help: string): Histogram<"rpc_method" | "error_type"> {
    return new Histogram({
      name,
      help: `${help}; error_type is OK, the reason, or CANCELLED where the caller gave up`,
      labelNames: ["rpc_method", "error_type"],
      buckets: CALL_SECONDS,
      registers: [this.registry],
    });
  }
}

/**
 * Shows a counter's known label values from the start: of one that appears with its first count,
 * Prometheus sees no increase, and an alert on it stays silent.
 */
export function startAtZero<L extends string>(
  counter: Counter<L>,
  label: L,
  values: readonly string[],
): Counter<L> {
  for (const value of values) counter.inc({ [label]: value } as Record<L, string>, 0);
  return counter;
}

function reasonOf(thrown: unknown): string {
  if (thrown === undefined) return "OK";
  if (thrown instanceof GivenUpError) return "CANCELLED";
  const reason = thrown instanceof ServiceError ? thrown.reason : ErrorReason.INTERNAL;
  return ErrorReason[reason] ?? "INTERNAL";
}
