/**
 * A gRPC server of ours: typed handlers, roles for every method, typed errors, a limit on every
 * call, health and reflection. A method without a line in the role table does not compile.
 */
import {
  create,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { ServiceError as Refusal, type ServiceError, toServiceError } from "./errors.js";
import { addHealthService } from "./grpc-health.js";
import { toStatus } from "./grpc-status.js";
import type { Health } from "./health.js";
import type { Lifecycle } from "./lifecycle.js";
import { pause, within } from "./lifecycle.js";
import { addReflection } from "./reflection.js";
import { serviceDefinition } from "./service-definition.js";
import type { Identity, Role, Tokens } from "./tokens.js";

/** Longest that one unary call may work when its caller gave no deadline. */
const CALL_LIMIT_MS = 30_000;

/** How long a stop waits for calls that are under way. */
const CALLS_END_WITHIN_MS = 3_000;

/** Largest message a server takes. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** What a handler knows of its caller. */
export interface CallContext {
  identity: Identity;
  /** Aborts when the caller goes away or its deadline passes. */
  signal: AbortSignal;
}

type Methods<S extends DescService> = S["method"];

/** One function per RPC; streams are async iterables. */
export type Handlers<S extends DescService> = {
  [K in keyof Methods<S>]: Methods<S>[K] extends {
    methodKind: "unary";
    input: infer I extends import("@bufbuild/protobuf").DescMessage;
    output: infer O extends import("@bufbuild/protobuf").DescMessage;
  }
    ? (request: MessageShape<I>, call: CallContext) => Promise<MessageInitShape<O>>
    : Methods<S>[K] extends {
          methodKind: "server_streaming";
          input: infer I extends import("@bufbuild/protobuf").DescMessage;
          output: infer O extends import("@bufbuild/protobuf").DescMessage;
        }
      ? (request: MessageShape<I>, call: CallContext) => AsyncIterable<MessageInitShape<O>>
      : never;
};

/** Which roles may call what; "any" is any valid token. */
export type RoleTable<S extends DescService> = { [K in keyof Methods<S>]: readonly Role[] | "any" };

export interface ServedService<S extends DescService> {
  service: S;
  handlers: Handlers<S>;
  roles: RoleTable<S>;
}

export interface GrpcServerOptions {
  host: string;
  port: number;
  tokens: Tokens;
  health: Health;
  drainMs: number;
  /** Called once per finished call, for metrics. */
  onCall?(method: string, seconds: number, error: ServiceError | undefined): void;
}

/** Starts listening and returns the bound port. Stopping drains: not ready, a wait, then no new calls. */
export async function startGrpcServer(
  // biome-ignore lint/suspicious/noExplicitAny: a list of differently typed services
  services: readonly ServedService<any>[],
  options: GrpcServerOptions,
  lifecycle: Lifecycle,
): Promise<number> {
  const server = new Server({
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_connection_age_ms": 300_000,
    "grpc.max_connection_age_grace_ms": 30_000,
    "grpc.keepalive_time_ms": 30_000,
  });
  for (const served of services) addService(server, served, options, lifecycle);
  addHealthService(server, options.health);
  addReflection(
    server,
    services.map((served) => served.service as DescService),
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(
      `${options.host}:${options.port}`,
      ServerCredentials.createInsecure(),
      (err, bound) => (err ? reject(err) : resolve(bound)),
    ),
  );
  lifecycle.push("grpc server", async () => {
    options.health.draining();
    await pause(options.drainMs);
    const stopped = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    await within(CALLS_END_WITHIN_MS, stopped).catch(() => {});
    server.forceShutdown();
  });
  return port;
}

type UnaryHandler = (request: unknown, call: CallContext) => Promise<object>;
type StreamHandler = (request: unknown, call: CallContext) => AsyncIterable<object>;

function addService(
  server: Server,
  served: ServedService<DescService>,
  options: GrpcServerOptions,
  lifecycle: Lifecycle,
): void {
  const handlers = served.handlers as unknown as Record<string, UnaryHandler | StreamHandler>;
  const roles = served.roles as Record<string, readonly Role[] | "any">;
  const implementation: Record<string, unknown> = {};
  for (const method of served.service.methods) {
    const name = method.localName;
    const handle = handlers[name];
    const allowed = roles[name];
    if (!handle || !allowed) throw new Error(`${method.name} has no handler or no roles`);
    const enter = (metadata: Metadata) => authorize(metadata, allowed, options.tokens);
    const report = (startedAt: number, thrown?: unknown) => {
      const error = thrown === undefined ? undefined : toServiceError(thrown);
      if (error?.reason === ErrorReason.INTERNAL)
        lifecycle.log.error({ err: error.cause, method: method.name }, "call failed");
      options.onCall?.(method.name, (performance.now() - startedAt) / 1_000, error);
      return error && toStatus(error);
    };
    implementation[name] =
      method.methodKind === "unary"
        ? unary(handle as UnaryHandler, method.output, enter, report)
        : serverStream(handle as StreamHandler, method.output, enter, report, lifecycle.signal);
  }
  server.addService(serviceDefinition(served.service), implementation as never);
}

type Report = (
  startedAt: number,
  thrown?: unknown,
) => Partial<import("@grpc/grpc-js").StatusObject> | undefined;
type Enter = (metadata: Metadata) => Identity;
type Output = DescService["methods"][number]["output"];

function unary(handle: UnaryHandler, output: Output, enter: Enter, report: Report) {
  return async (call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) => {
    const startedAt = performance.now();
    const abort = new AbortController();
    call.on("cancelled", () => abort.abort());
    const limit = setTimeout(() => abort.abort(), CALL_LIMIT_MS);
    try {
      const identity = enter(call.metadata);
      const response = await handle(call.request, { identity, signal: abort.signal });
      report(startedAt);
      reply(null, create(output, response as never));
    } catch (thrown) {
      reply(report(startedAt, thrown) ?? null);
    } finally {
      clearTimeout(limit);
    }
  };
}

function serverStream(
  handle: StreamHandler,
  output: Output,
  enter: Enter,
  report: Report,
  stopping: AbortSignal,
) {
  return async (call: ServerWritableStream<unknown, unknown>) => {
    const startedAt = performance.now();
    const abort = new AbortController();
    const end = () => abort.abort();
    call.on("cancelled", end);
    stopping.addEventListener("abort", end, { once: true });
    try {
      const identity = enter(call.metadata);
      for await (const response of handle(call.request, { identity, signal: abort.signal })) {
        if (abort.signal.aborted) break;
        if (!call.write(create(output, response as never)))
          await new Promise<void>((resolve) => {
            call.once("drain", resolve);
            abort.signal.addEventListener("abort", () => resolve(), { once: true });
          });
      }
      report(startedAt);
      call.end();
    } catch (thrown) {
      call.emit("error", report(startedAt, thrown));
    } finally {
      stopping.removeEventListener("abort", end);
    }
  };
}

/** Reads `authorization: Bearer …` and checks the role; deny is the default. */
function authorize(metadata: Metadata, allowed: readonly Role[] | "any", tokens: Tokens): Identity {
  const header = metadata.get("authorization")[0]?.toString() ?? "";
  if (!header.startsWith("Bearer "))
    throw new Refusal(
      ErrorReason.UNAUTHENTICATED,
      'send a token as metadata: "authorization: Bearer <token>"',
    );
  const identity = tokens.verify(header.slice("Bearer ".length));
  if (allowed !== "any" && !allowed.includes(identity.role))
    throw new Refusal(ErrorReason.FORBIDDEN, `this call is for: ${allowed.join(", ")}`, {
      metadata: { roles: allowed.join(",") },
    });
  return identity;
}
