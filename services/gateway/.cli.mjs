import { spawn } from "node:child_process";
import { ServicePool } from "@fanfare/common/service-pool"; import { Tokens, ServiceToken } from "@fanfare/common/tokens"; import { Lifecycle } from "@fanfare/common/lifecycle"; import { createLogger } from "@fanfare/common/log";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { setTimeout as delay } from "node:timers/promises";
const srv = spawn(process.execPath, [".srv.mjs"], { stdio: ["ignore", "pipe", "inherit"] });
const port = await new Promise(r => srv.stdout.once("data", d => r(Number(d))));
const st = new ServiceToken(new Tokens(["x".repeat(40)]), "pod");
const pool = await ServicePool.connect(QuizService, `127.0.0.1:${port}`, () => st.get(), new Lifecycle(createLogger("x", "silent")));
const answers = Array.from({ length: 25 }, (_, i) => ({ playerId: "player-abcdef" + i, submissionId: `a1b2c3d4-${i}`, choices: ["A"], elapsedMs: 1000 + i }));
for (const gap of [0, 0, 0, 2, 8, 8, 20]) {
  const N = gap ? 150 : 1000; const c = process.cpuUsage();
  for (let i = 0; i < N; i++) { const p = pool.request("s1:0", c => c.submitAnswers({ sessionId: "s1", round: 1, lane: 0, answers }, { timeoutMs: 2000 })); await p; if (gap) await delay(gap); }
  const d = process.cpuUsage(c); console.log(`gap ${gap}: ${((d.user + d.system) / N).toFixed(0)} us per call`);
}
{ const N = 150; const c = process.cpuUsage(); for (let i = 0; i < N; i++) await delay(8); const d = process.cpuUsage(c); console.log(`only delay: ${((d.user + d.system) / N).toFixed(0)} us per turn`); }
srv.kill(); process.exit();
