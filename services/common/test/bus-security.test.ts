/** The bus on servers that ask for a password, credentials or certificates; and their rotation. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectBus } from "../src/bus.js";
import { type NatsAccess, natsAccess } from "../src/bus-connection.js";
import { ConfigError, natsSettings, readEnv } from "../src/config.js";
import { Authority, type CertificateFiles, MountedSecret } from "../src/servers/certificates.js";
import type { Server } from "../src/servers/server.js";
import { eventually, newLifecycle } from "./parts.js";
import { Operator, startSecuredNats } from "./secured-nats.js";

let folder: string;
let authority: Authority;
let certificate: CertificateFiles;
const opened: AsyncDisposable[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-nats-tls-"));
  authority = await Authority.create(join(folder, "one"));
  certificate = await authority.issue(["DNS:localhost"]);
});

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function start(lines: () => string): Promise<Server> {
  const server = await startSecuredNats(lines);
  opened.push(server);
  return server;
}

/** A bus whose settings come from variables, as in a pod. */
function connect(env: Record<string, string>) {
  return connectTo(natsAccess(readEnv(env, natsSettings)));
}

async function connectTo(access: NatsAccess) {
  const { lifecycle, lines } = newLifecycle();
  opened.push({ [Symbol.asyncDispose]: () => lifecycle.close() });
  const bus = await connectBus({ ...access, name: "test", replicas: 1 }, lifecycle);
  return { bus, lines };
}

const streamsOf = async ({ bus }: Awaited<ReturnType<typeof connectTo>>) => {
  const names: string[] = [];
  for await (const { config } of bus.jsm.streams.list()) names.push(config.name);
  return names;
};

describe("a server with a password", () => {
  const lines = () => `authorization { user: fanfare, password: "a pass:word" }`;

  test("lets in who has it", async () => {
    const { url } = await start(lines);
    const env = { NATS_URL: url, NATS_USER: "fanfare", NATS_PASSWORD: "a pass:word" };
    expect(await streamsOf(await connect(env))).toContain("QUIZ");
  });

  test("ends the start of who has another: no waiting heals that", async () => {
    const { url } = await start(lines);
    const env = { NATS_URL: url, NATS_USER: "fanfare", NATS_PASSWORD: "guessed" };
    await expect(connect(env)).rejects.toThrow(/authorization/i);
  });
});

describe("a server with an operator", () => {
  test("lets in who has credentials; those of the file are taken when they change", async () => {
    const operator = new Operator();
    const configuration = operator.configuration();
    const { url } = await start(() => configuration);
    const file = join(folder, "user.creds");
    await writeFile(file, operator.credentials(2));
    const connected = await connect({ NATS_URL: url, NATS_CREDS_FILE: file });
    expect(await streamsOf(connected)).toContain("QUIZ");
    let reconnects = 0;
    connected.bus.onReconnect(() => reconnects++);
    // A file that is being written is none; then comes what is good for longer.
    await writeFile(file, "-----BEGIN");
    await eventually("the user is put out", () => !connected.bus.connected());
    await writeFile(file, operator.credentials());
    await eventually("it is back", () => connected.bus.connected() && reconnects > 0);
    expect(await streamsOf(connected)).toContain("QUIZ");
  });

  test.each([
    ["is missing", () => Promise.resolve(), /ENOENT/],
    ["is something else", (file: string) => writeFile(file, "secret"), /not a .creds file/],
  ])("can't be reached where the file %s: the start ends", async (_what, prepare, message) => {
    const file = join(folder, "bad.creds");
    await prepare(file);
    const env = { NATS_URL: "nats://localhost:9", NATS_CREDS_FILE: file };
    const refused = connect(env);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(message);
  });
});

describe("a server with TLS", () => {
  const tls = (files: CertificateFiles, verify: boolean) =>
    `tls { cert_file: "${files.certFile}", key_file: "${files.keyFile}",
      ca_file: "${files.caFile}", verify: ${verify} }`;

  test("is trusted by its authority, and asks for our certificate", async () => {
    const { url } = await start(() => tls(certificate, true));
    const { caFile, certFile, keyFile } = await authority.issue(["DNS:fanfare-quiz"]);
    const env = {
      NATS_URL: url.replace("nats:", "tls:"),
      NATS_CA_FILE: caFile,
      NATS_CERT_FILE: certFile,
      NATS_KEY_FILE: keyFile,
    };
    expect(await streamsOf(await connect(env))).toContain("QUIZ");
  });

  test("of another authority is not trusted; it is waited for, and said why", async () => {
    const { url } = await start(() => tls(certificate, false));
    const { lifecycle, lines } = newLifecycle();
    const other = await Authority.create(join(folder, "another"));
    const access = { url, tls: { caFile: other.caFile }, name: "test", replicas: 1 };
    const waiting = connectBus(access, lifecycle).catch((error) => error);
    await eventually("it is said", () => lines.length > 0);
    expect(JSON.stringify(lines[0])).toMatch(/certificate|issuer/);
    await lifecycle.close();
    expect(await waiting).toBeInstanceOf(Error);
  });

  test("is asked for by tls:// alone: a server without is refused", async () => {
    const { url } = await start(() => "");
    const { lifecycle, lines } = newLifecycle();
    const access = natsAccess(readEnv({ NATS_URL: url.replace("nats:", "tls:") }, natsSettings));
    const waiting = connectBus({ ...access, name: "test", replicas: 1 }, lifecycle).catch(
      (error) => error,
    );
    await eventually("it is said", () => lines.length > 0);
    expect(JSON.stringify(lines[0])).toContain("tls");
    await lifecycle.close();
    expect(await waiting).toBeInstanceOf(Error);
  });

  test("that comes back with another authority is trusted once our files say so", async () => {
    const secret = await MountedSecret.create(join(folder, "mounted"), certificate);
    let served = certificate;
    const server = await start(() => tls(served, true));
    const { caFile, certFile, keyFile } = secret;
    const connected = await connectTo({ url: server.url, tls: { caFile, certFile, keyFile } });
    const next = await Authority.create(join(folder, "next"));
    served = await next.issue(["DNS:localhost"]);
    await server.restart();
    await secret.replace(served);
    await eventually("it is back", async () =>
      connected.bus.nc.rtt().then(
        () => connected.bus.connected(),
        () => false,
      ),
    );
    expect(await streamsOf(connected)).toContain("QUIZ");
  });
});

test.each([
  ["tls://127.0.0.1:4222", "127.0.0.1"],
  ["nats://nats:4222, tls://user:pass@10.0.0.7", "10.0.0.7"],
  ["tls://[fd00::1]:4222", "[fd00::1]"],
])("TLS to %s is refused: a certificate is made for a name", async (url, address) => {
  const refused = connectTo({ url });
  await expect(refused).rejects.toThrow(ConfigError);
  await expect(refused).rejects.toThrow(`NATS_URL: TLS needs a name in the place of ${address}`);
});

test("two ways to log in are one too many", () => {
  const env = { NATS_USER: "a", NATS_PASSWORD: "b", NATS_CREDS_FILE: "/c" };
  expect(() => natsAccess(readEnv(env, natsSettings))).toThrow("NATS_CREDS_FILE");
});
