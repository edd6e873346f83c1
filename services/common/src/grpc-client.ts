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
import { GivenUpError, type ServiceError } from "./errors.js";
import { traceMadeCall } from "./grpc-spans.js";
import { fromGrpcError } from "./grpc-status.js";
import type { Metrics } from "./metrics.js";
import type { MutualTls } from "./mutual-tls.js";
import { type AnyMethod, serviceDefinition } from "./service-definition.js";
import type { Span } from "./tracing.js";

export interface CallOptions {
  /** Deadline; 5 s where nothing is said. Streams have none then. */
  timeoutMs?: number;
  /** Bearer token; the client's own where nothing is said. */
  token?: string;
  /** Gives up: a unary call fails with GivenUpError then, a stream just ends. */
  signal?: AbortSignal;
  /** What is traced of that for which this is called; the call has a span then. */
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

export interface ClientOptions {
  /** How the client knows its server, and shows who it is; plain text without. */
  tls?: MutualTls | undefined;
  /** The name that the server's certificate must have, where that is not the address's host. */
  serverName?: string;
  /** Where calls count. */
  metrics?: Metrics | undefined;
}

/** A client of one server at `host:port`. `token` is asked once per call. */
export function createClient<S extends DescService>(
  service: S,
  address: string,
  token: () => string,
  { tls, serverName, metrics }: ClientOptions = {},
): ServiceClient<S> & Connection {
  const client = new Client(address, tls?.channels() ?? credentials.createInsecure(), {
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
      const startedAt = performance.now();
      const { origins } = options;
      const traced = traceMadeCall({ method: wire.path.slice(1), address, origins }, metadata);
      const ended = (thrown?: unknown) => {
        traced(thrown);
        metrics?.called(method.name, (performance.now() - startedAt) / 1_000, thrown);
      };
      return { metadata, message: create(method.input, request as never), ended };
    };
    methods[method.localName] =
      method.methodKind === "unary"
        ? (request: object, options: CallOptions = {}) =>
            unary(client, wire, begin(request, options), options)
        : (request: object, options: CallOptions = {}) =>
            serverStream(client, wire, () => begin(request, options), options);
  }
  return methods as ServiceClient<S> & Connection;
}

interface Begun {
  metadata: Metadata;
  message: object;
  /** Notes the call's end, with what it threw or well. */
  ended(thrown?: unknown): void;
}

function unary(
  client: Client,
  wire: AnyMethod,
  { message, metadata, ended }: Begun,
  { timeoutMs = TIMEOUT_MS, signal }: CallOptions,
): Promise<unknown> {
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
        const thrown = error ? thrownFor(error, signal) : undefined;
        ended(thrown);
        if (thrown) reject(thrown);
        else resolve(response);
      },
    );
    release = cancelOnAbort(call, signal);
  });
}

async function* serverStream(
  client: Client,
  wire: AnyMethod,
  begin: () => Begun,
  { timeoutMs, signal }: CallOptions,
): AsyncGenerator<unknown> {
  const { message, metadata, ended } = begin();
  const call = client.makeServerStreamRequest(
    wire.path,
    wire.requestSerialize,
    wire.responseDeserialize,
    message,
    metadata,
    timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
  );
  const release = cancelOnAbort(call, signal);
  let thrown: ServiceError | undefined;
  try {
    for await (const response of call) yield response;
  } catch (error) {
    thrown = thrownFor(error as GrpcError, signal);
    if (!signal?.aborted) throw thrown;
  } finally {
    ended(thrown);
    release();
    call.cancel();
  }
}

function thrownFor(error: GrpcError, signal: AbortSignal | undefined): ServiceError {
  return signal?.aborted ? new GivenUpError(error) : fromGrpcError(error);
}

/** Cancels the call with the signal; the result lets go of a signal that outlives the call. */
function cancelOnAbort(call: { cancel(): void }, signal: AbortSignal | undefined): () => void {
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  else signal?.addEventListener("abort", cancel, { once: true });
  return () => signal?.removeEventListener("abort", cancel);
}
