// A dashboard's panels as one SVG: lines, numbers and heat maps, in the places that Grafana gives them.
const COLUMN = 50;
const LINE = 28;
const HEAD = 44;
const COLORS = [
  "#2f6fde",
  "#e8833a",
  "#3a9d5d",
  "#a14fc9",
  "#c94f6d",
  "#3aa3a8",
  "#8a7a2f",
  "#777",
];
const RED = "#d33";
const LINES_MAX = 12;
const LEGEND_CHARS = 58;

/** `panels` have lines {legend, points: [seconds, value][]}; times in seconds. */
export function drawDashboard({ title, panels, start, end }) {
  const height = HEAD + Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * LINE + 8;
  const minutes = Math.round((end - start) / 60);
  const drawn = panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const box = { x: x * COLUMN + 4, y: HEAD + y * LINE, w: w * COLUMN - 8, h: h * LINE - 8 };
    return DRAW[panel.type]({ ...panel, box, start, end });
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${24 * COLUMN} ${height}" font-family="sans-serif" font-size="10" fill="#333">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#f4f5f7"/>
${text({ x: 8, y: 28, size: 18, weight: 600 }, `${title}: ${minutes} minutes`)}
${drawn.join("\n")}
</svg>
`;
}

const DRAW = {
  row: ({ title, box }) => text({ x: box.x + 4, y: box.y + 18, size: 13, weight: 600 }, title),
  stat: (panel) => frame(panel, stat(panel)),
  timeseries: (panel) => frame(panel, chart(panel)),
  heatmap: (panel) => frame(panel, heatmap(panel)),
};

const escaped = (value) =>
  `${value}`.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function text({ x, y, size, weight, fill, anchor }, content) {
  const given = { x, y, "font-size": size, "font-weight": weight, fill, "text-anchor": anchor };
  const attributes = Object.entries(given).filter(([, value]) => value !== undefined);
  return `<text ${attributes.map(([name, value]) => `${name}="${value}"`).join(" ")}>${escaped(content)}</text>`;
}

/** A panel's box with its title and, for who points at it, its sentence; `content` stands in it. */
function frame({ box: { x, y, w, h }, title, description }, content) {
  const rect = `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="3" fill="#fff" stroke="#dde"/>`;
  const head = text({ x: x + 8, y: y + 15, size: 11, weight: 600 }, title);
  return `<g><title>${escaped(description)}</title>${rect}${head}${content}</g>`;
}

const limitOf = ({ fieldConfig }) => fieldConfig.defaults.thresholds.steps[1]?.value;
const unitOf = ({ fieldConfig }) => fieldConfig.defaults.unit;
const numbers = (lines) =>
  lines.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);

function stat(panel) {
  const { box, lines } = panel;
  const last = numbers(lines.slice(0, 1)).at(-1);
  const limit = limitOf(panel);
  const fill = limit !== undefined && last >= limit ? RED : "#3a9d5d";
  const value = last === undefined ? "no data" : format(last, unitOf(panel));
  return text(
    { x: box.x + box.w / 2, y: box.y + 64, size: 26, weight: 600, fill, anchor: "middle" },
    value,
  );
}

function chart(panel) {
  const { box, start, end } = panel;
  const lines = panel.lines
    .filter(({ points }) => points.some(([, value]) => Number.isFinite(value)))
    .slice(0, LINES_MAX);
  if (lines.length === 0) return noData(box);
  const area = plotArea(box, legendOf(lines).length);
  const top = niceTop(Math.max(...numbers(lines)), unitOf(panel));
  const x = (time) => Math.round(area.x + ((time - start) / (end - start)) * area.w);
  const y = (value) => Math.round(area.y + area.h - (Math.min(value, top) / top) * area.h);
  const limit = limitOf(panel);
  const promise =
    limit !== undefined && limit <= top
      ? `<path d="M${area.x} ${y(limit)}H${area.x + area.w}" stroke="${RED}" stroke-dasharray="4 3"/>`
      : "";
  const paths = lines.map(({ points }, i) => {
    const d = pathOf(points, x, y);
    return `<path d="${d}" fill="none" stroke="${COLORS[i % COLORS.length]}" stroke-width="1.3"/>`;
  });
  return (
    axes(
      area,
      panel,
      [0, top / 2, top].map((value) => [y(value), format(value, unitOf(panel))]),
    ) +
    promise +
    paths.join("") +
    legend(box, lines)
  );
}

/** Broken where there is no number, or no sample at all. */
function pathOf(points, x, y) {
  const step = Math.min(...points.slice(1).map(([time], i) => time - points[i][0]));
  let [d, drawnAt] = ["", Number.NaN];
  for (const [time, value] of points) {
    if (!Number.isFinite(value)) continue;
    d += `${time - drawnAt <= step ? "L" : "M"}${x(time)} ${y(value)}`;
    drawnAt = time;
  }
  return d;
}

function heatmap(panel) {
  const { box, start, end } = panel;
  const buckets = panel.lines
    .map(({ legend: le, points }) => ({
      le: Number(le.replace("+Inf", "Infinity")),
      points: new Map(points),
    }))
    .sort((a, b) => a.le - b.le);
  const times = [...(buckets.at(-1)?.points.keys() ?? [])];
  const cells = buckets.map(({ points }, i) =>
    times.map((time) => (points.get(time) ?? 0) - (buckets[i - 1]?.points.get(time) ?? 0)),
  );
  const most = Math.max(0, ...cells.flat());
  if (most === 0) return noData(box);
  const area = plotArea(box, 0);
  const [w, h] = [area.w / ((end - start) / (times[1] - times[0] || 1)), area.h / buckets.length];
  const x = (time) => area.x + ((time - start) / (end - start)) * area.w;
  const y = (i) => area.y + area.h - (i + 1) * h;
  const drawn = cells.flatMap((row, i) =>
    row.flatMap((count, j) =>
      count > 0
        ? `<rect x="${x(times[j]).toFixed(1)}" y="${y(i).toFixed(1)}" width="${w.toFixed(1)}" height="${h.toFixed(1)}" fill="${COLORS[0]}" opacity="${(0.15 + (0.85 * count) / most).toFixed(2)}"/>`
        : [],
    ),
  );
  const ticks = buckets.flatMap(({ le }, i) =>
    i % 2 ? [] : [[y(i) + h / 2, Number.isFinite(le) ? format(le, unitOf(panel)) : "more"]],
  );
  return axes(area, panel, ticks) + drawn.join("");
}

const plotArea = ({ x, y, w, h }, legendLines) => ({
  x: x + 54,
  y: y + 26,
  w: w - 66,
  h: h - 26 - 20 - legendLines * 13,
});

function axes(area, { start, end }, ticks) {
  const lines = ticks.map(
    ([y, label]) =>
      `<path d="M${area.x} ${y}H${area.x + area.w}" stroke="#eef"/>${text({ x: area.x - 5, y: y + 3, anchor: "end", fill: "#777" }, label)}`,
  );
  const times = [0, 0.5, 1].map((part) => {
    const seconds = Math.round((end - start) * part);
    const label = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    return text(
      { x: area.x + part * area.w, y: area.y + area.h + 12, anchor: "middle", fill: "#777" },
      label,
    );
  });
  return lines.join("") + times.join("");
}

/** Legends by rows of what fits. */
function legendOf(lines) {
  const rows = [[]];
  let used = 0;
  for (const [i, { legend }] of lines.entries()) {
    const name = legend.trim() || "value";
    if (used > 0 && used + name.length + 4 > LEGEND_CHARS) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1).push({ name, i, at: used });
    used += name.length + 4;
  }
  return rows.slice(0, 3);
}

function legend(box, lines) {
  const rows = legendOf(lines);
  return rows
    .flatMap((row, r) =>
      row.map(({ name, i, at }) => {
        const [x, y] = [box.x + 10 + at * 6.2, box.y + box.h - 6 - (rows.length - 1 - r) * 13];
        return `<rect x="${x}" y="${y - 7}" width="8" height="8" fill="${COLORS[i % COLORS.length]}"/>${text({ x: x + 12, y }, name)}`;
      }),
    )
    .join("");
}

const noData = ({ x, y, w, h }) =>
  text({ x: x + w / 2, y: y + h / 2 + 8, fill: "#999", anchor: "middle" }, "nothing to show");

/** 1, 2 or 5 times a power of ten, not below the value; of bytes a power of two. */
function niceTop(value, unit) {
  if (!(value > 0)) return 1;
  if (unit === "bytes") return 2 ** Math.ceil(Math.log2(value));
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= value * 0.999);
}

const trimmed = (value) => Number(value.toPrecision(3)).toString();

function scaled(value, base, names) {
  let i = 0;
  for (; value >= base && i < names.length - 1; i++) value /= base;
  return `${trimmed(value)}${names[i]}`;
}

function format(value, unit) {
  if (unit === "percentunit") return `${trimmed(value * 100)} %`;
  if (unit === "bytes") return scaled(value, 1024, [" B", " KiB", " MiB", " GiB"]);
  if (unit === "Bps") return scaled(value, 1000, [" B/s", " kB/s", " MB/s"]);
  if (unit === "s")
    return value > 0 && value < 1
      ? scaled(value * 1e6, 1000, [" µs", " ms"])
      : `${trimmed(value)} s`;
  return scaled(value, 1000, ["", "k", "M"]) + (unit === "reqps" ? "/s" : "");
}
