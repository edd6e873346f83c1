/** How commands reach an installation: what was typed, else the environment, else the running `make up`. */
import { grpcTlsSettings, readEnv } from "@fanfare/common/config";
import { grpcTlsFiles, MutualTls } from "@fanfare/common/mutual-tls";
import { Tokens } from "@fanfare/common/tokens";
import { UsageError } from "./flags.js";
import { type Env, homeOf, readSecret } from "./home.js";
import { findRunning } from "./up/running.js";

export interface Installation {
  /** Gateways. */
  urls: string[];
  /** `host:port` of the quiz service. */
  quizAddress: string;
  /** For gRPC, where GRPC_CERT_FILE, GRPC_KEY_FILE and GRPC_CA_FILE are given. */
  tls: MutualTls | undefined;
  /** Role admin. */
  token: string;
}

const TOKEN_SECONDS = 365 * 86_400;

export async function findInstallation(
  env: Env,
  typed: { url?: string | undefined; grpc?: string | undefined; token?: string | undefined },
): Promise<Installation> {
  const running = await findRunning(homeOf(env));
  const url = typed.url ?? running?.gatewayUrl ?? "http://localhost:8000";
  return {
    tls: MutualTls.load(grpcTlsFiles(readEnv(env, grpcTlsSettings))),
    urls: url.split(",").map((each) => each.trim()),
    quizAddress: typed.grpc ?? running?.quizAddress ?? "127.0.0.1:9001",
    token: typed.token || env.FANFARE_TOKEN || localAdminToken(env),
  };
}

/** What signs this installation's tokens: of the environment, else of `make up` here. */
export function findSecret(env: Env): string | undefined {
  return env.TOKEN_SECRET?.split(",")[0] || readSecret(homeOf(env));
}

function localAdminToken(env: Env): string {
  const secret = findSecret(env);
  if (!secret)
    throw new UsageError(
      "an admin token is needed: give -token or FANFARE_TOKEN, or run make up here first",
    );
  return new Tokens([secret]).issue({ role: "admin", subject: "cli" }, TOKEN_SECONDS);
}
