/** Where `make up` keeps things, and what other commands find there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type Env = Readonly<Record<string, string | undefined>>;

export interface Home {
  /** `<repo>/.fanfare`, or FANFARE_HOME. */
  folder: string;
  data: string;
  logs: string;
  /** Pid of the running `make up`. */
  lock: string;
  /** Secret that signs this installation's tokens. */
  secret: string;
  /** Version of what `data` holds. */
  version: string;
}

const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));

export function homeOf(env: Env): Home {
  const folder = env.FANFARE_HOME || join(REPOSITORY, ".fanfare");
  const data = join(folder, "data");
  return {
    folder,
    data,
    logs: join(folder, "logs"),
    lock: join(folder, "up.pid"),
    secret: join(data, "token-secret"),
    version: join(data, "version"),
  };
}

/** The secret that `make up` made; undefined before its first run. */
export function readSecret(home: Home): string | undefined {
  try {
    return readFileSync(home.secret, "utf8").trim();
  } catch {
    return undefined;
  }
}
