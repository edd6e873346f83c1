/** Flags of a command: `-name x`, `--name x` and `--name=x` are the same, as people type all of them. */
import { parseArgs } from "node:util";
import { z } from "@fanfare/common/config";

/** Wrong use of the command line: the usage goes to stderr and the process exits with 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Reads flags by their shape; a boolean in it is a switch. Throws one UsageError with every fault. */
export function readFlags<S extends z.ZodRawShape>(
  args: readonly string[],
  shape: S,
): z.output<z.ZodObject<S>> {
  const result = z.object(shape).safeParse(split(args, shape));
  if (result.success) return result.data;
  const faults = result.error.issues.map((fault) => `-${fault.path.join(".")} ${fault.message}`);
  throw new UsageError(faults.join("\n"));
}

function split(args: readonly string[], shape: z.ZodRawShape): Record<string, unknown> {
  const options = Object.fromEntries(
    Object.entries(shape).map(([name, type]) => [
      name,
      { type: isSwitch(type) ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  const doubled = args.map((arg) => arg.replace(/^-(?=[a-z]{2})/i, "--"));
  try {
    return { ...parseArgs({ args: doubled, options, strict: true }).values };
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split("\n")[0] ?? "") : "");
  }
}

function isSwitch(type: unknown): boolean {
  return type instanceof z.ZodBoolean || (type instanceof z.ZodOptional && isSwitch(type.unwrap()));
}

/** A whole number between `min` and `max`. */
export const wholeFlag = (min: number, max: number) => {
  const bounds = `must be a whole number from ${min} to ${max}`;
  return z
    .string("is missing")
    .regex(/^\d+$/, bounds)
    .transform(Number)
    .refine((value) => value >= min && value <= max, bounds);
};

/** A number between `min` and `max`. */
export const numberFlag = (min: number, max: number) => {
  const bounds = `must be a number from ${min} to ${max}`;
  return z
    .string("is missing")
    .regex(/^\d+(\.\d+)?$/, bounds)
    .transform(Number)
    .refine((value) => value >= min && value <= max, bounds);
};

/** A session id. */
export const tokenFlag = z
  .string("is missing")
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 of the characters A-Z a-z 0-9 _ -");
