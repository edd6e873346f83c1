/** A server whose address was given: it is asked once, and then left to its owner. */

import { isAtLeast } from "./binary.js";
import { ServerError, type ServerName, ServerUnavailableError, urlVariables } from "./errors.js";
import type { Server } from "./server.js";

export interface ExternalPlan {
  server: ServerName;
  url: string;
  defaultPort: number;
  minimum: string;
  /** Resolves with the version that the server states, or undefined if it keeps it to itself. */
  probe(url: string): Promise<string | undefined>;
}

/** Resolves if the server answers and is new enough; else fails with ServerUnavailableError. */
export async function useExternalServer(plan: ExternalPlan): Promise<Server> {
  const { server, url } = plan;
  const variable = urlVariables[server];
  let address: URL;
  let version: string | undefined;
  try {
    address = new URL(url);
    version = await plan.probe(url);
  } catch (error) {
    const what = `no ${server} answers at ${withoutPassword(url)}`;
    const message = `${what}: start it, or leave ${variable} empty to have one started here`;
    throw new ServerUnavailableError(server, message, { cause: error });
  }
  if (version !== undefined && !isAtLeast(version, plan.minimum)) {
    const what = `${server} at ${withoutPassword(url)} is ${version}`;
    const message = `${what}: ${plan.minimum} or newer is needed, or leave ${variable} empty`;
    throw new ServerUnavailableError(server, message);
  }
  const refuse = async (): Promise<void> => {
    throw new ServerError(server, `${server} at ${variable} is not ours to stop or start`);
  };
  return {
    url,
    port: Number(address.port) || plan.defaultPort,
    pid: undefined,
    version: version ?? "unknown",
    directory: undefined,
    ours: false,
    kill: refuse,
    restart: refuse,
    stop: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//");
}
