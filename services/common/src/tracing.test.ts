import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { node } from "@opentelemetry/sdk-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ServiceError, unavailable } from "./errors.js";
import {
  countFaultLimit,
  endSpan,
  FAULT_SPANS_PER_SECOND_MAX,
  installTracing,
  isSampled,
  noteFault,
  type Span,
  startGathered,
  startSpan,
  traceFieldsOf,
} from "./tracing.js";

const memory = new node.InMemorySpanExporter();
const provider = new node.BasicTracerProvider({
  spanProcessors: [new node.SimpleSpanProcessor(memory)],
});

function install(ratio: number): void {
  const tracer = provider.getTracer("test");
  installTracing({ tracer, ratio, stop: () => provider.shutdown() });
}

beforeEach(() => install(0));

afterEach(() => {
  memory.reset();
  installTracing(undefined);
});

function begun(name: string): Span {
  const span = startSpan(name, {});
  if (!span) throw new Error("nothing is traced");
  return span;
}

const linksOf = (name: string) =>
  memory
    .getFinishedSpans()
    .find((span) => span.name === name)
    ?.links.map(({ context }) => context.spanId);

test("without a collector nothing is sampled, begun or noted", () => {
  installTracing(undefined);
  expect(isSampled()).toBe(false);
  expect(startSpan("a", {})).toBeUndefined();
  expect(noteFault("a", new Error("x"), {})).toBeUndefined();
});

test("the ratio decides what is sampled", () => {
  expect(isSampled()).toBe(false);
  install(1);
  expect(isSampled()).toBe(true);
});

describe("work that is done for several", () => {
  test("has no span where none of them is traced", () => {
    expect(startGathered("batch", [], {})).toBeUndefined();
    expect(startGathered("batch", undefined, {})).toBeUndefined();
  });

  test("is a part of the only one, and links to it", () => {
    const only = begun("only");
    const batch = startGathered("batch", [only], {});
    endSpan(batch);
    endSpan(only);
    expect(batch?.spanContext().traceId).toBe(only.spanContext().traceId);
    expect(linksOf("batch")).toEqual([only.spanContext().spanId]);
    expect(linksOf("only")).toEqual([]);
  });

  test("has a trace of its own where they are more, and they link to each other", () => {
    const [a, b] = [begun("a"), begun("b")];
    const batch = startGathered("batch", [a, b], {});
    for (const span of [batch, a, b]) endSpan(span);
    expect(batch?.spanContext().traceId).not.toBe(a.spanContext().traceId);
    expect(linksOf("batch")).toEqual([a, b].map((span) => span.spanContext().spanId));
    expect(linksOf("a")).toEqual([batch?.spanContext().spanId]);
    expect(linksOf("b")).toEqual([batch?.spanContext().spanId]);
  });
});

describe("a fault that was not sampled", () => {
  const cause = new Error("nickname Ann");

  test("is recorded with its reason and without its text, and named in log lines", () => {
    const error = unavailable("the log", cause);
    const span = noteFault("call", error, { startedAt: performance.now() - 100 });
    const [recorded] = memory.getFinishedSpans();
    expect(recorded?.attributes).toEqual({ "error.type": "UNAVAILABLE" });
    expect(recorded?.status).toEqual({ code: 2 });
    expect(recorded?.events).toEqual([]);
    const named = { trace_id: span?.spanContext().traceId, span_id: span?.spanContext().spanId };
    expect(traceFieldsOf(error)).toEqual(named);
    expect(traceFieldsOf(cause)).toEqual(named);
  });

  test.each([
    new ServiceError(ErrorReason.ROUND_CLOSED, "closed"),
    new ServiceError(ErrorReason.NAME_TAKEN, "taken"),
  ])("is no refusal, as $message", (refusal) => {
    expect(noteFault("call", refusal, {})).toBeUndefined();
    expect(memory.getFinishedSpans()).toEqual([]);
  });

  test("is recorded so many times a second; beyond that it is counted", () => {
    let counted = 0;
    countFaultLimit(() => counted++);
    const tries = FAULT_SPANS_PER_SECOND_MAX * 3;
    for (let i = 0; i < tries; i++) noteFault("call", new Error("x"), {});
    // A second may end on the way, and the test before has had some of this one.
    const recorded = memory.getFinishedSpans().length;
    expect(recorded).toBeLessThanOrEqual(2 * FAULT_SPANS_PER_SECOND_MAX);
    expect(recorded).toBeGreaterThanOrEqual(FAULT_SPANS_PER_SECOND_MAX - 1);
    expect(counted).toBe(tries - recorded);
  });
});
