/** PostgreSQL with a password, TLS and client certificates, as sslmode and the files say. */
import { chmod, chown, copyFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ConfigError, postgresSettings, readEnv } from "../src/config.js";
import { connectPostgres, postgresAccess } from "../src/postgres.js";
import { Authority, type CertificateFiles, MountedSecret } from "../src/servers/certificates.js";
import { startPostgres } from "../src/servers/postgres.js";
import type { Server } from "../src/servers/server.js";
import { eventually, newLifecycle } from "./parts.js";

const USER = "player_one";
const PASSWORD = "p@ss/word:1";

let folder: string;
let server: Server;
let data: string;
let authority: Authority;
let another: Authority;
let admin: postgres.Sql;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-postgres-tls-"));
  [authority, another, server] = await Promise.all([
    Authority.create(join(folder, "one")),
    Authority.create(join(folder, "another")),
    startPostgres({ fsync: false }),
  ]);
  admin = postgres(server.url, { max: 1, onnotice: () => {} });
  const [row] = await admin`SHOW data_directory`;
  data = row?.data_directory as string;
  await admin.unsafe(`CREATE ROLE ${USER} LOGIN PASSWORD '${PASSWORD}'`);
  await copyCertificate(await authority.issue(["DNS:localhost"]));
  await admin.unsafe("ALTER SYSTEM SET ssl = on");
  await admin.unsafe("ALTER SYSTEM SET ssl_ca_file = 'ca.crt'");
});

beforeEach(async () => {
  await install(await authority.issue(["DNS:localhost"]));
  await rule("hostssl", "scram-sha-256");
});

afterAll(async () => {
  await admin?.end();
  await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Gives the server another certificate. */
async function install(files: CertificateFiles): Promise<void> {
  await copyCertificate(files);
  await reload();
}

async function copyCertificate(files: CertificateFiles): Promise<void> {
  const { uid, gid } = await stat(data);
  const places = {
    "server.crt": files.certFile,
    "server.key": files.keyFile,
    "ca.crt": files.caFile,
  };
  for (const [name, file] of Object.entries(places)) {
    const path = join(data, name);
    await copyFile(file, path);
    await chown(path, uid, gid);
    await chmod(path, 0o600);
  }
}

/** How the user may come in. */
async function rule(type: "host" | "hostssl", method: string): Promise<void> {
  const path = join(data, "pg_hba.conf");
  const others = (await readFile(path, "utf8")).split("\n").filter((line) => !line.includes(USER));
  await writeFile(path, [`${type} all ${USER} 127.0.0.1/32 ${method}`, ...others].join("\n"));
  await reload();
}

/** Has the server read its files again, and waits until new connections are met by them. */
async function reload(): Promise<void> {
  const before = await loadedAt();
  await admin`SELECT pg_reload_conf()`;
  await eventually("the files are read", async () => (await loadedAt()) > before);
}

async function loadedAt(): Promise<number> {
  const sql = postgres(server.url, { max: 1 });
  const [row] = await sql`SELECT extract(epoch FROM pg_conf_load_time())::float8 AS at`;
  await sql.end();
  return row?.at as number;
}

function address(query = ""): string {
  return `postgres://${USER}@localhost:${server.port}/fanfare${query}`;
}

/** Whether the session uses TLS, and whose certificate it has shown. */
async function ask(env: Record<string, string>) {
  const { lifecycle } = newLifecycle();
  const access = postgresAccess(readEnv({ POSTGRES_PASSWORD: PASSWORD, ...env }, postgresSettings));
  try {
    const sql = connectPostgres({ ...access, name: "test", connectionsMax: 1 }, lifecycle);
    const [row] = await sql`
      SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
    return { ssl: row?.ssl, client: row?.client_dn };
  } finally {
    await lifecycle.close();
  }
}

test("the password of the variable wins over the URL's", async () => {
  const url = address("?sslmode=require").replace(`${USER}@`, `${USER}:wrong@`);
  expect(await ask({ POSTGRES_URL: url })).toMatchObject({ ssl: true });
  const wrong = ask({ POSTGRES_URL: address("?sslmode=require"), POSTGRES_PASSWORD: "wrong" });
  await expect(wrong).rejects.toThrow(/password/);
});

describe("sslmode", () => {
  test("disable speaks plain text, as no sslmode does", async () => {
    await rule("host", "scram-sha-256");
    for (const query of ["", "?sslmode=disable"])
      expect(await ask({ POSTGRES_URL: address(query) })).toMatchObject({ ssl: false });
  });

  test("prefer and require take any certificate", async () => {
    await install(await another.issue(["DNS:elsewhere"]));
    for (const query of ["?sslmode=prefer", "?sslmode=require"])
      expect(await ask({ POSTGRES_URL: address(query) })).toMatchObject({ ssl: true });
  });

  test("verify-full trusts the authority of the file, and it follows from the file", async () => {
    for (const query of ["", "?sslmode=verify-full"]) {
      const env = { POSTGRES_URL: address(query), POSTGRES_CA_FILE: authority.caFile };
      expect(await ask(env)).toMatchObject({ ssl: true });
    }
  });

  test("verify-full refuses a certificate of another authority", async () => {
    for (const POSTGRES_CA_FILE of ["", another.caFile]) {
      const env = { POSTGRES_URL: address("?sslmode=verify-full"), POSTGRES_CA_FILE };
      await expect(ask(env)).rejects.toThrow(/certificate|issuer/);
    }
  });

  test("verify-full refuses a certificate of another name, also where the host is an address", async () => {
    const env = {
      POSTGRES_URL: address("?sslmode=verify-full"),
      POSTGRES_CA_FILE: authority.caFile,
    };
    const byAddress = { ...env, POSTGRES_URL: env.POSTGRES_URL.replace("localhost", "127.0.0.1") };
    expect(await ask(env)).toMatchObject({ ssl: true });
    await expect(ask(byAddress)).rejects.toThrow(/altnames/);
    await install(await authority.issue(["IP:127.0.0.1"]));
    expect(await ask(byAddress)).toMatchObject({ ssl: true });
    await expect(ask(env)).rejects.toThrow(/altnames/);
  });

  test.each([
    ["?sslmode=verify-ca", {}, "sslmode must be one of disable, prefer, require, verify-full"],
    ["?sslmode=require", { POSTGRES_CA_FILE: "ca" }, "POSTGRES_CA_FILE: is only asked with"],
    ["?sslmode=disable", { POSTGRES_CERT_FILE: "c", POSTGRES_KEY_FILE: "k" }, "POSTGRES_CERT_FILE"],
    ["", { POSTGRES_CA_FILE: "/nowhere/ca.crt" }, "/nowhere/ca.crt"],
  ])("%j with %j is refused at the start", async (query, files, message) => {
    const refused = ask({ POSTGRES_URL: address(query), ...files });
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(message);
  });

  test("verify-full with several hosts needs their names", async () => {
    const POSTGRES_URL = "postgres://10.0.0.1:5432,10.0.0.2:5432/fanfare?sslmode=verify-full";
    await expect(ask({ POSTGRES_URL })).rejects.toThrow("needs names");
  });
});

describe("a client certificate", () => {
  test("lets in whose name it carries, and is read again when it changes", async () => {
    await rule("hostssl", "cert");
    const secret = await MountedSecret.create(
      join(folder, "mounted"),
      await authority.issue(["DNS:fanfare-quiz"], { user: "somebody" }),
    );
    const env = {
      POSTGRES_URL: address(),
      POSTGRES_CA_FILE: secret.caFile,
      POSTGRES_CERT_FILE: secret.certFile,
      POSTGRES_KEY_FILE: secret.keyFile,
    };
    const { lifecycle } = newLifecycle();
    const access = postgresAccess(readEnv(env, postgresSettings));
    const sql = connectPostgres({ ...access, name: "test", connectionsMax: 1 }, lifecycle);
    await expect(sql`SELECT 1`).rejects.toThrow(/certificate authentication failed/);
    await secret.replace(await authority.issue(["DNS:fanfare-quiz"], { user: USER }));
    await eventually("the same pool gets in", async () =>
      sql`SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()`.then(
        ([row]) => row?.client_dn === `/CN=${USER}`,
        () => false,
      ),
    );
    await lifecycle.close();
  });
});
