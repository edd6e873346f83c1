/** Typed clients from the generated services: a deadline on every call, errors as ServiceError. */
import {
  create,
  type DescMessage,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  Client,
  connectivityState,
  credentials,
  type ServiceError as GrpcError,
  Metadata,
} from "@grpc/grpc-js";
import { GivenUpError } from "./errors.js";
import { fromGrpcError } from "./grpc-status.js";
import type { MutualTls } from "./mutual-tls.js";
import { type AnyMethod, serviceDefinition } from "./service-definition.js";
import {
  endSpan,
  noteFault,
  type Span,
  SpanKind,
  startGathered,
  TRACEPARENT,
  toTraceparent,
} from "./tracing.js";

export interface CallOptions {
  /** Deadline; 5 s where nothing is said. Streams have none then. */
  timeoutMs?: number;
  /** Bearer token; the client's own where nothing is said. */
  token?: string;
  /** Gives up: a unary call fails with GivenUpError then, a stream just ends. */
  signal?: AbortSignal;
  /** What is traced of that for which this is called; a unary call has a span then. */
  origins?: readonly Span[] | undefined;
}

const TIMEOUT_MS = 5_000;

type Methods<S extends DescService> = S["method"];

export type ServiceClient<S extends DescService> = {
  [K in keyof Methods<S>]: Methods<S>[K] extends {
    methodKind: "unary";
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : Methods<S>[K] extends {
          methodKind: "server_streaming";
          input: infer I extends DescMessage;
          output: infer O extends DescMessage;
        }
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never;
} & { close(): void };

export interface Connection {
  /** Whether a connection stands now; where none does, one is begun. */
  isConnected(): boolean;
}

/** How a client knows its server, and shows who it is. */
export interface ClientSecurity {
  tls: MutualTls;
  /** The name that the server's certificate must have, where that is not the address's host. */
  serverName?: string;
}

/** A client of one server at `host:port`, in plain text without `security`. `token` is asked once per call. */
export function createClient<S extends DescService>(
  service: S,
  address: string,
  token: () => string,
  security?: ClientSecurity,
): ServiceClient<S> & Connection {
  const serverName = security?.serverName;
  const client = new Client(address, security?.tls.channels() ?? credentials.createInsecure(), {
    ...(serverName ? { "grpc.ssl_target_name_override": serverName } : {}),
    "grpc.keepalive_time_ms": 30_000,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.max_receive_message_length": 16 * 1024 * 1024,
    "grpc.use_local_subchannel_pool": 1,
  });
  const definition = serviceDefinition(service);
  const methods: Record<string, unknown> = {
    isConnected: () => client.getChannel().getConnectivityState(true) === connectivityState.READY,
    close: () => client.close(),
  };
  for (const method of service.methods) {
    const wire = definition[method.localName];
    if (!wire) continue;
    const begin = (request: object, options: CallOptions): Begun => {
      const metadata = new Metadata();
      const bearer = options.token ?? token();
      if (bearer) metadata.set("authorization", `Bearer ${bearer}`);
      return { metadata, message: create(method.input, request as never) };
    };
    methods[method.localName] =
      method.methodKind === "unary"
        ? (request: object, options: CallOptions = {}) =>
            unary({ client, wire, address }, begin(request, options), options)
        : (request: object, options: CallOptions = {}) =>
            serverStream(client, wire, () => begin(request, options), options);
  }
  return methods as ServiceClient<S> & Connection;
}

interface Begun {
  metadata: Metadata;
  message: object;
}

interface Target {
  client: Client;
  wire: AnyMethod;
  address: string;
}

function unary(
  { client, wire, address }: Target,
  { message, metadata }: Begun,
  { timeoutMs = TIMEOUT_MS, signal, origins }: CallOptions,
): Promise<unknown> {
  const ended = traceCall(wire.path.slice(1), address, metadata, origins);
  return new Promise((resolve, reject) => {
    let release = () => {};
    const call = client.makeUnaryRequest(
      wire.path,
      wire.requestSerialize,
      wire.responseDeserialize,
      message,
      metadata,
      { deadline: Date.now() + timeoutMs },
      (error: GrpcError | null, response?: unknown) => {
        release();
        if (!error) {
          ended();
          return resolve(response);
        }
        const thrown = signal?.aborted ? new GivenUpError(error) : fromGrpcError(error);
        ended(thrown);
        reject(thrown);
      },
    );
    release = cancelOnAbort(call, signal);
  });
}

/** Begins the call's span where it has origins; the result is called at its end. */
function traceCall(
  name: string,
  address: string,
  metadata: Metadata,
  origins: readonly Span[] | undefined,
): (error?: unknown) => void {
  const startedAt = performance.now();
  const begin = () => ({
    kind: SpanKind.CLIENT,
    startedAt,
    attributes: attributesOf(name, address),
  });
  const span = origins && startGathered(name, origins, begin());
  const traceparent = span && toTraceparent(span);
  if (traceparent) metadata.set(TRACEPARENT, traceparent);
  return (error) => {
    if (span) endSpan(span, error);
    // Nobody failed where the caller gave up.
    else if (error !== undefined && !(error instanceof GivenUpError))
      noteFault(name, error, begin());
  };
}

function attributesOf(method: string, address: string) {
  const colon = address.lastIndexOf(":");
  return {
    "rpc.system.name": "grpc",
    "rpc.method": method,
    "server.address": address.slice(0, colon),
    "server.port": Number(address.slice(colon + 1)),
  };
}

async function* serverStream(
  client: Client,
  wire: AnyMethod,
  begin: () => Begun,
  { timeoutMs, signal }: CallOptions,
): AsyncGenerator<unknown> {
  const { message, metadata } = begin();
  const call = client.makeServerStreamRequest(
    wire.path,
    wire.requestSerialize,
    wire.responseDeserialize,
    message,
    metadata,
    timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
  );
  const release = cancelOnAbort(call, signal);
  try {
    for await (const response of call) yield response;
  } catch (error) {
    if (!signal?.aborted) throw fromGrpcError(error as GrpcError);
  } finally {
    release();
    call.cancel();
  }
}

/** Cancels the call with the signal; the result lets go of a signal that outlives the call. */
function cancelOnAbort(call: { cancel(): void }, signal: AbortSignal | undefined): () => void {
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  else signal?.addEventListener("abort", cancel, { once: true });
  return () => signal?.removeEventListener("abort", cancel);
}
