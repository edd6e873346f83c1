/** Spans of messages on NATS, by OpenTelemetry's conventions for messaging; they travel in a header. */
import { headers, type MsgHdrs } from "@nats-io/transport-node";
import {
  failSpan,
  fromSampledTraceparent,
  isTracing,
  type Span,
  SpanKind,
  startGathered,
  TRACEPARENT,
  toTraceparent,
} from "./tracing.js";

/** What is published or worked on: the template of its subjects (addresses.ts), never a subject itself. */
export interface BusWork {
  verb: "publish" | "process";
  template: string;
  /** By performance.now(). */
  startedAt: number;
  /** What is traced of that which it is about. */
  origins: readonly Span[] | undefined;
}

/** A span where anything of it is traced. */
export function startBusSpan(work: BusWork): Span | undefined {
  return startGathered(nameOf(work), work.origins, startOf(work));
}

/** Ends the span of work that failed, or records it after the fact (failSpan). */
export function failBusSpan(span: Span | undefined, work: BusWork, error: unknown): void {
  failSpan(span, nameOf(work), error, startOf(work));
}

/** Options of a publish that carry the span on. */
export function withSpan(span: Span | undefined): { headers?: MsgHdrs } {
  const traceparent = span && toTraceparent(span);
  if (!traceparent) return {};
  const carried = headers();
  carried.set(TRACEPARENT, traceparent);
  return { headers: carried };
}

/** The span that published a message, where it was traced. */
export function publishedBy(message: { headers?: MsgHdrs | undefined }): Span | undefined {
  // Headers are parsed when they are first asked for.
  return isTracing() ? fromSampledTraceparent(message.headers?.get(TRACEPARENT)) : undefined;
}

function nameOf({ verb, template }: BusWork): string {
  return `${verb} ${template}`;
}

function startOf({ verb, template, startedAt }: BusWork) {
  return {
    kind: verb === "publish" ? SpanKind.PRODUCER : SpanKind.CONSUMER,
    startedAt,
    attributes: {
      "messaging.system": "nats",
      "messaging.operation.name": verb,
      "messaging.operation.type": verb === "publish" ? "send" : "process",
      "messaging.destination.template": template,
    },
  };
}
