/**
 * Certificates and secrets that live in files, as Kubernetes mounts them: read again for each new
 * connection, so that what is rotated is used without a restart.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { ConfigError } from "./config.js";

/** Paths of PEM files. */
export interface TlsFiles {
  /** Whom we trust, in place of the system's authorities. */
  caFile?: string | undefined;
  /** Our own certificate with its chain, and its key: both or none. */
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** What Node takes for a TLS connection; a file that is not given is not there. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Throws a ConfigError that names the file. */
export function readSettingsFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError(`the settings name ${path}, which can't be read (${code})`, { cause });
  }
}

/** Reads all files; throws a ConfigError where one is missing, is no PEM, or key and certificate differ. */
export function readTlsFiles(files: TlsFiles): TlsMaterial {
  const material = {
    ...(files.caFile ? { ca: readSettingsFile(files.caFile) } : {}),
    ...(files.certFile ? { cert: readSettingsFile(files.certFile) } : {}),
    ...(files.keyFile ? { key: readSettingsFile(files.keyFile) } : {}),
  };
  try {
    // Node passes over what is no certificate where it reads an authority.
    if (material.ca !== undefined) new X509Certificate(material.ca);
    createSecureContext(material);
  } catch (cause) {
    const names = Object.values(files).filter(Boolean).join(", ");
    const { message } = cause as Error;
    throw new ConfigError(`${names}: not a certificate, or not its key (${message})`, { cause });
  }
  return material;
}

/** What is asked for within this time is of one reading, so that key and certificate fit. */
const READING_HOLDS_MS = 100;

/**
 * TLS options whose files are read again each time a client copies them, which NATS', Redis' and
 * PostgreSQL's do for each connection. In the middle of a rotation they are what they were. Throws as
 * readTlsFiles where they are no good at the start.
 */
export function rereadTls(files: TlsFiles): TlsMaterial {
  let last = readTlsFiles(files);
  let readAt = performance.now();
  const current = () => {
    if (performance.now() - readAt < READING_HOLDS_MS) return last;
    readAt = performance.now();
    try {
      last = readTlsFiles(files);
    } catch {
      // A file is being replaced, or what came is no good: the server takes the old one, or tells.
    }
    return last;
  };
  return {
    get ca() {
      return current().ca;
    },
    get cert() {
      return current().cert;
    },
    get key() {
      return current().key;
    },
    // A getter always is there, and says "not given" by undefined.
  } as TlsMaterial;
}
