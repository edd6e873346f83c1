/** Server reflection in both versions, asked by a raw client and, where it is here, by grpcurl. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { create, fromBinary, toJsonString } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import * as v1 from "@fanfare/proto/grpc/reflection/v1/reflection";
import * as v1alpha from "@fanfare/proto/grpc/reflection/v1alpha/reflection";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServiceError } from "../src/errors.js";
import { serviceDefinition } from "../src/service-definition.js";
import { type Served, serveQuiz, tokens } from "./served-quiz.js";

type Asked = v1.ServerReflectionRequest["messageRequest"];
type Answer = v1.ServerReflectionResponse;

const SERVICES = ["grpc.health.v1.Health", "quiz.v1.QuizService"];

let served: Served;

beforeAll(async () => {
  served = await serveQuiz({
    getSession: async ({ sessionId }) => ({ session: { sessionId, round: 3 } }),
    resolvePin: () =>
      Promise.reject(
        new ServiceError(ErrorReason.SLOW_DOWN, "too many PINs", {
          metadata: { limit: "PINS_PER_MINUTE_PER_IP" },
          retryAfterMs: 1_500,
        }),
      ),
    watchSession: async function* () {
      yield { revision: 1n };
      yield { revision: 2n };
    },
  });
});

afterAll(() => served?.[Symbol.asyncDispose]());

/** Asks all in one stream; the answers come in order. */
async function ask(version: typeof v1 | typeof v1alpha, ...asked: Asked[]): Promise<Answer[]> {
  const wire = serviceDefinition(version.ServerReflection).serverReflectionInfo;
  if (!wire) throw new Error("no reflection in the contract");
  const client = new Client(served.address, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = wire;
  const call = client.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    new Metadata(),
  );
  const schema = version.ServerReflectionRequestSchema as typeof v1.ServerReflectionRequestSchema;
  for (const messageRequest of asked) call.write(create(schema, { host: "here", messageRequest }));
  call.end();
  const answers: Answer[] = [];
  for await (const answer of call) answers.push(answer as Answer);
  client.close();
  return answers;
}

function filesOf(answer: Answer | undefined): FileDescriptorProto[] {
  if (answer?.messageResponse.case !== "fileDescriptorResponse")
    throw new Error(`not a file: ${answer?.messageResponse.case}`);
  return answer.messageResponse.value.fileDescriptorProto.map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  );
}

describe.each([
  ["v1", v1],
  ["v1alpha", v1alpha],
] as const)("reflection %s", (_name, version) => {
  test("lists the services", async () => {
    const [answer] = await ask(version, { case: "listServices", value: "" });
    const { messageResponse } = answer ?? {};
    if (messageResponse?.case !== "listServicesResponse") throw new Error("no list");
    expect(messageResponse.value.service.map(({ name }) => name).sort()).toEqual(SERVICES);
  });

  test.each([
    ["a service", "quiz.v1.QuizService", "quiz/v1/quiz_service.proto"],
    ["a method", "quiz.v1.QuizService.WatchSession", "quiz/v1/quiz_service.proto"],
    ["a message", "quiz.v1.Session", "quiz/v1/session.proto"],
    ["an enum", "quiz.v1.Phase", "quiz/v1/session.proto"],
    ["a well-known type", "google.protobuf.Timestamp", "google/protobuf/timestamp.proto"],
    ["health", "grpc.health.v1.Health", "grpc/health/v1/health.proto"],
    [
      "an enum inside a message",
      "grpc.health.v1.HealthCheckResponse.ServingStatus",
      "grpc/health/v1/health.proto",
    ],
    ["the detail of errors", "common.v1.ErrorDetail", "common/v1/error_reason.proto"],
  ])("finds the file of %s, with all that it needs", async (_what, symbol, name) => {
    const [answer] = await ask(version, { case: "fileContainingSymbol", value: symbol });
    const files = filesOf(answer);
    expect(files[0]?.name).toBe(name);
    const names = files.map((file) => file.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { dependency } of files)
      for (const each of dependency) expect(names).toContain(each);
    const declared = toJsonString(FileDescriptorProtoSchema, files[0] as FileDescriptorProto);
    expect(declared).toContain(`"name":"${symbol.split(".").at(-1)}"`);
  });

  test("finds a file by its name", async () => {
    const [answer] = await ask(version, {
      case: "fileByFilename",
      value: "google/protobuf/duration.proto",
    });
    expect(filesOf(answer).map(({ name }) => name)).toEqual(["google/protobuf/duration.proto"]);
  });

  test.each([
    { case: "fileContainingSymbol", value: "quiz.v1.Nothing" },
    { case: "fileByFilename", value: "nothing.proto" },
    { case: "fileByFilename", value: "../../etc/passwd" },
    { case: "allExtensionNumbersOfType", value: "quiz.v1.Session" },
  ] as const)("does not find $case $value, and answers the next question", async (asked) => {
    const [first, second] = await ask(version, asked, { case: "listServices", value: "" });
    expect(first?.messageResponse).toMatchObject({
      case: "errorResponse",
      value: { errorCode: status.NOT_FOUND },
    });
    expect(first).toMatchObject({ validHost: "here", originalRequest: { messageRequest: asked } });
    expect(second?.messageResponse.case).toBe("listServicesResponse");
  });
});

const GRPCURL = [join(homedir(), ".cache", "fanfare", "bin", "grpcurl")].find(existsSync);

describe.runIf(GRPCURL)("grpcurl", () => {
  const run = async (...args: string[]) => {
    const header = `authorization: Bearer ${tokens.issue({ role: "admin", subject: "a" }, 60)}`;
    const flags = ["-plaintext", "-H", header];
    return promisify(execFile)(GRPCURL ?? "", [...flags, ...args]);
  };

  test("lists and describes", async () => {
    expect((await run(served.address, "list")).stdout.trim().split("\n")).toEqual(SERVICES);
    const { stdout } = await run(served.address, "describe", "quiz.v1.Session");
    expect(stdout).toContain(".google.protobuf.Timestamp");
  });

  test("calls, and reads a stream", async () => {
    const asked = JSON.stringify({ sessionId: "quiz_1" });
    const { stdout } = await run("-d", asked, served.address, "quiz.v1.QuizService/GetSession");
    expect(JSON.parse(stdout)).toMatchObject({ session: { sessionId: "quiz_1", round: 3 } });
    const stream = await run(served.address, "quiz.v1.QuizService/WatchSession");
    expect(stream.stdout).toMatch(/"revision": "1"[\s\S]*"revision": "2"/);
  });

  test("shows why it was refused", async () => {
    const refused = run("-format-error", served.address, "quiz.v1.QuizService/ResolvePin");
    const { stderr } = (await refused.catch((error: unknown) => error)) as { stderr: string };
    expect(JSON.parse(stderr)).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: [
        {
          reason: "ERROR_REASON_SLOW_DOWN",
          retryable: true,
          retryAfter: "1.500s",
          metadata: { limit: "PINS_PER_MINUTE_PER_IP" },
        },
      ],
    });
  });
});
