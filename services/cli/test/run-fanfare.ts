/** Runs the command line as a person does, and listens to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { holdsWithin } from "@fanfare/common/servers/wait";

const PROGRAM = fileURLToPath(new URL("../bin/fanfare.js", import.meta.url));

export class Fanfare {
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.on("data", (chunk) => {
      this.stdout += chunk;
    });
    this.#child.stderr?.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => resolve(code ?? signal ?? 0));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until the program has said `text`; throws with all that it said instead. */
  async untilSaid(text: string, limitMs = 60_000): Promise<void> {
    let hasEnded = false;
    void this.ended.then(() => {
      hasEnded = true;
    });
    const said = await holdsWithin(limitMs, () => this.stdout.includes(text) || hasEnded);
    if (!said || !this.stdout.includes(text))
      throw new Error(`never said "${text}":\n${this.stdout}\n${this.stderr}`);
  }
}

export interface Finished {
  exit: number | NodeJS.Signals;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end. */
export async function runFanfare(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Finished> {
  const command = new Fanfare(args, env);
  const exit = await command.ended;
  return { exit, stdout: command.stdout, stderr: command.stderr };
}
