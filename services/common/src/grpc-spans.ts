/** Spans of gRPC calls on both sides, by OpenTelemetry's conventions; they travel in metadata. */
import type { Metadata } from "@grpc/grpc-js";
import { GivenUpError, type ServiceError } from "./errors.js";
import {
  endSpan,
  failSpan,
  fromSampledTraceparent,
  isTracing,
  type Span,
  SpanKind,
  startGathered,
  startSpan,
  TRACEPARENT,
  toTraceparent,
} from "./tracing.js";

/** A call that this process makes. */
export interface MadeCall {
  /** `package.Service/Method`. */
  method: string;
  /** Whom it goes to, as `host:port`. */
  address: string;
  /** What is traced of that for which it is made. */
  origins: readonly Span[] | undefined;
}

/** Begins the span of a call that has origins; the result is to be called at its end. */
export function traceMadeCall(call: MadeCall, metadata: Metadata): (thrown?: unknown) => void {
  const startedAt = performance.now();
  const { method, origins } = call;
  const span = origins && startGathered(method, origins, madeCallStart(call, startedAt));
  const traceparent = span && toTraceparent(span);
  if (traceparent) metadata.set(TRACEPARENT, traceparent);
  return (thrown) => {
    // Nobody failed where the caller gave up.
    const failed = thrown !== undefined && !(thrown instanceof GivenUpError);
    if (failed) failSpan(span, method, thrown, madeCallStart(call, startedAt));
    else endSpan(span, thrown);
  };
}

function madeCallStart({ method, address }: MadeCall, startedAt: number) {
  const colon = address.lastIndexOf(":");
  return {
    kind: SpanKind.CLIENT,
    startedAt,
    attributes: {
      "rpc.system.name": "grpc",
      "rpc.method": method,
      "server.address": address.slice(0, colon),
      "server.port": Number(address.slice(colon + 1)),
    },
  };
}

/** Spans of the calls of one method that this process serves: where the caller has one, and of faults. */
export function traceServedCalls(method: string) {
  const start = {
    kind: SpanKind.SERVER,
    attributes: { "rpc.system.name": "grpc", "rpc.method": method },
  };
  return {
    begin(metadata: Metadata): Span | undefined {
      if (!isTracing()) return undefined;
      const caller = fromSampledTraceparent(metadata.get(TRACEPARENT)[0]?.toString());
      return caller && startSpan(method, start, caller);
    },
    end(span: Span | undefined, startedAt: number, error: ServiceError | undefined): void {
      if (error) failSpan(span, method, error, { ...start, startedAt });
      else endSpan(span);
    },
  };
}
