/**
 * The services as JSON over HTTP: POST /package.Service/Method, the unary JSON form of the Connect
 * protocol, generic over descriptors. Roles and rules are the services' own; what a token and the method
 * say alone is asked here too, before the body is read.
 */

import type { HttpRequest, HttpResponse, TemplatedApp } from "uWebSockets.js";
import {
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  fromJsonString,
  toJsonString,
} from "@bufbuild/protobuf";
import { enterAs } from "@fanfare/common/access";
import { invalidField, ServiceError, toServiceError } from "@fanfare/common/errors";
import type { CallOptions } from "@fanfare/common/grpc-client";
import type { ServicePool } from "@fanfare/common/service-pool";
import type { AccessRow, AccessTable } from "@fanfare/proto/access";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { Config } from "../config.js";
import type { Identities } from "../domain/service-ports.js";
import type { GatewayMetrics } from "../metrics.js";
import { type ConnectReply, errorReply, unimplementedReply } from "./connect-error.js";
import { isAllowedOrigin } from "./http-reply.js";
import { readBody } from "./read-body.js";

const TIMEOUT_MS = 30_000;
/** Reads may be asked of another pod where one is silent. */
const READS = /^(get|list|resolve|draw|export)/;
const MESSAGE_CHARS_MAX = 300;
const TOKEN_MISSING = 'send a token as header: "authorization: Bearer <token>"';

export interface DoorService {
  service: DescService;
  pool: ServicePool<DescService>;
  access: Readonly<Record<string, AccessRow>>;
}

/** A service for the door, which knows it only by its descriptor. */
export function doorService<S extends DescService>(
  service: S,
  pool: ServicePool<S>,
  access: AccessTable<S>,
): DoorService {
  return { service, pool: pool as unknown as ServicePool<DescService>, access };
}

type Call = (request: object, options: CallOptions) => Promise<never>;

/** What of a request is needed once its turn is over. */
interface Asked {
  method: DescMethodUnary;
  pool: ServicePool<DescService>;
  token: string;
  timeoutMs: number;
}

export class JsonDoor {
  readonly #methods = new Map<
    string,
    { pool: DoorService["pool"]; method: DescMethod; row: AccessRow }
  >();

  constructor(
    services: readonly DoorService[],
    private readonly identities: Identities,
    private readonly config: Config,
    private readonly metrics: GatewayMetrics,
    private readonly onFault: (error: unknown, what: string) => void,
  ) {
    for (const { service, pool, access } of services)
      for (const method of service.methods) {
        const row = access[method.localName] ?? {};
        this.#methods.set(`/${service.typeName}/${method.name}`, { pool, method, row });
      }
  }

  serve(app: TemplatedApp): void {
    app.post("/:service/:method", (response, request) => void this.#post(response, request));
    app.options("/:service/:method", (response, request) => this.#preflight(response, request));
  }

  async #post(response: HttpResponse, request: HttpRequest): Promise<void> {
    const abort = new AbortController();
    response.onAborted(() => abort.abort());
    const origin = this.#allowedOrigin(request);
    const reply = (answer: ConnectReply) => {
      this.metrics.doorCalls.inc({ code: answer.code });
      if (!abort.signal.aborted) write(response, origin, answer);
    };
    try {
      const asked = this.#read(request);
      if ("body" in asked) return reply(asked);
      const body = await readBody(response, this.config.JSON_BODY_BYTES_MAX, abort.signal);
      if (body === undefined) {
        this.metrics.limitHit("JSON_BODY_BYTES_MAX");
        throw tooLarge(this.config.JSON_BODY_BYTES_MAX);
      }
      reply({ code: "ok", status: "200 OK", body: await call(asked, body, abort.signal) });
    } catch (thrown) {
      if (abort.signal.aborted) return;
      const error = toServiceError(thrown);
      if (error.reason === ErrorReason.INTERNAL)
        this.onFault(error, "call at the JSON door failed");
      reply(errorReply(error));
    }
  }

  /** What is asked for, or the answer where that can't be served. Throws what is wrong with it. */
  #read(request: HttpRequest): Asked | ConnectReply {
    const found = this.#methods.get(request.getUrl());
    if (!found) return unimplementedReply("404 Not Found", `there is no ${request.getUrl()}`);
    const { method, pool, row } = found;
    // 404 and no other status is what a client of a stream takes for unimplemented.
    if (!isUnary(method))
      return unimplementedReply("404 Not Found", `${method.name} streams; call it by gRPC`);
    if (!/^application\/json\s*(;.*)?$/i.test(request.getHeader("content-type")))
      return unimplementedReply(
        "415 Unsupported Media Type",
        "send content-type: application/json",
      );
    if (!/^(identity)?$/i.test(request.getHeader("content-encoding")))
      return unimplementedReply("501 Not Implemented", "send the body as it is, not compressed");
    const version = request.getHeader("connect-protocol-version");
    if (version !== "" && version !== "1") throw invalidField("connect-protocol-version", "1");
    const timeout = request.getHeader("connect-timeout-ms");
    if (!/^\d{0,10}$/.test(timeout)) throw invalidField("connect-timeout-ms", "up to 10 digits");
    const token = /^Bearer (.+)$/i.exec(request.getHeader("authorization"))?.[1] ?? "";
    // The service does this too; here it spares the body of whoever may not call at all.
    if (token === "") throw new ServiceError(ErrorReason.UNAUTHENTICATED, TOKEN_MISSING);
    enterAs(this.identities.verify(token), row);
    const timeoutMs = timeout === "" ? TIMEOUT_MS : Math.min(Number(timeout), TIMEOUT_MS);
    return { method, pool, token, timeoutMs };
  }

  /** "" where the answer is not for other origins. */
  #allowedOrigin(request: HttpRequest): string {
    const [origin, host] = [request.getHeader("origin"), request.getHeader("host")];
    return isAllowedOrigin(origin, host, this.config.ALLOWED_ORIGINS) ? origin : "";
  }

  #preflight(response: HttpResponse, request: HttpRequest): void {
    const origin = this.#allowedOrigin(request);
    response.writeStatus(origin ? "204 No Content" : "403 Forbidden");
    if (origin)
      response
        .writeHeader("access-control-allow-origin", origin)
        .writeHeader("access-control-allow-methods", "POST")
        .writeHeader(
          "access-control-allow-headers",
          "authorization, content-type, connect-protocol-version, connect-timeout-ms",
        )
        .writeHeader("access-control-max-age", "7200")
        .writeHeader("vary", "origin");
    response.endWithoutBody();
  }
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

async function call(asked: Asked, body: string, signal: AbortSignal): Promise<string> {
  const { method, pool, token, timeoutMs } = asked;
  const request = parse(method, body);
  const options = { token, timeoutMs, signal };
  const send = (client: object) =>
    (client as Record<string, Call>)[method.localName]?.(request, options);
  const answer = READS.test(method.localName)
    ? await pool.request(undefined, async (client) => send(client))
    : await send(pool.any());
  if (answer === undefined) throw new Error(`no client for ${method.name}`);
  return toJsonString(method.output, answer);
}

function parse(method: DescMethodUnary, body: string): object {
  try {
    return fromJsonString(method.input, body === "" ? "{}" : body);
  } catch (error) {
    const message = (error as Error).message.slice(0, MESSAGE_CHARS_MAX);
    throw new ServiceError(ErrorReason.MALFORMED, message, { cause: error });
  }
}

function tooLarge(bytesMax: number): ServiceError {
  return new ServiceError(ErrorReason.TOO_LARGE, `a body may have ${bytesMax} bytes`, {
    metadata: { limit: "JSON_BODY_BYTES_MAX", max: String(bytesMax) },
  });
}

function write(response: HttpResponse, origin: string, { status, body }: ConnectReply): void {
  response.cork(() => {
    response
      .writeStatus(status)
      .writeHeader("content-type", "application/json")
      .writeHeader("cache-control", "no-store")
      .writeHeader("x-content-type-options", "nosniff");
    if (origin)
      response.writeHeader("access-control-allow-origin", origin).writeHeader("vary", "origin");
    response.end(body);
  });
}
