/**
 * The services as JSON over HTTP: POST /package.Service/Method, the unary JSON form of the Connect
 * protocol, generic over descriptors. Roles and rules are the services' own; what a token and the method
 * say alone is asked here too, before the body is read.
 */

import type { HttpRequest, HttpResponse, TemplatedApp } from "uWebSockets.js";
import {
  create,
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  fromJsonString,
  type Message,
  toJsonString,
} from "@bufbuild/protobuf";
import { enterAs } from "@fanfare/common/access";
import { addressPrefix } from "@fanfare/common/address-prefix";
import { invalidField, ServiceError, toServiceError } from "@fanfare/common/errors";
import type { CallOptions } from "@fanfare/common/grpc-client";
import type { ServicePool } from "@fanfare/common/service-pool";
import type { AccessRow, AccessTable } from "@fanfare/proto/access";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  QuizService,
  type ResolvePinRequest,
  ResolvePinResponseSchema,
} from "@fanfare/proto/quiz/v1/quiz_service";
import type { Config } from "../config.js";
import type { KnownPins } from "../domain/known-pins.js";
import type { Identities } from "../domain/service-ports.js";
import type { GatewayMetrics } from "../metrics.js";
import { type ConnectReply, errorReply, unimplementedReply } from "./connect-error.js";
import { addressOf, isAllowedOrigin } from "./http-reply.js";
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

/** What the door needs of its gateway. */
export interface DoorParts {
  config: Config;
  identities: Identities;
  metrics: GatewayMetrics;
  onFault(error: unknown, what: string): void;
  finder: {
    /** Throws SESSION_NOT_FOUND, SLOW_DOWN, or UNAVAILABLE. */
    find(pin: string, of: { prefix: string; caller: string }): Promise<string>;
  };
  knownPins: KnownPins;
}

type Call = (request: object, options: CallOptions) => Promise<never>;

/** What of a request is needed once its turn is over. */
interface Asked {
  method: DescMethodUnary;
  pool: ServicePool<DescService>;
  token: string;
  /** Whose the token is. */
  caller: string;
  /** Of the address that the call came from. */
  prefix: string;
  timeoutMs: number;
}

export class JsonDoor {
  readonly #methods = new Map<
    string,
    { pool: DoorService["pool"]; method: DescMethod; row: AccessRow }
  >();

  constructor(
    services: readonly DoorService[],
    private readonly parts: DoorParts,
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
      this.parts.metrics.doorCalls.inc({ code: answer.code });
      if (!abort.signal.aborted) write(response, origin, answer);
    };
    try {
      const asked = this.#read(response, request);
      if ("body" in asked) return reply(asked);
      const body = await readBody(response, this.parts.config.JSON_BODY_BYTES_MAX, abort.signal);
      if (body === undefined) {
        this.parts.metrics.limitHit("JSON_BODY_BYTES_MAX");
        throw tooLarge(this.parts.config.JSON_BODY_BYTES_MAX);
      }
      const answer = await this.#answer(asked, parse(asked.method, body), abort.signal);
      reply({ code: "ok", status: "200 OK", body: toJsonString(asked.method.output, answer) });
    } catch (thrown) {
      if (abort.signal.aborted) return;
      const error = toServiceError(thrown);
      if (error.reason === ErrorReason.INTERNAL)
        this.parts.onFault(error, "call at the JSON door failed");
      reply(errorReply(error));
    }
  }

  /** What is asked for, or the answer where that can't be served. Throws what is wrong with it. */
  #read(response: HttpResponse, request: HttpRequest): Asked | ConnectReply {
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
    const { identity } = enterAs(this.parts.identities.verify(token), row);
    const timeoutMs = timeout === "" ? TIMEOUT_MS : Math.min(Number(timeout), TIMEOUT_MS);
    const address = addressOf(response, request, this.parts.config.TRUSTED_PROXIES);
    const caller = `${identity.role} ${identity.subject}`;
    return { method, pool, token, caller, prefix: addressPrefix(address), timeoutMs };
  }

  async #answer(asked: Asked, request: object, signal: AbortSignal): Promise<Message> {
    const { method, prefix } = asked;
    if (method === QuizService.method.resolvePin) {
      // Here, where the caller's address is known, and with the budget that the sockets have too.
      const { pin } = request as ResolvePinRequest;
      const sessionId = await this.parts.finder.find(pin, asked);
      return create(ResolvePinResponseSchema, { sessionId });
    }
    const answer = await call(asked, request, signal);
    const { session } = answer as { session?: { pin?: string } };
    if (session?.pin) this.parts.knownPins.hostSeen(prefix, session.pin, performance.now());
    return answer;
  }

  /** "" where the answer is not for other origins. */
  #allowedOrigin(request: HttpRequest): string {
    const [origin, host] = [request.getHeader("origin"), request.getHeader("host")];
    return isAllowedOrigin(origin, host, this.parts.config.ALLOWED_ORIGINS) ? origin : "";
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

async function call(asked: Asked, request: object, signal: AbortSignal): Promise<Message> {
  const { method, pool, token, timeoutMs } = asked;
  const options = { token, timeoutMs, signal };
  const send = (client: object) =>
    (client as Record<string, Call>)[method.localName]?.(request, options);
  const answer = READS.test(method.localName)
    ? await pool.request(undefined, async (client) => send(client))
    : await send(pool.any());
  if (answer === undefined) throw new Error(`no client for ${method.name}`);
  return answer;
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
