/** The feed of how the server's process is doing: current numbers, and a minute of each. */
import { Chart, type ChartOptions } from "./chart.ts";
import { find, setText } from "./dom.ts";
import type { Person } from "./person.ts";

/** A minute, at four samples a second. */
const LENGTH = 240;

type Figure = "cpuPercent" | "memoryBytes" | "loopDelayMs" | "connections";

interface Gauge {
  readonly figure: Figure;
  readonly words: (value: number) => string;
  readonly chart: Omit<ChartOptions, "length">;
}

const GAUGES: readonly Gauge[] = [
  {
    figure: "cpuPercent",
    words: (value) => `${value.toFixed(value < 10 ? 1 : 0)} %`,
    chart: { ceiling: 10, fromZero: true },
  },
  {
    figure: "memoryBytes",
    words: (value) => `${(value / 1_048_576).toFixed(0)} MiB`,
    chart: { ceiling: 0, fromZero: false },
  },
  {
    figure: "loopDelayMs",
    words: (value) => `${value.toFixed(1)} ms`,
    chart: { ceiling: 5, fromZero: true },
  },
  {
    figure: "connections",
    words: (value) => String(value),
    chart: { ceiling: 5, fromZero: true },
  },
];

/** Shows the feed. The last minute comes out of the log, so that a new page isn't empty. */
export function showMachine(panel: HTMLElement, viewer: Person): void {
  const gauges = GAUGES.map(({ figure, words, chart }) => {
    const tile = find(panel, `[data-figure="${figure}"]`, HTMLElement);
    return {
      figure,
      words,
      value: find(tile, ".value", HTMLElement),
      chart: new Chart(find(tile, "canvas", HTMLCanvasElement), { ...chart, length: LENGTH }),
    };
  });
  const start = { rewind: { count: LENGTH } };
  viewer.follow("demo:machine", "sample", { start }, ({ data }) => {
    if (typeof data !== "object" || data === null) return;
    const sample = data as Partial<Record<Figure, unknown>>;
    for (const { figure, words, value, chart } of gauges) {
      const number = sample[figure];
      if (typeof number !== "number") continue;
      chart.push(number);
      setText(value, words(number));
    }
  });
}
