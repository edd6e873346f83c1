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
  credentials,
  type ServiceError as GrpcError,
  type CallOptions as GrpcOptions,
  Metadata,
} from "@grpc/grpc-js";
import { fromGrpcError } from "./grpc-status.js";
import { serviceDefinition } from "./service-definition.js";

export interface CallOptions {
  /** Deadline; 5 s where nothing is said. Streams have none then. */
  timeoutMs?: number;
  /** Bearer token; the client's own where nothing is said. */
  token?: string;
  signal?: AbortSignal;
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

/** A client of one server at `host:port`. `token` is asked once per call. */
export function createClient<S extends DescService>(
  service: S,
  address: string,
  token: () => string,
): ServiceClient<S> {
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.keepalive_time_ms": 30_000,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.max_receive_message_length": 16 * 1024 * 1024,
    "grpc.use_local_subchannel_pool": 1,
  });
  const definition = serviceDefinition(service);
  const methods: Record<string, unknown> = { close: () => client.close() };
  for (const method of service.methods) {
    const wire = definition[method.localName];
    if (!wire) continue;
    const begin = (request: object, options: CallOptions) => {
      const metadata = new Metadata();
      const bearer = options.token ?? token();
      if (bearer) metadata.set("authorization", `Bearer ${bearer}`);
      return { metadata, message: create(method.input, request as never) };
    };
    methods[method.localName] =
      method.methodKind === "unary"
        ? (request: object, options: CallOptions = {}) => {
            const { metadata, message } = begin(request, options);
            return new Promise((resolve, reject) => {
              const deadline: GrpcOptions = {
                deadline: Date.now() + (options.timeoutMs ?? TIMEOUT_MS),
              };
              const call = client.makeUnaryRequest(
                wire.path,
                wire.requestSerialize,
                wire.responseDeserialize,
                message,
                metadata,
                deadline,
                (error: GrpcError | null, response?: unknown) =>
                  error ? reject(fromGrpcError(error)) : resolve(response),
              );
              options.signal?.addEventListener("abort", () => call.cancel(), { once: true });
            });
          }
        : async function* (request: object, options: CallOptions = {}) {
            const { metadata, message } = begin(request, options);
            const call = client.makeServerStreamRequest(
              wire.path,
              wire.requestSerialize,
              wire.responseDeserialize,
              message,
              metadata,
              options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs },
            );
            options.signal?.addEventListener("abort", () => call.cancel(), { once: true });
            try {
              for await (const response of call) yield response;
            } catch (error) {
              if (!options.signal?.aborted) throw fromGrpcError(error as GrpcError);
            } finally {
              call.cancel();
            }
          };
  }
  return methods as ServiceClient<S>;
}
