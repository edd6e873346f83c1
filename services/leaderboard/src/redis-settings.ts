/** Where Redis is and how it lets us in: one server, the primary that sentinels know, or a cluster. */
import { ConfigError, z } from "@fanfare/common/config";
import type { TlsFiles } from "@fanfare/common/tls-files";

const PORT = 6379;
const SENTINEL_PORT = 26379;

export interface HostPort {
  host: string;
  port: number;
}

/** What a URL says. Schemes with `rediss` speak TLS, to the sentinels too. */
export type RedisAddress = {
  secure: boolean;
  username?: string;
  password?: string;
} & (
  | ({ kind: "single"; db: number } & HostPort)
  | { kind: "sentinel"; sentinels: HostPort[]; primary: string; db: number }
  | { kind: "cluster"; nodes: HostPort[] }
);

export type RedisAccess = RedisAddress & {
  sentinelPassword?: string | undefined;
  /** Without a file: the system's authorities. */
  tls: TlsFiles;
};

const SHAPE = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/;
const FORMS = [
  "redis://host:6379/0",
  "redis+sentinel://host:26379,host:26379/primary/0",
  "redis+cluster://host:6379,host:6379",
].join(", ");

/** A string says what is wrong with it. */
export function parseRedisUrl(url: string): RedisAddress | string {
  const found = SHAPE.exec(url);
  if (!found) return `must be like ${FORMS}; rediss for TLS`;
  const [, scheme, kind, login, authority = "", path = ""] = found;
  const hosts = authority
    .split(",")
    .map((each) => parseHost(each.trim(), kind === "sentinel" ? SENTINEL_PORT : PORT));
  if (!hosts.every((host) => typeof host !== "string"))
    return hosts.find((host) => typeof host === "string") ?? "";
  const named = parseLogin(login);
  if (typeof named === "string") return named;
  const shared = { secure: scheme === "rediss", ...named };
  const words = path.split("/").filter(Boolean);
  const primary = kind === "sentinel" ? words.shift() : "";
  if (primary === undefined) return "must name the primary behind the sentinels: …/mymaster";
  const db = parseDatabase(words);
  if (typeof db === "string") return db;
  switch (kind) {
    case "sentinel":
      return { ...shared, kind, sentinels: hosts, primary, db };
    case "cluster":
      return db === 0 ? { ...shared, kind, nodes: hosts } : "a cluster has no database but 0";
  }
  const [only, ...more] = hosts;
  if (!only || more.length > 0) return "several hosts need redis+sentinel:// or redis+cluster://";
  return { ...shared, kind: "single", ...only, db };
}

function parseHost(text: string, fallback: number): HostPort | string {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? fallback : Number(port);
  if (!host || number < 1 || number > 65_535) return `${text} is not host:port`;
  return { host, port: number };
}

function parseLogin(login = ""): { username?: string; password?: string } | string {
  try {
    const [username, ...rest] = login.split(":").map(decodeURIComponent);
    const password = rest.join(":");
    return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
  } catch {
    return "a % in the password is written %25";
  }
}

function parseDatabase([word = "0", ...more]: string[]): number | string {
  if (more.length > 0 || !/^\d{1,5}$/.test(word)) return "the database must be a number: …/0";
  return Number(word);
}

const text = z.string().optional();

export const redisSettings = {
  REDIS_URL: z
    .string()
    .default("redis://127.0.0.1:6379")
    .transform((url, context) => {
      const address = parseRedisUrl(url);
      if (typeof address !== "string") return address;
      context.addIssue({ code: "custom", message: address });
      return z.NEVER;
    }),
  /** Win over the URL's. */
  REDIS_USERNAME: text,
  REDIS_PASSWORD: text,
  REDIS_SENTINEL_PASSWORD: text,
  /** For the `rediss` schemes; read again at each connect. */
  REDIS_CA_FILE: text,
  REDIS_CERT_FILE: text,
  REDIS_KEY_FILE: text,
} as const;

/** Throws a ConfigError where files of TLS are given and the URL asks for none. */
export function redisAccess(settings: z.output<z.ZodObject<typeof redisSettings>>): RedisAccess {
  const { REDIS_CA_FILE: caFile, REDIS_CERT_FILE: certFile, REDIS_KEY_FILE: keyFile } = settings;
  const { REDIS_URL: address, REDIS_USERNAME: username, REDIS_PASSWORD: password } = settings;
  if ((caFile || certFile) && !address.secure)
    throw new ConfigError(
      "bad settings: REDIS_URL: must begin with rediss, as files of TLS are given",
    );
  return {
    ...address,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    sentinelPassword: settings.REDIS_SENTINEL_PASSWORD,
    tls: { caFile, certFile, keyFile },
  };
}
