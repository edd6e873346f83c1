// Writes the chart's README from values.yaml: each key with its "# --" sentence and its default.
// `--check` writes nothing, and fails where the README is not what would be written.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMap, parseDocument } from "yaml";

const CHART = new URL("../charts/fanfare/", import.meta.url);
const BEGIN = "<!-- values: made by make chart-docs -->";
const END = "<!-- end of values -->";

const read = (name) => readFileSync(new URL(name, CHART), "utf8");

/** Leaves: a key with a "# --" sentence, or one without children. */
function* rowsOf(map, path = []) {
  for (const [index, { key, value }] of map.items.entries()) {
    const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? "";
    const sentence = /(?:^|\n) -- ([\s\S]*)$/.exec(comment)?.[1].replace(/\s*\n\s*/g, " ");
    const here = [...path, key.value];
    if (sentence === undefined && isMap(value)) yield* rowsOf(value, here);
    else yield { name: here.join("."), sentence, value: value.toJSON() };
  }
}

function table(rows) {
  const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
  const lines = rows.map(({ name, sentence, value }) => {
    if (!sentence) throw new Error(`values.yaml: ${name} has no "# --" sentence`);
    return `| \`${name}\` | ${cell(sentence)} | \`${JSON.stringify(value).replaceAll("|", "\\|")}\` |`;
  });
  return ["| value | what it does | default |", "|---|---|---|", ...lines].join("\n");
}

const rows = [...rowsOf(parseDocument(read("values.yaml")).contents)];
const readme = read("README.md");
const [before, rest] = readme.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`README.md lacks ${BEGIN} … ${END}`);
const wanted = `${before}${BEGIN}\n\n${table(rows)}\n\n${END}${after}`;

if (!process.argv.includes("--check")) {
  writeFileSync(new URL("README.md", CHART), wanted);
  console.log(`${fileURLToPath(new URL("README.md", CHART))}: ${rows.length} values`);
} else if (wanted !== readme) {
  console.error("charts/fanfare/README.md is not up to date: run make chart-docs");
  process.exitCode = 1;
}
