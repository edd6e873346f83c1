// Writes proto/confusables.ts from the tables of the crate unicode-security (unicode-rs; MIT or
// Apache-2.0), which are those of Unicode's confusables.txt (UTS 39):
//   cargo add unicode-security && cargo vendor
//   node scripts/confusables.mjs vendor/unicode-security/src/tables.rs
// What compatibility decomposition (NFKD) gives as well is left out.
import { readFileSync, writeFileSync } from "node:fs";

const PER_LINE = 12;

const source = readFileSync(process.argv[2] ?? "", "utf8");
const version = /UNICODE_VERSION: [^=]*= \((\d+), (\d+), (\d+)\)/.exec(source)?.slice(1).join(".");
const table =
  /const CONFUSABLES: &'static \[\(char, &'static \[char\]\)\] = &\[(.*?)\n {4}\];/s.exec(
    source,
  )?.[1];
if (!version || !table) throw new Error("these are not the tables of unicode-security");

const signs = (text) =>
  [...text.matchAll(/'\\u\{([0-9a-f]+)\}'/g)].map(([, hex]) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
const prototypes = new Map(
  [...table.matchAll(/\(('\\u\{[0-9a-f]+\}'),\s*&\[([^\]]*)\]\)/g)].map(([, sign, prototype]) => [
    signs(sign)[0],
    signs(prototype).join(""),
  ]),
);
const skeleton = (text) =>
  [...text.normalize("NFKD")].map((sign) => prototypes.get(sign) ?? sign).join("");

const bySkeleton = new Map();
for (const [sign, prototype] of prototypes) {
  const decomposed = sign.normalize("NFKD");
  if (decomposed !== sign && skeleton(decomposed) === prototype) continue;
  bySkeleton.set(prototype, [...(bySkeleton.get(prototype) ?? []), sign]);
}
const hex = (text) => [...text].map((sign) => sign.codePointAt(0).toString(16)).join("+");
const entries = [...bySkeleton]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([prototype, alike]) => `${hex(prototype)}=${alike.map(hex).join(",")}`);
const lines = [];
while (entries.length > 0) lines.push(entries.splice(0, PER_LINE).join(" "));

writeFileSync(
  new URL("../proto/confusables.ts", import.meta.url),
  `/**
 * What looks like what: Unicode ${version}, confusables of UTS 39. Written by scripts/confusables.mjs; names
 * in the log were compared by it, so a change of it is one of the log's form.
 *
 * Prototypes with the signs that look like them, in hexadecimal: \`61=251,3b1\` says that ɑ and α look
 * like a.
 */
export const CONFUSABLES = \`
${lines.join("\n")}
\`;
`,
);
console.log(`Unicode ${version}: ${[...bySkeleton.values()].flat().length} signs`);
