/** kubectl and helm as a person would call them, on the cluster of the current context. */
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

const KUBECTL = process.env.KUBECTL ?? "kubectl";
const HELM = process.env.HELM ?? "helm";
const LIMIT_MS = 300_000;

/** Standard output. Rejects with what the program wrote on standard error. */
export const kubectl = (...args: string[]) => run(KUBECTL, args);
export const helm = (...args: string[]) => run(HELM, args);

/** The same with an object on standard input. */
export const kubectlWith = (input: object, ...args: string[]) =>
  run(KUBECTL, args, JSON.stringify(input));

export async function kubectlJson<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  return JSON.parse(await kubectl(...args, "-o", "json")) as T;
}

function run(command: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const [program = "", ...first] = command.split(" ");
    const child = spawn(program, [...first, ...args], { timeout: LIMIT_MS });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args.join(" ")}: exit ${code}\n${err}${out}`));
    });
    child.stdin.end(input);
  });
}

/** Polls until `check` gives a value that is not undefined or false. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  limitMs = 120_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await delay(500);
  }
}

/** A measured figure, for whoever reads the run. */
export function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
