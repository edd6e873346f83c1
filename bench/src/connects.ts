/** (c) A storm of connects: join, token and first frames, beside a bare server's connect. */
import { openDoor } from "@fanfare/cli/door";
import { startStack } from "@fanfare/cli/stack/start-stack";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { startBare } from "./bare.js";
import { cpuSeconds, residentBytes } from "./cpu.js";
import { Crowd, ONE_ADDRESS } from "./crowd.js";
import { percentile, table } from "./numbers.js";

export async function benchConnects(
  count: number,
  perSecond: number,
): Promise<{ failures: number }> {
  await using stack = await startStack({ env: ONE_ADDRESS });
  const quiz = openDoor(QuizService, stack.gatewayUrls, stack.adminToken);
  const questions = [{ type: QuestionType.TRUE_FALSE, question: "Is it?", answer: ["true"] }];
  await quiz.createSession({
    sessionId: "storm",
    source: { case: "quiz", value: { title: "Storm", questions } },
  });
  await using bare = await startBare(stack.natsUrl);
  const ourPid = stack.process("gateway-1").pid ?? 0;
  const hello =
    '{"hello":{"protocolVersion":1,"join":{"sessionId":"storm","nickname":"p%i","submissionId":"j%i"}}}';
  const port = Number(new URL(stack.gatewayUrls[0] ?? "").port);
  const run = async (
    name: string,
    pid: number,
    order: { port: number; path: string; hello?: string; until: string },
  ) => {
    await using crowd = new Crowd();
    const [cpuBefore, memoryBefore] = [cpuSeconds(pid), residentBytes(pid)];
    const report = await crowd.order({ do: "connect", count, perSecond, ...order });
    const cpu = cpuSeconds(pid) - cpuBefore;
    const kib = (residentBytes(pid) - memoryBefore) / count / 1_024;
    const { latencies, failures } = report;
    return {
      failures,
      row: [
        name,
        latencies.length,
        failures,
        percentile(latencies, 0.5),
        percentile(latencies, 0.99),
        (cpu * 1_000) / (count / 1_000),
        kib,
      ],
    };
  };
  const first = await run("bare, first frame", bare.pid, {
    port: bare.port,
    path: "/",
    until: "[",
  });
  const ours = await run("ours, joined", ourPid, {
    port,
    path: "/v1/socket",
    hello,
    until: '"joined"',
  });
  console.log(`\n(c) ${count} connects at ${perSecond} per second`);
  console.log(
    table(
      ["", "in", "failed", "p50 ms", "p99 ms", "server CPU ms per 1,000", "KiB/socket"],
      [first.row, ours.row],
    ),
  );
  return { failures: ours.failures };
}
