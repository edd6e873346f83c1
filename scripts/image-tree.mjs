/**
 * Copies what one service needs at run time into a folder, for services/Dockerfile: the compiled
 * workspaces that it leans on, its packages as npm installed them, and the main.js that starts it.
 * Usage: node scripts/image-tree.mjs SERVICE FOLDER
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";

const [service, target] = process.argv.slice(2);
if (!service || !target) {
  console.error("usage: node scripts/image-tree.mjs SERVICE FOLDER");
  process.exit(2);
}

/** Folders of a workspace that are read at run time. */
const RUNTIME = ["dist", "migrations", "sql", "lua", "public", "bin", "package.json"];
/** What only compilers, tests and readers want; of world-countries its maps and its other formats. */
const NOT_RUN = new RegExp(
  [
    String.raw`\.([cm]?ts|map|md|markdown|tsbuildinfo)$`,
    String.raw`\.test\.js$`,
    "/node_modules/@types$",
    "/bintrees/test$",
    "/@opentelemetry/[^/]+/build/(esm|esnext)$",
    "/world-countries/(data|dist)$",
  ].join("|"),
);

const folderOf = (name) => (name === "proto" ? "proto" : join("services", name));
const manifest = (name) => JSON.parse(readFileSync(join(folderOf(name), "package.json"), "utf8"));

/** The service and all workspaces that it needs, through others too. */
function workspacesOf(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const dependency of Object.keys(manifest(name).dependencies ?? {}))
    if (dependency.startsWith("@fanfare/"))
      workspacesOf(dependency.slice("@fanfare/".length), found);
  return found;
}

const names = workspacesOf(service);
if (service === "gateway") names.add("web");
for (const name of names)
  for (const part of RUNTIME) {
    const from = join(folderOf(name), part);
    if (existsSync(from))
      cpSync(from, join(target, from), { recursive: true, filter: (path) => !NOT_RUN.test(path) });
  }
cpSync("node_modules", join(target, "node_modules"), {
  recursive: true,
  verbatimSymlinks: true,
  filter: (path) => !NOT_RUN.test(`/${path}`),
});
for (const file of ["LICENSE", "main.js"]) cpSync(file, join(target, file));

// npm links every workspace that it installed; those that are not here would dangle.
const links = join(target, "node_modules", "@fanfare");
for (const link of readdirSync(links))
  if (!names.has(link)) rmSync(join(links, link), { recursive: true });

const native = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
const uws = join(target, "node_modules", "uWebSockets.js");
if (existsSync(uws)) {
  const files = readdirSync(uws, { recursive: true }).filter((file) => file.endsWith(".node"));
  if (!files.some((file) => basename(file) === native)) throw new Error(`no ${native} in ${uws}`);
  for (const file of files) if (basename(file) !== native) rmSync(join(uws, file));
}

mkdirSync(target, { recursive: true });
writeFileSync(
  join(target, "package.json"),
  `${JSON.stringify({ name: `fanfare-${service}`, private: true, type: "module" }, null, 2)}\n`,
);
