/** A real gRPC server with some methods of a real contract behind it, and clients of any role. */
import type { DescService } from "@bufbuild/protobuf";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import type { ServiceError } from "../src/errors.js";
import { type ClientOptions, createClient, type ServiceClient } from "../src/grpc-client.js";
import {
  type GrpcServerOptions,
  type Handlers,
  type ServedService,
  startGrpcServer,
} from "../src/grpc-server.js";
import { Health } from "../src/health.js";
import type { Lifecycle } from "../src/lifecycle.js";
import { Metrics } from "../src/metrics.js";
import { ROLES, type Role, Tokens } from "../src/tokens.js";
import { type LogLine, newLifecycle } from "./parts.js";

export type QuizClient = ServiceClient<typeof QuizService>;
type QuizHandlers = Handlers<typeof QuizService>;
/** "any" is every role. */
type QuizRoles = Partial<Record<keyof QuizHandlers, readonly Role[] | "any">>;

export const tokens = new Tokens(["a secret of the tests that is long enough"]);

export interface Served extends AsyncDisposable {
  address: string;
  health: Health;
  lifecycle: Lifecycle;
  lines: LogLine[];
  metrics: Metrics;
  /** Every call that has ended. */
  calls: { method: string; seconds: number; error: ServiceError | undefined }[];
  /** A client with a token of this role; closed with the server. */
  as(role: Role, options?: ClientOptions): QuizClient;
  /** A client that sends this as its token. */
  withToken(token: string, options?: ClientOptions): QuizClient;
}

/** Serves the given handlers; what is not given fails. Roles are any unless given. */
export async function serveQuiz(
  handlers: Partial<QuizHandlers>,
  roles: QuizRoles = {},
  options: Partial<GrpcServerOptions> = {},
): Promise<Served> {
  const { lifecycle, lines } = newLifecycle();
  const health = new Health();
  const calls: Served["calls"] = [];
  const metrics = new (class extends Metrics {
    override served(method: string, seconds: number, error: ServiceError | undefined): void {
      calls.push({ method, seconds, error });
      super.served(method, seconds, error);
    }
  })("test");
  const clients: QuizClient[] = [];
  const names = QuizService.methods.map(({ localName }) => localName);
  const service = {
    service: QuizService,
    handlers: { ...filled(names, () => Promise.reject(new Error("not given"))), ...handlers },
    access: Object.fromEntries(
      Object.entries({ ...filled(names, "any"), ...roles }).map(([name, allowed]) => [
        name,
        filled(allowed === "any" ? ROLES : (allowed as readonly Role[]), "any"),
      ]),
    ),
  };
  const port = await startGrpcServer(
    [service as unknown as ServedService<DescService>],
    {
      host: "127.0.0.1",
      port: 0,
      tokens,
      health,
      drainMs: 0,
      metrics,
      ...options,
    },
    lifecycle,
  );
  health.started();
  const address = `127.0.0.1:${port}`;
  const withToken = (token: string, options?: ClientOptions) => {
    const client = createClient(QuizService, address, () => token, options);
    clients.push(client);
    return client;
  };
  return {
    address,
    health,
    lifecycle,
    lines,
    metrics,
    calls,
    withToken,
    as: (role, options) => withToken(tokens.issue({ role, subject: `a ${role}` }, 60), options),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await lifecycle.close();
    },
  };
}

function filled<T>(names: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

/** What a call was refused with; fails where it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error("the call was not refused");
}
