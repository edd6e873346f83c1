/** A whole quiz between services that speak mTLS, whose certificates are replaced while it is played. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import {
  Authority,
  type CertificateFiles,
  MountedSecret,
} from "@fanfare/common/servers/certificates";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findGrpcurl } from "./grpcurl.js";
import { expectLedgersAgree } from "./ledgers.js";
import {
  Book,
  closeRound,
  joinPlayers,
  nextRound,
  openSession,
  type Stage,
  startStage,
  until,
} from "./stage.js";

const run = promisify(execFile);
/** The processes call each other by address here. */
const NAMES = ["IP:127.0.0.1", "DNS:localhost"];

let folder: string;
let authority: Authority;
let secret: MountedSecret;
let stage: Stage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-mutual-tls-"));
  authority = await Authority.create(join(folder, "authority"));
  secret = await MountedSecret.create(join(folder, "mounted"), await authority.issue(NAMES));
  const all = {
    GRPC_CA_FILE: secret.caFile,
    GRPC_CERT_FILE: secret.certFile,
    GRPC_KEY_FILE: secret.keyFile,
  };
  stage = await startStage({ gateways: 2, quiz: 2, env: { all } });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What grpcurl lists with a certificate; its error without. */
async function list(files?: CertificateFiles): Promise<string> {
  const grpcurl = join((await findGrpcurl()) ?? "", "grpcurl");
  const [address = ""] = stage.stack.quizUrls;
  const own = files ? ["-cert", files.certFile, "-key", files.keyFile] : [];
  const args = ["-max-time", "5", "-cacert", secret.caFile, ...own, address, "list"];
  return run(grpcurl, args).then(
    ({ stdout }) => stdout,
    ({ stderr }) => `refused: ${stderr}`,
  );
}

/** Fingerprint of the certificate that a process shows. */
function shownBy(address = ""): Promise<string> {
  const [host = "", port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("40 players play three rounds over certificates that change; all ledgers agree", async () => {
  const sessionId = "secret";
  expect((await stage.bank.listQuizzes({})).quizzes).toEqual([]);
  await openSession(stage, sessionId, 3);
  const players = await joinPlayers(stage, sessionId, 40);
  const book = new Book();
  await stage.quiz.startSession({ sessionId });
  for (let round = 1; round <= 3; round++) {
    const before = await shownBy(stage.stack.quizUrls[0]);
    await secret.replace(await authority.issue(NAMES));
    await until(async () => (await shownBy(stage.stack.quizUrls[0])) !== before);
    // Its successor is called over new connections, with what the callers have by now.
    if (round === 2) await stage.stack.process("quiz-1").restart();
    const verdicts = await Promise.all(
      players.map((player, i) => book.play(player, round, (i + round) % 2 === 0)),
    );
    expect(verdicts.map(({ kind }) => kind)).toEqual(players.map(() => "accepted"));
    await closeRound(stage, sessionId, round);
    await Promise.all(
      players.map((player) => player.until("ownResult", (own) => own.round === round, 5_000)),
    );
    if (round < 3) await nextRound(stage, sessionId, round);
  }
  await expectLedgersAgree(stage, sessionId, book);
  for (const player of players) player.close();
});

test("grpcurl gets in with a certificate of the authority, and not without", async ({ skip }) => {
  if (!(await findGrpcurl())) skip("no grpcurl here, and no Go to build it");
  expect(await list(secret)).toContain("quiz.v1.QuizService");
  expect(await list()).toMatch(/^refused/);
});
