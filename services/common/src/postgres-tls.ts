/** What sslmode in a PostgreSQL URL asks of the connection, in libpq's words. */
import { isIP } from "node:net";
import { ConfigError } from "./config.js";
import { rereadTls, type TlsFiles } from "./tls-files.js";

const MODES = ["disable", "prefer", "require", "verify-full"];

/** As the driver takes it: no TLS, TLS if the server has it, or TLS with these options. */
export type Ssl = false | "prefer" | object;

/**
 * Without sslmode there is no TLS, unless there are files: then an authority means verify-full, a
 * certificate alone require. Throws a ConfigError where an authority would not be asked.
 */
export function postgresTls(url: string, files: TlsFiles): Ssl {
  const mode = modeOf(url, files);
  if (files.caFile && mode !== "verify-full")
    throw new ConfigError(
      `bad settings: POSTGRES_CA_FILE: is only asked with sslmode=verify-full, not with ${mode}`,
    );
  if (files.certFile && (mode === "disable" || mode === "prefer"))
    throw new ConfigError(
      `bad settings: POSTGRES_CERT_FILE: is only shown with sslmode=require or verify-full, not with ${mode}`,
    );
  if (mode === "disable") return false;
  if (mode === "prefer") return "prefer";
  const options = rereadTls(files);
  if (mode === "require") return Object.assign(options, { rejectUnauthorized: false });
  return Object.assign(options, addressToCheck(url));
}

function modeOf(url: string, { caFile, certFile }: TlsFiles): string {
  const given = /[?&]sslmode=([^&]*)/.exec(url)?.[1];
  if (given !== undefined) {
    if (MODES.includes(given)) return given;
    throw new ConfigError(
      `bad settings: POSTGRES_URL: sslmode must be one of ${MODES.join(", ")}, not ${given}`,
    );
  }
  if (caFile) return "verify-full";
  return certFile ? "require" : "disable";
}

/**
 * The driver has certificates checked by the host's name. For an address it gives none, and Node would
 * check for "localhost": so the address is named here.
 */
function addressToCheck(url: string): { host?: string } {
  const authority = /^[^:]+:\/\/(?:[^@/?]*@)?([^/?]*)/.exec(url)?.[1] ?? "";
  const hosts = authority
    .split(",")
    .map((each) => each.replace(/:\d*$/, "").replace(/^\[|\]$/g, ""));
  const addresses = hosts.filter((host) => isIP(host));
  if (addresses.length === 0) return {};
  const [host] = addresses;
  if (host && hosts.length === 1) return { host };
  throw new ConfigError(
    "bad settings: POSTGRES_URL: sslmode=verify-full needs names where there are several hosts",
  );
}
