/** mTLS between the services on real sockets: who gets in, and certificates that change under calls. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type DetailedPeerCertificate } from "node:tls";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Health, HealthCheckResponse_ServingStatus } from "@fanfare/proto/grpc/health/v1/health";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../src/config.js";
import { createClient } from "../src/grpc-client.js";
import type { Lifecycle } from "../src/lifecycle.js";
import { pause } from "../src/lifecycle.js";
import { Metrics } from "../src/metrics.js";
import { MutualTls } from "../src/mutual-tls.js";
import { Authority, type CertificateFiles, MountedSecret } from "../src/servers/certificates.js";
import { ServicePool } from "../src/service-pool.js";
import { eventually, type LogLine, newLifecycle } from "./parts.js";
import { refusalOf, type Served, serveQuiz, tokens } from "./served-quiz.js";

const NAME = "fanfare-quiz.play.svc";

let folder: string;
let authority: Authority;
let another: Authority;
let server: CertificateFiles;
let client: CertificateFiles;
const opened: AsyncDisposable[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-tls-"));
  [authority, another] = await Promise.all([
    Authority.create(join(folder, "one")),
    Authority.create(join(folder, "another")),
  ]);
  server = await authority.issue([`DNS:${NAME}`, "DNS:localhost"]);
  client = await authority.issue(["DNS:fanfare-gateway"]);
});

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function serve(files: CertificateFiles = server, options: { lifecycle?: Lifecycle } = {}) {
  const tls = options.lifecycle ? MutualTls.watch(files, options.lifecycle) : MutualTls.load(files);
  const served = await serveQuiz(
    { resolvePin: async () => ({ sessionId: "quiz_1" }) },
    {},
    { tls },
  );
  opened.push(served);
  return served;
}

function watched(): { lifecycle: Lifecycle; lines: LogLine[] } {
  const made = newLifecycle();
  opened.push({ [Symbol.asyncDispose]: () => made.lifecycle.close() });
  return made;
}

function security(files: CertificateFiles, serverName = NAME) {
  const tls = MutualTls.load(files);
  if (!tls) throw new Error("no files");
  return { tls, serverName };
}

const ask = (served: Served, files: CertificateFiles, serverName?: string) =>
  served.as("service", security(files, serverName)).resolvePin({});

describe("a server", () => {
  test("lets in who shows a certificate of its authority", async () => {
    expect(await ask(await serve(), client)).toMatchObject({ sessionId: "quiz_1" });
  });

  test("serves health and reflection behind the same door", async () => {
    const served = await serve();
    const health = createClient(Health, served.address, () => "", security(client));
    const { status } = await health.check({});
    health.close();
    expect(status).toBe(HealthCheckResponse_ServingStatus.SERVING);
  });

  test("refuses a certificate of another authority", async () => {
    const stranger = await another.issue(["DNS:fanfare-gateway"]);
    const files = { ...stranger, caFile: authority.caFile };
    expect((await refusalOf(ask(await serve(), files))).reason).toBe(ErrorReason.UNAVAILABLE);
  });

  test("refuses a certificate that has expired", async () => {
    const expired = await authority.issue(["DNS:fanfare-gateway"], { days: -1 });
    expect((await refusalOf(ask(await serve(), expired))).reason).toBe(ErrorReason.UNAVAILABLE);
  });

  test("refuses who shows none, and who speaks plain text", async () => {
    const served = await serve();
    expect(await answerWithoutCertificate(served)).toMatch(/certificate required/);
    expect((await refusalOf(served.as("service").resolvePin({}))).reason).toBe(
      ErrorReason.UNAVAILABLE,
    );
    expect(served.calls).toEqual([]);
  });
});

describe("a client", () => {
  test.each([
    ["has another name", () => authority.issue(["DNS:fanfare-leaderboard"]), /altnames/],
    ["has expired", () => authority.issue([`DNS:${NAME}`], { days: -1 }), /expired/],
    ["is of another authority", () => another.issue([`DNS:${NAME}`]), /unable to verify/],
  ])("refuses a server whose certificate %s", async (_what, issue, why) => {
    const bad = { ...(await issue()), caFile: authority.caFile };
    const served = await serve(bad);
    const { reason, cause } = await refusalOf(ask(served, client));
    expect({ reason, why: String(cause) }).toEqual({
      reason: ErrorReason.UNAVAILABLE,
      why: expect.stringMatching(why),
    });
    expect(served.calls).toEqual([]);
  });

  test("of a pool asks for the name that was looked up, not for the pod's address", async () => {
    const served = await serve();
    const { lifecycle } = watched();
    const url = served.address.replace("127.0.0.1", "localhost");
    const token = () => tokens.issue({ role: "service", subject: "gateway-0" }, 60);
    const options = { token, tls: MutualTls.load(client) };
    const pool = await ServicePool.connect(QuizService, url, options, lifecycle);
    expect(await pool.request("key", (each) => each.resolvePin({}))).toMatchObject({
      sessionId: "quiz_1",
    });
    const wrong = await serve(await authority.issue(["IP:127.0.0.1"]));
    const other = await ServicePool.connect(
      QuizService,
      wrong.address.replace("127.0.0.1", "localhost"),
      options,
      lifecycle,
    );
    const refused = refusalOf(other.request("key", (each) => each.resolvePin({})));
    expect((await refused).reason).toBe(ErrorReason.UNAVAILABLE);
  });
});

describe("files that are no good stop a start", () => {
  test.each([
    [
      "a file is missing",
      () => ({ ...server, caFile: join(folder, "nothing") }),
      /nothing.*ENOENT/,
    ],
    ["the key is another's", () => ({ ...server, keyFile: client.keyFile }), /not its key/],
    ["a certificate is none", () => ({ ...server, certFile: server.keyFile }), /not a certificate/],
    ["an authority is none", () => ({ ...server, caFile: server.keyFile }), /not a certificate/],
  ])("where %s", (_what, files, message) => {
    expect(() => MutualTls.load(files())).toThrow(ConfigError);
    expect(() => MutualTls.load(files())).toThrow(message);
  });
});

describe("certificates that change", () => {
  test("are shown by both sides within seconds, and no call fails", async () => {
    const secret = await MountedSecret.create(join(folder, "rotated"), server);
    const { lifecycle, lines } = watched();
    const served = await serve(secret, { lifecycle });
    const tls = MutualTls.watch(secret, lifecycle);
    if (!tls) throw new Error("no files");
    const standing = served.as("service", { tls, serverName: NAME });
    let [calls, going] = [0, true];
    const calling = (async () => {
      for (; going; calls++) await standing.resolvePin({});
    })();
    const callingAnew = (async () => {
      while (going) {
        const fresh = served.as("service", { tls, serverName: NAME });
        await fresh.resolvePin({});
        (fresh as unknown as { close(): void }).close();
        await pause(20);
      }
    })();
    const before = await certificateOf(served);
    await secret.replace(await authority.issue([`DNS:${NAME}`]));
    await eventually(
      "new connections are shown the new certificate",
      async () => (await certificateOf(served)).fingerprint256 !== before.fingerprint256,
    );
    await eventually("both have taken it", () => lines.length === 2);
    const callsThen = calls;
    await eventually("calls go on", () => calls > callsThen + 20);
    going = false;
    await Promise.all([calling, callingAnew]);
    expect(lines.map(({ msg }) => msg)).toEqual(
      Array(2).fill("new certificates are used from now on"),
    );
  });

  test("are in the metrics with their end, the newest at once", async () => {
    const secret = await MountedSecret.create(join(folder, "measured"), server);
    const { lifecycle } = watched();
    const metrics = new Metrics("quiz");
    const tls = MutualTls.watch(secret, lifecycle, metrics);
    if (!tls) throw new Error("no files");
    const end = async () => {
      const { text } = await metrics.page();
      return Number(/^quiz_tls_certificate_expiry_timestamp_seconds\{.*\} (\S+)$/m.exec(text)?.[1]);
    };
    const daysLeft = async () => Math.round((await end()) - Date.now() / 1_000) / 86_400;
    expect(await daysLeft()).toBeLessThanOrEqual(30);
    await secret.replace(await authority.issue([`DNS:${NAME}`], { days: 90 }));
    await eventually("the end is the new one's", async () => (await daysLeft()) > 89);
    expect(await daysLeft()).toBeLessThanOrEqual(90);
  });

  test("to an authority that no longer trusts a client keep it out of new connections", async () => {
    const secret = await MountedSecret.create(join(folder, "distrust"), server);
    const { lifecycle } = watched();
    const served = await serve(secret, { lifecycle });
    const standing = served.as("service", security(client));
    await standing.resolvePin({});
    await secret.replace({ ...server, caFile: another.caFile });
    await eventually("a new connection is refused", async () =>
      ask(served, client).then(
        () => false,
        () => true,
      ),
    );
    // The connection that stands was let in by the old rule, until its age ends it.
    expect(await standing.resolvePin({})).toMatchObject({ sessionId: "quiz_1" });
  });

  test("to what can't be used are passed over, and it is said once", async () => {
    const secret = await MountedSecret.create(join(folder, "broken"), server);
    const { lifecycle, lines } = watched();
    const served = await serve(secret, { lifecycle });
    await secret.replace({ ...server, keyFile: client.keyFile });
    await eventually("it is said", () => lines.length === 1);
    expect(await ask(served, client)).toMatchObject({ sessionId: "quiz_1" });
    await rm(secret.keyFile);
    await eventually("that is another fault", () => lines.length === 2);
    expect(await ask(served, client)).toMatchObject({ sessionId: "quiz_1" });
    expect(lines.map(({ level }) => level)).toEqual([40, 40]);
  });
});

/** What a server says to a client that trusts it and shows no certificate. */
function answerWithoutCertificate(served: Served): Promise<string> {
  return new Promise((resolve, reject) => {
    const [host, port] = served.address.split(":");
    const socket = connectTls({
      host,
      port: Number(port),
      servername: NAME,
      ALPNProtocols: ["h2"],
      rejectUnauthorized: false,
    });
    // TLS 1.3 greets first and looks at the client's certificate then.
    socket.on("data", () => reject(new Error("it was let in")));
    socket.on("error", ({ message }) => resolve(message));
  });
}

/** The certificate that a new connection is shown. */
function certificateOf(served: Served): Promise<DetailedPeerCertificate> {
  return new Promise((resolve, reject) => {
    const [host, port] = served.address.split(":");
    const socket = connectTls(
      { host, port: Number(port), servername: NAME, rejectUnauthorized: false },
      () => {
        resolve(socket.getPeerCertificate(true));
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}
