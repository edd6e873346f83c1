/**
 * Prometheus metrics of one process. Each service declares its own in its metrics.ts; here is what
 * all share. Never a player or session id as a label.
 */
import { Counter, collectDefaultMetrics, Registry } from "prom-client";
import { countFaultLimit } from "./tracing.js";

/** The process's registry, with Node's own metrics and the counter of limits that were hit. */
export class Metrics {
  readonly registry = new Registry();
  /** Every named limit counts here when it is hit. */
  readonly limitHits: Counter<"limit">;
  /** Steps of the common clock (bus-clock.ts): NATS servers whose clocks nobody keeps. */
  readonly clockSteps: Counter;

  constructor(service: string) {
    this.registry.setDefaultLabels({ service });
    collectDefaultMetrics({
      register: this.registry,
      // The default of 10 ms wakes an idle process a hundred times a second.
      eventLoopMonitoringPrecision: 100,
    });
    this.limitHits = new Counter({
      name: "limit_hits_total",
      help: "Times that a named limit was hit",
      labelNames: ["limit"],
      registers: [this.registry],
    });
    countFaultLimit(() => this.limitHits.inc({ limit: "FAULT_SPANS_PER_SECOND_MAX" }));
    this.clockSteps = new Counter({
      name: "clock_steps_total",
      help: "Steps of NATS' clock by more than a second, with which deadlines moved",
      registers: [this.registry],
    });
  }
}
