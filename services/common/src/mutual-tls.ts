/**
 * mTLS between the services: the certificate that a process shows, as server and as client, and the
 * authority that it asks of others. Files that change are taken within seconds, for new connections;
 * those that stand go on. Docs: docs/adr/0008-certificates-are-watched.md.
 */
import { X509Certificate } from "node:crypto";
import { type ChannelCredentials, experimental, type ServerCredentials } from "@grpc/grpc-js";
import type { grpcTlsSettings, z } from "./config.js";
import { type Lifecycle, pause } from "./lifecycle.js";
import { watchLoop } from "./loops.js";
import type { Metrics } from "./metrics.js";
import { readTlsFiles, type TlsFiles } from "./tls-files.js";

/** How often the files are read. */
const READ_EVERY_MS = 2_000;

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/** Undefined where the services speak plain text. */
export function grpcTlsFiles(
  settings: z.output<z.ZodObject<typeof grpcTlsSettings>>,
): TlsFiles | undefined {
  const { GRPC_CA_FILE: caFile, GRPC_CERT_FILE: certFile, GRPC_KEY_FILE: keyFile } = settings;
  return caFile ? { caFile, certFile, keyFile } : undefined;
}

interface Material {
  ca: string;
  cert: string;
  key: string;
}

/**
 * Gives grpc-js its certificates. The library's own file watcher hands out whatever it reads, also a
 * certificate with another's key in the middle of a swap, and refuses everybody until it reads again;
 * this one hands out what belongs together and keeps it until there is better.
 */
export class MutualTls implements experimental.CertificateProvider {
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  readonly #channels: ChannelCredentials;
  #current: Material;

  private constructor(private readonly files: TlsFiles) {
    this.#current = read(files);
    this.#channels = experimental.createCertificateProviderChannelCredentials(this, this);
  }

  /** Undefined without files: plain text. Throws a ConfigError where they are no good. */
  static load(files: TlsFiles | undefined): MutualTls | undefined {
    return files && new MutualTls(files);
  }

  /** As `load`, and takes files that change until the lifecycle ends; the metrics show their end. */
  static watch(
    files: TlsFiles | undefined,
    lifecycle: Lifecycle,
    metrics?: Pick<Metrics, "watchCertificate">,
  ): MutualTls | undefined {
    const tls = MutualTls.load(files);
    if (!tls) return undefined;
    void watchLoop("certificates", tls.#follow(lifecycle), lifecycle);
    metrics?.watchCertificate(() => tls.endsAt().getTime() / 1_000);
    return tls;
  }

  /** When the certificate that is shown now ends. */
  endsAt(): Date {
    return new Date(new X509Certificate(this.#current.cert).validTo);
  }

  /** For servers, which demand a client certificate of the authority. */
  servers(): ServerCredentials {
    return experimental.createCertificateProviderServerCredentials(this, this, true);
  }

  /** For clients; whose name the server must show is said with the channel. */
  channels(): ChannelCredentials {
    return this.#channels;
  }

  // Listeners hear later than they are added: grpc-js notes a server only after it has added it.

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    process.nextTick(() => listener(this.#ca()));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    process.nextTick(() => listener(this.#identity()));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #ca(): experimental.CaCertificateUpdate {
    return { caCertificate: Buffer.from(this.#current.ca) };
  }

  #identity(): experimental.IdentityCertificateUpdate {
    const { cert, key } = this.#current;
    return { certificate: Buffer.from(cert), privateKey: Buffer.from(key) };
  }

  async #follow({ log, signal }: Lifecycle): Promise<void> {
    let refused = "";
    for (;;) {
      await pause(READ_EVERY_MS, signal);
      if (signal.aborted) return;
      try {
        if (!this.#take(read(this.files))) continue;
        log.info({ validTo: this.endsAt() }, "new certificates are used from now on");
        refused = "";
      } catch (err) {
        const { message } = err as Error;
        if (message !== refused)
          log.warn({ err }, "new certificates are not used: the old ones stay");
        refused = message;
      }
    }
  }

  /** Whether there was anything new. */
  #take(found: Material): boolean {
    const { ca, cert, key } = this.#current;
    if (found.ca === ca && found.cert === cert && found.key === key) return false;
    this.#current = found;
    for (const listener of this.#identityListeners) listener(this.#identity());
    for (const listener of this.#caListeners) listener(this.#ca());
    return true;
  }
}

function read(files: TlsFiles): Material {
  const { ca = "", cert = "", key = "" } = readTlsFiles(files);
  return { ca, cert, key };
}
