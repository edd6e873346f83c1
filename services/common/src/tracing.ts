/**
 * Spans, made by hand at a few places. Whoever begins something draws once whether it is traced
 * (isSampled), and hands the span on by itself: what is not traced has no span, and costs next to
 * nothing. Without a collector (telemetry.ts) nothing is ever traced. The whole tree: docs/tracing.md.
 */
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  type Attributes,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { ServiceError } from "./errors.js";

export { type Attributes, type Span, SpanKind };

/** Name of the header and of the metadata in which a span travels (W3C Trace Context). */
export const TRACEPARENT = "traceparent";

/** Spans of faults that nobody had sampled: an outage must not make thousands a second of them. */
export const FAULT_SPANS_PER_SECOND_MAX = 50;

export interface Tracing {
  tracer: Tracer;
  /** Share of answers, joins and the like that are traced, 0 to 1. */
  ratio: number;
  /** Sends what is still here. */
  stop(): Promise<void>;
}

let tracing: Tracing | undefined;
let ratio = 0;
let faultsSecond = 0;
let faultsNoted = 0;
let onFaultLimit = () => {};
/** In which span an error came up: log lines about it name that span. */
const spansOfErrors = new WeakMap<object, Span>();

/** Begins tracing in this process, or ends it. */
export function installTracing(installed: Tracing | undefined): void {
  tracing = installed;
  ratio = installed?.ratio ?? 0;
}

/** Does work of which nothing is traced, nor of what else this process does meanwhile. */
export async function untraced<T>(work: () => Promise<T>): Promise<T> {
  const installed = tracing;
  installTracing(undefined);
  try {
    return await work();
  } finally {
    installTracing(installed);
  }
}

/** Called each time that FAULT_SPANS_PER_SECOND_MAX is hit. */
export function countFaultLimit(listener: () => void): void {
  onFaultLimit = listener;
}

/** Whether this process can trace at all. */
export function isTracing(): boolean {
  return tracing !== undefined;
}

/** Draws whether what begins here is traced. To be asked once for each answer, join, … */
export function isSampled(): boolean {
  return ratio > 0 && Math.random() < ratio;
}

/** Sends what is still here, as far as the collector takes it. */
export async function stopTracing(): Promise<void> {
  await tracing?.stop();
}

export interface SpanStart {
  kind?: SpanKind;
  attributes?: Attributes;
  /** When it began, by performance.now(); now where nothing is said. */
  startedAt?: number;
  /** What it also has to do with, without being a part of it. */
  links?: readonly Span[];
}

/** A span of its own trace, or a part of `parent`. Undefined where this process does not trace. */
export function startSpan(
  name: string,
  { kind = SpanKind.INTERNAL, attributes = {}, startedAt, links = [] }: SpanStart,
  parent?: Span,
): Span | undefined {
  return tracing?.tracer.startSpan(
    name,
    {
      kind,
      attributes,
      links: links.map(toLink),
      ...(startedAt === undefined ? {} : { startTime: startedAt }),
    },
    parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
  );
}

/**
 * A span of work that several traced things have in common, as the answers of a batch. It links to
 * each. With only one it is also a part of it, so that one traced answer is one trace from end to
 * end; with more it has a trace of its own, and each of them links to it too. Undefined for none.
 */
export function startGathered(
  name: string,
  origins: readonly Span[] | undefined,
  start: Omit<SpanStart, "links">,
): Span | undefined {
  if (!origins || origins.length === 0) return undefined;
  const only = origins.length === 1 ? origins[0] : undefined;
  const span = startSpan(name, { ...start, links: origins }, only);
  if (span && !only)
    for (const origin of origins) if (origin.isRecording()) origin.addLink(toLink(span));
  return span;
}

/** Ends a span; `error` is what it failed with. No message goes along: it might hold a player's text. */
export function endSpan(span: Span | undefined, error?: unknown): void {
  if (!span) return;
  if (error !== undefined) {
    noteSpanOf(error, span);
    span.setAttribute("error.type", errorType(error));
    if (isFault(error)) span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** Does something that begins a trace, in a span of its own where it is sampled. */
export function inSampledSpan<T>(
  name: string,
  start: SpanStart,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  return inSpan(isSampled() ? startSpan(name, start) : undefined, work);
}

/** Does the work, and ends the span with what came of it; without one it only does the work. */
export async function inSpan<T>(
  span: Span | undefined,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (!span) return work(undefined);
  try {
    const result = await work(span);
    endSpan(span);
    return result;
  } catch (error) {
    endSpan(span, error);
    throw error;
  }
}

/**
 * Records something that failed though it was not sampled: a span after the fact. Undefined, and no
 * span, for what is no fault (a refusal by the rules), without tracing, and over the limit.
 */
export function noteFault(
  name: string,
  error: unknown,
  start: SpanStart,
  parent?: Span,
): Span | undefined {
  if (!tracing || !isFault(error) || isOverFaultLimit()) return undefined;
  const span = startSpan(name, start, parent);
  endSpan(span, error);
  return span;
}

/** Ends the span of what failed; what has none is recorded as noteFault does. */
export function failSpan(span: Span | undefined, name: string, error: unknown, start: SpanStart) {
  if (span) endSpan(span, error);
  else noteFault(name, error, start);
}

/** A fault is of ours, or of a part that is away; a refusal tells the caller what the rules say. */
export function isFault(error: unknown): boolean {
  if (!(error instanceof ServiceError)) return true;
  const { reason } = error;
  return (
    reason === ErrorReason.INTERNAL ||
    reason === ErrorReason.UNAVAILABLE ||
    reason === ErrorReason.UNSPECIFIED
  );
}

/** A span as it travels in a header; undefined where it is not recorded. */
export function toTraceparent(span: Span): string | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(ROOT_CONTEXT, span), carrier);
  return carrier[TRACEPARENT];
}

/** The span that a header names, to be a parent or a link; undefined for none and for nonsense. */
export function fromTraceparent(traceparent: string | undefined): Span | undefined {
  if (!tracing || !traceparent) return undefined;
  return trace.getSpan(propagation.extract(ROOT_CONTEXT, { [TRACEPARENT]: traceparent }));
}

/** The same, of a part of ours that has sampled it; others don't count. */
export function fromSampledTraceparent(traceparent: string | undefined): Span | undefined {
  const span = fromTraceparent(traceparent);
  return span && (span.spanContext().traceFlags & 1) === 1 ? span : undefined;
}

/** Fields of a log line about an error: the span in which it came up, if there was one. */
export function traceFieldsOf(error: unknown): { trace_id?: string; span_id?: string } {
  const span = typeof error === "object" && error !== null ? spansOfErrors.get(error) : undefined;
  if (!span) return {};
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

/** The trace that an exemplar names; undefined for what is not traced. */
export function traceIdOf(span: Span | undefined): string | undefined {
  return span?.spanContext().traceId;
}

function toLink(span: Span) {
  return { context: span.spanContext() };
}

/** The first span is the innermost one. A refusal's cause may be what is logged. */
function noteSpanOf(error: unknown, span: Span): void {
  if (typeof error !== "object" || error === null || spansOfErrors.has(error)) return;
  spansOfErrors.set(error, span);
  if (error instanceof Error) noteSpanOf(error.cause, span);
}

function errorType(error: unknown): string {
  if (error instanceof ServiceError) return ErrorReason[error.reason] ?? "_OTHER";
  return error instanceof Error ? error.name : "_OTHER";
}

function isOverFaultLimit(): boolean {
  const second = Math.floor(performance.now() / 1_000);
  if (second !== faultsSecond) {
    faultsSecond = second;
    faultsNoted = 0;
  }
  if (++faultsNoted <= FAULT_SPANS_PER_SECOND_MAX) return false;
  onFaultLimit();
  return true;
}
