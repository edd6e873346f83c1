/** Runs a command to its end, with a time limit, as another account if asked. */
import { execFile } from "node:child_process";

export interface RunOptions {
  timeoutMs: number;
  cwd?: string;
  /** Run as this account; only root may. */
  account?: { uid: number; gid: number } | undefined;
}

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const MESSAGE_LINES_MAX = 5;

/** A command that could not be run, failed, or took too long. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  constructor(
    command: string,
    readonly output: string,
    options: ErrorOptions,
  ) {
    const lines = output.trim().split("\n").slice(-MESSAGE_LINES_MAX).join("\n");
    super(`${command} failed: ${lines || String(options.cause)}`, options);
  }
}

/** Resolves with what the command printed to its standard output; rejects with a CommandError. */
export function run(command: string, args: string[], options: RunOptions): Promise<string> {
  const { timeoutMs, cwd, account } = options;
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      {
        timeout: timeoutMs,
        killSignal: "SIGKILL",
        maxBuffer: OUTPUT_BYTES_MAX,
        encoding: "utf8",
        ...(cwd === undefined ? {} : { cwd }),
        ...(account ? { uid: account.uid, gid: account.gid } : {}),
      },
      (error, stdout, stderr) => {
        if (error) reject(new CommandError(command, stderr + stdout, { cause: error }));
        else resolve(stdout);
      },
    );
  });
}

/** Where the shell finds a command on PATH; undefined if it does not. */
export async function commandPath(name: string): Promise<string | undefined> {
  const script = 'command -v "$1"';
  const found = run("/bin/sh", ["-c", script, "sh", name], { timeoutMs: 5_000 });
  const path = await found.then((line) => line.trim()).catch(() => "");
  return path.startsWith("/") ? path : undefined;
}
