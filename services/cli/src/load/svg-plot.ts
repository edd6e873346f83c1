/** Plots as SVG text that styles itself by the page's colours. Pure. */

export interface Series {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
  title: string;
  x: string;
  y: string;
  /** How a value of x is written at its tick. */
  xTick?: (x: number) => string;
  /** Where x has ticks; even steps where nothing is said. */
  xTicks?: readonly number[];
}

const WIDTH = 640;
const HEIGHT = 280;
const LEFT = 56;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 40;
const TICKS = 5;
const BAR_HEIGHT = 22;
const BAR_LEFT = 150;
const BAR_RIGHT = 150;
/** Colours that the page defines. */
const COLOURS = 8;

/** Lines over one x axis; the y axis begins at 0. */
export function linePlot(series: readonly Series[], options: PlotOptions): string {
  const shown = series.filter(({ points }) => points.length > 0);
  const xs = shown.flatMap(({ points }) => points.map(([x]) => x));
  const ys = shown.flatMap(({ points }) => points.map(([, y]) => y));
  if (xs.length === 0) return "";
  const [xMin, xMax] = [least(xs), Math.max(greatest(xs), least(xs) + 1e-9)];
  const yTicks = ticksUpTo(Math.max(greatest(ys), 1e-9));
  const yMax = yTicks.at(-1) ?? 1;
  const at = (x: number, y: number): [number, number] => [
    LEFT + ((x - xMin) / (xMax - xMin)) * (WIDTH - LEFT - RIGHT),
    HEIGHT - BOTTOM - (y / yMax) * (HEIGHT - TOP - BOTTOM),
  ];
  const xTicks = options.xTicks ?? evenTicks(xMin, xMax);
  return figure(options, shown, [
    ...yTicks.map((y) => gridLine(at(xMin, y)[1], short(y))),
    ...xTicks.map((x) => {
      const text = options.xTick?.(x) ?? short(x);
      // The last one ends with the plot, not beyond it.
      const anchor = at(x, 0)[0] > WIDTH - RIGHT - 24 ? "end" : "middle";
      return `<text class="tick" x="${px(at(x, 0)[0])}" y="${HEIGHT - BOTTOM + 16}" text-anchor="${anchor}">${escaped(text)}</text>`;
    }),
    `<text class="label" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${escaped(options.x)}</text>`,
    ...shown.map(({ points }, i) => {
      const path = points.map(([x, y]) => at(x, y).map(px).join(",")).join(" ");
      return `<polyline class="line c${i % COLOURS}" points="${path}"/>`;
    }),
  ]);
}

/** One bar for each value, from the left. */
export function barPlot(
  bars: readonly { label: string; value: number; text: string }[],
  { title }: { title: string },
): string {
  if (bars.length === 0) return "";
  const max = Math.max(greatest(bars.map(({ value }) => value)), 1e-9);
  const height = bars.length * BAR_HEIGHT + 4;
  const rows = bars.map(({ label, value, text }, i) => {
    const y = i * BAR_HEIGHT + 2;
    const width = (value / max) * (WIDTH - BAR_LEFT - BAR_RIGHT);
    const middle = y + BAR_HEIGHT / 2 + 3;
    return (
      `<text class="tick" x="${BAR_LEFT - 8}" y="${middle}" text-anchor="end">${escaped(label)}</text>` +
      `<rect class="bar" x="${BAR_LEFT}" y="${y}" width="${px(width)}" height="${BAR_HEIGHT - 6}" rx="2"/>` +
      `<text class="tick" x="${px(BAR_LEFT + width + 6)}" y="${middle}">${escaped(text)}</text>`
    );
  });
  return `<figure><figcaption>${escaped(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">${rows.join("")}</svg></figure>`;
}

function figure({ title, y }: PlotOptions, series: readonly Series[], parts: string[]): string {
  const legend = series
    .map(({ name }, i) => `<span><i class="c${i % COLOURS}"></i>${escaped(name)}</span>`)
    .join("");
  return (
    `<figure><figcaption>${escaped(title)} <small>${escaped(y)}</small></figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${parts.join("")}</svg>` +
    `${series.length > 1 ? `<p class="legend">${legend}</p>` : ""}</figure>`
  );
}

function gridLine(y: number, text: string): string {
  return (
    `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(y)}" y2="${px(y)}"/>` +
    `<text class="tick" x="${LEFT - 6}" y="${px(y + 4)}" text-anchor="end">${text}</text>`
  );
}

/** From 0 in steps of 1, 2 or 5 times a power of ten, to just above `max`. */
export function ticksUpTo(max: number): number[] {
  const rough = max / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** Round numbers within the range. */
function evenTicks(min: number, max: number): number[] {
  const step = ticksUpTo(max - min)[1] ?? max - min;
  const first = Math.ceil(min / step) * step;
  const count = Math.floor((max - first) / step + 1e-9) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => first + i * step);
}

function short(value: number): string {
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

const px = (value: number) => String(Math.round(value * 10) / 10);
// Spread arguments have a limit that a long load may exceed.
const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
const greatest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0);

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
