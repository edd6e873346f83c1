/**
 * What PostgreSQL will do for each statement of a service, with a million rows behind it. Statements are
 * taken as they are sent, with their parameters, and held against the service's sources, so that a new
 * one without a case is found out.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { sqlTemplates } from "./sql-templates.js";

export interface Sent {
  text: string;
  parameters: readonly unknown[];
  types: readonly number[];
}

interface Plan {
  "Node Type": string;
  "Relation Name"?: string;
  "Plan Rows": number;
  "Total Cost": number;
  Plans?: Plan[];
}

const CONNECTIONS = 2;
/** With its parameters at first, and without them once it has been prepared for long. */
const PLAN_MODES = ["force_custom_plan", "force_generic_plan"];

/** json and jsonb, of which an array is one value. */
const JSON_TYPES = [114, 3802];

/** A pool whose statements are noted. */
export function recordingSql(url: string): { sql: Sql; sent: Sent[] } {
  const sent: Sent[] = [];
  const debug = (_: number, text: string, parameters: unknown[], types: unknown[] = []) => {
    if (/^(SELECT|INSERT|UPDATE|DELETE|WITH)\b/.test(plain(text)))
      sent.push({ text, parameters: [...parameters], types: types as number[] });
  };
  return { sql: postgres(url, { max: CONNECTIONS, onnotice: () => {}, debug }), sent };
}

/** Parts of a statement as it stands in a source: between them are its parameters and fragments. */
interface Written {
  where: string;
  parts: readonly string[];
}

/** Every SQL template of a folder of sources, and every .sql file of another. */
export function statementsOf(sources: string, sqlFiles?: string): Written[] {
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(sources, name));
  const whole = sqlFiles ? readdirSync(sqlFiles).filter((name) => name.endsWith(".sql")) : [];
  return [
    ...files.flatMap(templatesOf),
    ...whole.map((name) => ({
      where: name,
      parts: [plain(readFileSync(join(sqlFiles ?? "", name), "utf8"))],
    })),
  ];
}

function templatesOf(file: string): Written[] {
  return sqlTemplates(readFileSync(file, "utf8"))
    .filter(({ parts }) => parts.some((part) => part.trim() !== ""))
    .map(({ line, parts }) => ({ where: `${file}:${line}`, parts: parts.map(plain) }));
}

/** Without comments, and with one space for each gap. */
function plain(text: string): string {
  return text.replace(/--.*$/gm, "").replace(/\s+/g, " ").trim();
}

/** Where statements stand that were never sent. */
export function notSent(written: readonly Written[], sent: readonly Sent[]): string[] {
  const texts = [...new Set(sent.map(({ text }) => plain(text)))];
  const patterns = written.map(({ where, parts }) => ({
    where,
    pattern: new RegExp(parts.map((part) => part.replace(/[^\w ]/g, "\\$&")).join(".*")),
  }));
  return patterns
    .filter(({ pattern }) => !texts.some((each) => pattern.test(each)))
    .map(({ where }) => where);
}

/** The statements that the pool has prepared for long; the others are planned anew each time. */
export async function preparedOf(sql: Sql): Promise<Set<string>> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => sql.reserve()));
  const prepared = connections.map((each) => each`SELECT statement FROM pg_prepared_statements`);
  const texts = (await Promise.all(prepared)).flat().map(({ statement }) => statement);
  for (const each of connections) each.release();
  return new Set(texts);
}

/** What is wrong with how PostgreSQL goes about a statement; empty where nothing is. */
export async function faultsOf(
  sql: Sql,
  { text, parameters, types }: Sent,
  big: readonly string[],
  modes: readonly string[] = PLAN_MODES,
) {
  const faults: string[] = [];
  await sql.begin(async (tx) => {
    const names = await tx`SELECT coalesce(format_type(nullif(t, 0), NULL), 'unknown') AS name
      FROM unnest(${[...types].map(Number)}::oid[]) WITH ORDINALITY AS given (t, n) ORDER BY n`;
    const declared = names.length > 0 ? `(${names.map(({ name }) => name).join(", ")})` : "";
    const values = parameters.map((each, i) => literal(each, Number(types[i]))).join(", ");
    await tx.unsafe(`PREPARE explained ${declared} AS ${text}`);
    const execute = `EXECUTE explained${parameters.length > 0 ? `(${values})` : ""}`;
    for (const mode of modes) {
      await tx.unsafe(`SET LOCAL plan_cache_mode = ${mode}`);
      const [row] = await tx.unsafe(`EXPLAIN (FORMAT JSON) ${execute}`);
      const [top] = (row?.["QUERY PLAN"] ?? []) as { Plan: Plan }[];
      if (!top) throw new Error("no plan");
      faults.push(...faultsOfPlan(top.Plan, big).map((fault) => `${fault} (${mode})`));
    }
    await tx`DEALLOCATE explained`;
  });
  return faults;
}

/** Above this PostgreSQL reads some 10,000 rows for one answer. */
const COST_MAX = 20_000;
const SORTED_ROWS_MAX = 20_000;

function faultsOfPlan(plan: Plan, big: readonly string[]): string[] {
  const faults = plan["Total Cost"] > COST_MAX ? [`costs ${plan["Total Cost"]}`] : [];
  const visit = (node: Plan): void => {
    const type = node["Node Type"];
    const relation = node["Relation Name"] ?? "";
    if (type === "Seq Scan" && big.includes(relation)) faults.push(`reads all of ${relation}`);
    if (type.endsWith("Sort") && (node.Plans?.[0]?.["Plan Rows"] ?? 0) > SORTED_ROWS_MAX)
      faults.push(`sorts ${node.Plans?.[0]?.["Plan Rows"]} rows`);
    for (const child of node.Plans ?? []) visit(child);
  };
  visit(plan);
  return faults;
}

function literal(value: unknown, type: number): string {
  if (value === null || value === undefined) return "NULL";
  return `'${asText(value, type).replace(/'/g, "''")}'`;
}

function asText(value: unknown, type: number): string {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value) && !JSON_TYPES.includes(type))
    return `{${value.map((each) => JSON.stringify(each)).join(",")}}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Tables that a test fills take no time for what a crash would need. */
export async function fill(sql: Sql, tables: readonly string[], rows: string): Promise<void> {
  await sql.begin(async (tx) => {
    // Neither foreign keys nor triggers are looked at.
    await tx`SET LOCAL session_replication_role = replica`;
    for (const table of tables) await tx.unsafe(`ALTER TABLE ${table} SET UNLOGGED`);
    await tx.unsafe(rows);
  });
}
