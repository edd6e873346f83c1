/** Migrations on a real PostgreSQL: once each, in order, all or nothing, however many pods start. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { connectPostgres, MigrationError, migrate, type Sql } from "../src/postgres.js";
import { startPostgres } from "../src/servers/postgres.js";
import type { Server } from "../src/servers/server.js";
import { newLifecycle } from "./parts.js";

const { lifecycle } = newLifecycle();
let server: Server;
let sql: Sql;
let folder: string;
let schemas = 0;
let schema: string;

beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  sql = connectPostgres({ url: server.url, name: "test", connectionsMax: 4 }, lifecycle);
});

beforeEach(async () => {
  schema = `test_${++schemas}`;
  folder = await mkdtemp(join(tmpdir(), "fanfare-migrate-test-"));
  await write("0001_players.sql", `CREATE TABLE ${schema}.players (id text PRIMARY KEY);`);
  await write(
    "0002_points.sql",
    `ALTER TABLE ${schema}.players ADD points int NOT NULL DEFAULT 0;
     INSERT INTO ${schema}.players VALUES ('first', 7);`,
  );
});

afterEach(() => rm(folder, { recursive: true, force: true }));

afterAll(async () => {
  await lifecycle.close();
  await server?.[Symbol.asyncDispose]();
});

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const players = () => sql`SELECT * FROM ${sql(schema)}.players ORDER BY id`;
const applied = async () =>
  (await sql`SELECT name FROM ${sql(schema)}.migrations ORDER BY name`).map(({ name }) => name);

test("files are applied in order, and only once", async () => {
  await write("README.md", "not a migration");
  await write("0003_draft.sql.bak", "SELECT no_such_thing;");
  expect(await migrate(sql, schema, folder)).toEqual(["0001_players.sql", "0002_points.sql"]);
  expect(await migrate(sql, schema, folder)).toEqual([]);
  expect(await players()).toEqual([{ id: "first", points: 7 }]);
});

test("a file that comes later is applied then", async () => {
  await migrate(sql, schema, folder);
  await write("0003_second.sql", `INSERT INTO ${schema}.players VALUES ('second', 1);`);
  expect(await migrate(sql, schema, folder)).toEqual(["0003_second.sql"]);
  expect(await players()).toHaveLength(2);
});

test("of many pods that start at once each file is applied by one", async () => {
  const other = newLifecycle().lifecycle;
  const pods = Array.from({ length: 4 }, (_, i) =>
    connectPostgres({ url: server.url, name: `pod-${i}`, connectionsMax: 1 }, other),
  );
  const done = await Promise.all(pods.map((pod) => migrate(pod, schema, folder)));
  expect(done.flat().sort()).toEqual(["0001_players.sql", "0002_points.sql"]);
  expect(await players()).toEqual([{ id: "first", points: 7 }]);
  await other.close();
});

test("a file that was changed after it was applied is refused, and nothing behind it is applied", async () => {
  await migrate(sql, schema, folder);
  await write("0001_players.sql", "DROP SCHEMA public;");
  await write("0003_second.sql", `INSERT INTO ${schema}.players VALUES ('second', 1);`);
  await expect(migrate(sql, schema, folder)).rejects.toThrow(
    `${schema}: 0001_players.sql was changed after it had been applied`,
  );
  expect(await players()).toHaveLength(1);
});

test("a file that fails leaves nothing of itself, and works once it is mended", async () => {
  const good = `INSERT INTO ${schema}.players VALUES ('second', 1);`;
  await write("0003_second.sql", `${good} SELECT no_such_thing;`);
  await write("0004_third.sql", `INSERT INTO ${schema}.players VALUES ('third', 1);`);
  const failed = migrate(sql, schema, folder);
  await expect(failed).rejects.toThrow(/0003_second\.sql .*no_such_thing.*go back to the release/);
  await expect(failed).rejects.toBeInstanceOf(MigrationError);
  expect(await players()).toHaveLength(1);
  expect(await applied()).toEqual(["0001_players.sql", "0002_points.sql"]);
  await write("0003_second.sql", good);
  expect(await migrate(sql, schema, folder)).toEqual(["0003_second.sql", "0004_third.sql"]);
});

test("schemas do not know of each other", async () => {
  await migrate(sql, schema, folder);
  const other = `${schema}_other`;
  await write("0001_players.sql", `CREATE TABLE ${other}.players (id text);`);
  await write("0002_points.sql", "SELECT 1;");
  expect(await migrate(sql, other, folder)).toHaveLength(2);
});

test("a folder that is not there is an error, not an empty one", async () => {
  await expect(migrate(sql, schema, join(folder, "nowhere"))).rejects.toThrow("ENOENT");
});
