/** NATS servers that ask who comes, and the credentials that such a server takes. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { ask } from "../src/servers/ask.js";
import { findNats } from "../src/servers/install-nats.js";
import { openHome, startLocalServer } from "../src/servers/local-server.js";
import type { Server } from "../src/servers/server.js";

/** Starts a server with these lines in its configuration, asked for anew at each start. */
export async function startSecuredNats(lines: () => string): Promise<Server> {
  const [binary, home] = [await findNats(), await openHome("NATS")];
  const configFile = join(home.directory, "nats.conf");
  const probe = (port: number) =>
    ask({ host: "127.0.0.1", port, read: (answer) => /^INFO .*\r\n/.exec(answer)?.[0] });
  return startLocalServer(
    {
      server: "NATS",
      version: binary.version,
      ports: [0],
      home,
      marker: configFile,
      stopSignal: "SIGTERM",
      url: (port) => `nats://localhost:${port}`,
      probe,
      prepare: async ([port]) => {
        const place = JSON.stringify(join(home.directory, "jetstream"));
        const basis = `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${place} }`;
        await writeFile(configFile, `${basis}\n${lines()}`);
        return { path: binary.path, args: ["-c", configFile], cwd: home.directory };
      },
    },
    {},
  );
}

/** An operator with one account for us, as `nsc` would make them. */
export class Operator {
  readonly #operator = nkeys.createOperator();
  readonly #account = nkeys.createAccount();
  readonly #system = nkeys.createAccount();

  /** What the server's configuration says of it. */
  configuration(): string {
    const [account, system] = [this.#account.getPublicKey(), this.#system.getPublicKey()];
    const all = { subs: -1, conn: -1, leaf: -1, imports: -1, exports: -1, data: -1, payload: -1 };
    const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
    const operator = { type: "operator", version: 2, system_account: system };
    const jwt = (sub: string, limits: object) =>
      sign(this.#operator, sub, { type: "account", version: 2, limits });
    return `operator: ${sign(this.#operator, this.#operator.getPublicKey(), operator)}
resolver: MEMORY
resolver_preload: {
  ${account}: ${jwt(account, { ...all, ...storage })}
  ${system}: ${jwt(system, all)}
}`;
  }

  /** The content of a .creds file; of a user whom the server puts out after so many seconds. */
  credentials(seconds?: number): string {
    const user = nkeys.createUser();
    const limits = { subs: -1, data: -1, payload: -1 };
    const claims = { type: "user", version: 2, ...limits };
    const expiry = seconds === undefined ? {} : { exp: Math.ceil(Date.now() / 1_000) + seconds };
    const jwt = sign(this.#account, user.getPublicKey(), claims, expiry);
    const seed = new TextDecoder().decode(user.getSeed());
    return [
      "-----BEGIN NATS USER JWT-----",
      jwt,
      "------END NATS USER JWT------",
      "",
      "-----BEGIN USER NKEY SEED-----",
      seed,
      "------END USER NKEY SEED------",
      "",
    ].join("\n");
  }
}

function sign(
  issuer: ReturnType<typeof nkeys.createUser>,
  sub: string,
  nats: object,
  more: object = {},
): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { jti: sub, iat, iss: issuer.getPublicKey(), name: sub, sub, nats, ...more };
  const text = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(claims)}`;
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString("base64url")}`;
}
