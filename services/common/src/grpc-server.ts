/**
 * A gRPC server of ours: typed handlers, a row of proto/access.ts for every method, typed errors, a
 * limit on every call, health and reflection. A method without a row does not compile.
 */
import type { DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { AccessRow, AccessTable } from "@fanfare/proto/access";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { type Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import {
  type Caller,
  checkBinding,
  checkOwner,
  enterAs,
  isOwnership,
  type OwnerCheck,
  type Ownership,
} from "./access.js";
import { ServiceError as Refusal, type ServiceError, toServiceError } from "./errors.js";
import {
  type CallContext,
  type CallRules,
  type StreamHandler,
  serverStream,
  type UnaryHandler,
  unary,
} from "./grpc-calls.js";
import { addHealthService } from "./grpc-health.js";
import { traceServedCalls } from "./grpc-spans.js";
import { toStatus } from "./grpc-status.js";
import type { Health } from "./health.js";
import type { Lifecycle } from "./lifecycle.js";
import { pause, within } from "./lifecycle.js";
import type { Metrics } from "./metrics.js";
import type { MutualTls } from "./mutual-tls.js";
import { addReflection } from "./reflection.js";
import { serviceDefinition } from "./service-definition.js";
import type { Tokens } from "./tokens.js";

/** Longest that one unary call may work, whatever deadline its caller gave. */
const CALL_LIMIT_MS = 30_000;

/** How long a stop waits for calls that are under way. */
const CALLS_END_WITHIN_MS = 3_000;

/** Largest message a server takes; grpc-js itself refuses a larger one with RESOURCE_EXHAUSTED. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * After this time a client is told to come back on a new connection, which finds new pods and shows
 * new certificates; calls that are under way then have the grace.
 */
const CONNECTION_AGE_MS = 300_000;
const CONNECTION_AGE_GRACE_MS = 30_000;

/** Calls that fail because a part is away are logged this often for each method. */
const LOG_AWAY_EVERY_MS = 5_000;

export type { CallContext };

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

export interface ServedService<S extends DescService> {
  service: S;
  handlers: Handlers<S>;
  /** Of proto/access.ts. */
  access: AccessTable<S>;
  /** For each ownership that the table asks for: whether the caller owns what the request names. */
  owners?: Partial<Record<Ownership, OwnerCheck>>;
}

export interface GrpcServerOptions {
  host: string;
  port: number;
  tokens: Tokens;
  health: Health;
  drainMs: number;
  /** Demands a client certificate; plain text without. */
  tls?: MutualTls | undefined;
  /** How old a connection may be, in place of 300 s. */
  connectionAgeMs?: number;
  /** Where calls and limits that were hit count. */
  metrics?: Metrics;
  /** Longest that one unary call may work, in place of 30 s. */
  callLimitMs?: number;
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
    "grpc.max_connection_age_ms": options.connectionAgeMs ?? CONNECTION_AGE_MS,
    "grpc.max_connection_age_grace_ms": CONNECTION_AGE_GRACE_MS,
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
      options.tls?.servers() ?? ServerCredentials.createInsecure(),
      (err, bound) => (err ? reject(err) : resolve(bound)),
    ),
  );
  const drain = async () => {
    options.health.draining();
    await pause(options.drainMs);
    const stopped = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    await within(CALLS_END_WITHIN_MS, stopped).catch(() => {});
    server.forceShutdown();
  };
  // Calls are still served while it drains: what they need must not be closed before.
  lifecycle.push("grpc server", drain, options.drainMs + 2 * CALLS_END_WITHIN_MS);
  return port;
}

function addService(
  server: Server,
  served: ServedService<DescService>,
  options: GrpcServerOptions,
  lifecycle: Lifecycle,
): void {
  const handlers = served.handlers as unknown as Record<string, UnaryHandler | StreamHandler>;
  const access = served.access as Record<string, AccessRow>;
  const owners = served.owners ?? {};
  const implementation: Record<string, unknown> = {};
  const onLimit = () => options.metrics?.limitHits.inc({ limit: "CALL_LIMIT_MS" });
  const limit = { ms: options.callLimitMs ?? CALL_LIMIT_MS, onLimit };
  for (const method of served.service.methods) {
    const name = method.localName;
    const handle = handlers[name];
    const row = access[name];
    if (!handle || !row) throw new Error(`${method.name} has no handler or no row of access`);
    for (const relation of Object.values(row))
      if (isOwnership(relation) && !owners[relation])
        throw new Error(`${method.name} asks for a ${relation}, and nobody knows who that is`);
    const enter = (metadata: Metadata, request: unknown) =>
      authorize({ metadata, request, row, owners }, options.tokens);
    const logFault = faultLog(method.name, lifecycle);
    const traced = traceServedCalls(`${served.service.typeName}/${method.name}`);
    const report: CallRules["report"] = ({ startedAt, span, thrown }) => {
      const error = thrown === undefined ? undefined : toServiceError(thrown);
      traced.end(span, startedAt, error);
      if (error) logFault(error);
      options.metrics?.served(method.name, (performance.now() - startedAt) / 1_000, error);
      return error && toStatus(error);
    };
    const rules = {
      enter,
      trace: traced.begin,
      logFault,
      report,
      limit,
      stopping: lifecycle.signal,
    };
    implementation[name] =
      method.methodKind === "unary"
        ? unary(handle as UnaryHandler, method.output, rules)
        : serverStream(handle as StreamHandler, method.output, rules);
  }
  server.addService(serviceDefinition(served.service), implementation as never);
}

/** The caller gets a reason, the log gets the cause: each fault of ours, now and then a part's absence. */
function faultLog(method: string, { log }: Lifecycle): (error: ServiceError) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return ({ reason, cause }) => {
    if (reason === ErrorReason.INTERNAL) log.error({ err: cause, method }, "call failed");
    if (reason !== ErrorReason.UNAVAILABLE || cause === undefined) return;
    if (performance.now() - toldAt < LOG_AWAY_EVERY_MS) return;
    toldAt = performance.now();
    log.warn({ err: cause, method }, "calls fail: a part is away");
  };
}

interface Asked {
  metadata: Metadata;
  request: unknown;
  row: AccessRow;
  owners: Partial<Record<Ownership, OwnerCheck>>;
}

/** Reads `authorization: Bearer …` and holds it against the method's row; deny is the default. */
function authorize(asked: Asked, tokens: Tokens): Caller | Promise<Caller> {
  const { metadata, request, row, owners } = asked;
  const header = metadata.get("authorization")[0]?.toString() ?? "";
  if (!header.startsWith("Bearer "))
    throw new Refusal(
      ErrorReason.UNAUTHENTICATED,
      'send a token as metadata: "authorization: Bearer <token>"',
    );
  const caller = enterAs(tokens.verify(header.slice("Bearer ".length)), row);
  checkBinding(caller, request);
  // Most calls ask for no owner and are spared the turn.
  if (!isOwnership(caller.relation)) return caller;
  return checkOwner(caller, request, owners).then(() => caller);
}
