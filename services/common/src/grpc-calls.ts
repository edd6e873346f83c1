/** How one call runs: who may, for how long, what becomes of its errors, and its end. */
import { create, type DescMessage } from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type {
  Metadata,
  ServerUnaryCall,
  ServerWritableStream,
  StatusObject,
  sendUnaryData,
} from "@grpc/grpc-js";
import type { Caller } from "./access.js";
import { ServiceError } from "./errors.js";
import type { Span } from "./tracing.js";

/** What a handler knows of its caller, who may do what it asks for. */
export interface CallContext extends Caller {
  /** Address and port that the call came from. */
  peer: string;
  /**
   * Aborts when the caller goes away, its deadline passes or the call works for too long; for a
   * stream also when the server stops.
   */
  signal: AbortSignal;
  /** The call's own span, where the caller traces it. */
  span?: Span | undefined;
  /** Logs what failed in a part of a call that does not fail as a whole, as the call's would be. */
  logFault?: ((fault: ServiceError) => void) | undefined;
}

export type UnaryHandler = (request: unknown, call: CallContext) => Promise<object>;
export type StreamHandler = (request: unknown, call: CallContext) => AsyncIterable<object>;

/** What holds for all calls of a method. */
export interface CallRules {
  /** Throws, or rejects with, what refuses the caller. */
  enter(metadata: Metadata, request: unknown): Caller | Promise<Caller>;
  /** The call's span, where its caller has one. */
  trace(metadata: Metadata): Span | undefined;
  /** Logs what is worth it of a failure's cause. */
  logFault(fault: ServiceError): void;
  /** Notes the end of a call; gives the status of one that failed. */
  report(call: Reported): Partial<StatusObject> | undefined;
  limit: { ms: number; onLimit(): void };
  /** Aborts when the server's stop begins. */
  stopping: AbortSignal;
}

/** A call that has ended. */
export interface Reported {
  startedAt: number;
  span?: Span | undefined;
  thrown?: unknown;
}

type Output = DescMessage;

/** A unary call. One that works for too long is answered with UNAVAILABLE; its signal aborts. */
export function unary(handle: UnaryHandler, output: Output, rules: CallRules) {
  const { enter, trace, report, limit, logFault } = rules;
  return async (call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) => {
    const startedAt = performance.now();
    let span: Span | undefined;
    const abort = new AbortController();
    call.on("cancelled", () => abort.abort());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        abort.abort();
        limit.onLimit();
        reject(
          new ServiceError(ErrorReason.UNAVAILABLE, `no answer within ${limit.ms} ms; try again`),
        );
      }, limit.ms);
    });
    const work = async () => {
      const caller = await enter(call.metadata, call.request);
      span = trace(call.metadata);
      const context = { ...caller, peer: call.getPeer(), signal: abort.signal, span, logFault };
      return handle(call.request, context);
    };
    try {
      const response = create(output, (await Promise.race([work(), late])) as never);
      report({ startedAt, span });
      reply(null, response);
    } catch (thrown) {
      reply(report({ startedAt, span, thrown }) ?? null);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** A server stream. One that the server's stop cuts off ends with UNAVAILABLE, never as if complete. */
export function serverStream(
  handle: StreamHandler,
  output: Output,
  { enter, report, stopping }: CallRules,
) {
  return async (call: ServerWritableStream<unknown, unknown>) => {
    const startedAt = performance.now();
    const abort = new AbortController();
    const end = () => abort.abort();
    call.on("cancelled", end);
    stopping.addEventListener("abort", end, { once: true });
    if (stopping.aborted) end();
    try {
      const caller = await enter(call.metadata, call.request);
      const context = { ...caller, peer: call.getPeer(), signal: abort.signal };
      for await (const response of handle(call.request, context)) {
        if (abort.signal.aborted) break;
        if (!call.write(create(output, response as never))) await drained(call, abort.signal);
      }
      if (stopping.aborted)
        throw new ServiceError(ErrorReason.UNAVAILABLE, "this server is stopping; call again");
      report({ startedAt });
      call.end();
    } catch (thrown) {
      // How grpc-js takes the status of a stream that fails.
      call.emit("error", report({ startedAt, thrown }));
    } finally {
      stopping.removeEventListener("abort", end);
    }
  };
}

/** Resolves when the caller has taken what was written, or will take no more. */
function drained(call: ServerWritableStream<unknown, unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    if (signal.aborted) return resolve();
    call.on("drain", done);
    signal.addEventListener("abort", done);
  });
}
