/** Certificates for tests and local servers, made by the openssl command that every machine has. */
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.js";

const LIMIT_MS = 20_000;
const DAYS = 30;
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export interface CertificateFiles {
  caFile: string;
  certFile: string;
  keyFile: string;
}

/** An authority of our own. */
export class Authority {
  #made = 0;

  private constructor(
    private readonly directory: string,
    readonly caFile: string,
  ) {}

  /** Keeps its files in `directory`, which it makes. */
  static async create(directory: string): Promise<Authority> {
    await mkdir(directory, { recursive: true });
    const [keyFile, caFile] = [join(directory, "ca.key"), join(directory, "ca.crt")];
    const subject = ["-subj", "/CN=authority of Fanfare's tests", "-days", String(DAYS)];
    await openssl(["req", "-x509", ...KEY, "-keyout", keyFile, "-out", caFile, ...subject]);
    return new Authority(directory, caFile);
  }

  /** A certificate for servers and clients. `names` as in `DNS:localhost`; negative days: expired. */
  async issue(names: readonly string[], options: { days?: number; user?: string } = {}) {
    const at = (ending: string) => join(this.directory, `${this.#made}.${ending}`);
    this.#made++;
    const [keyFile, request, extensions, certFile] = [at("key"), at("csr"), at("ext"), at("crt")];
    const subject = ["-subj", `/CN=${options.user ?? "fanfare"}`];
    await openssl(["req", "-new", ...KEY, "-keyout", keyFile, "-out", request, ...subject]);
    await writeFile(
      extensions,
      `subjectAltName=${names.join(",")}\nextendedKeyUsage=serverAuth,clientAuth\n`,
    );
    const by = ["-CA", this.caFile, "-CAkey", join(this.directory, "ca.key"), "-CAcreateserial"];
    const validity = ["-days", String(options.days ?? DAYS), "-extfile", extensions];
    await openssl(["x509", "-req", "-in", request, ...by, ...validity, "-out", certFile]);
    return { caFile: this.caFile, certFile, keyFile } satisfies CertificateFiles;
  }
}

/** A folder as Kubernetes mounts a Secret: all files change at once, by the swap of one link. */
export class MountedSecret implements CertificateFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  #versions = 0;

  private constructor(private readonly directory: string) {
    this.caFile = join(directory, "ca.crt");
    this.certFile = join(directory, "tls.crt");
    this.keyFile = join(directory, "tls.key");
  }

  static async create(directory: string, files: CertificateFiles): Promise<MountedSecret> {
    await mkdir(directory, { recursive: true });
    const secret = new MountedSecret(directory);
    await secret.replace(files);
    for (const name of ["ca.crt", "tls.crt", "tls.key"])
      await symlink(join("..data", name), join(directory, name));
    return secret;
  }

  /** Puts the content of these files in the place of what was there. */
  async replace(files: CertificateFiles): Promise<void> {
    const version = `..version_${this.#versions++}`;
    const folder = join(this.directory, version);
    await mkdir(folder);
    await writeFile(join(folder, "ca.crt"), await readFile(files.caFile));
    await writeFile(join(folder, "tls.crt"), await readFile(files.certFile));
    await writeFile(join(folder, "tls.key"), await readFile(files.keyFile));
    await symlink(version, join(this.directory, "..data_tmp"));
    await rename(join(this.directory, "..data_tmp"), join(this.directory, "..data"));
  }
}

function openssl(args: string[]): Promise<string> {
  return run("openssl", args, { timeoutMs: LIMIT_MS });
}
