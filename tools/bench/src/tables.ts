/** A result as a Markdown table, for a terminal and for documents. It doesn't know benches. */
import type { Result, ResultRow } from "./result.ts";

/** The titles of columns, by the figure's name. */
const TITLES: Readonly<Record<string, string>> = {
  server: "server",
  connections: "connections",
  channels: "channels",
  perConnection: "subscriptions each",
  perTurn: "per turn",
  client: "client on",
  perMessage: "per message",
  rate: "publications/s",
  missed: "missed each",
  codec: "codec",
  deliveriesPerSecond: "deliveries/s",
  bytesPerDelivery: "bytes each",
  deliveriesPerCpuSecond: "deliveries per CPU-second",
  cpuShare: "CPU in use",
  waitedShare: "CPU waited for",
  p50Ms: "p50, ms",
  p99Ms: "p99, ms",
  kibPerConnection: "KiB per connection",
  heapKibPerConnection: "of it on the heap",
  bytesPerSubscription: "bytes per subscription",
  bytesPerChannel: "bytes per empty channel",
  seconds: "seconds",
  cpuSeconds: "CPU-seconds",
  encodesPerSecond: "encodes/s",
  clientReadsPerSecond: "client reads/s",
  serverDecodesPerSecond: "server decodes/s",
  bytesPerMessage: "bytes",
  publicationsPerSecond: "publications/s",
  publicationsPerCpuSecond: "publications per CPU-second",
  cpuUsPerPublication: "CPU µs each",
};

/** Columns that aren't figures. */
const RATIOS: ReadonlySet<string> = new Set(["ratioTo", "ratioRange"]);

/** A table with a line per row. Each line ends with tailwire's ratio to that row's server. */
export function rowsAsTable({ rows }: Pick<Result, "rows">): readonly string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
    (name) => !RATIOS.has(name),
  );
  const ordered = [
    ...names.filter((name) => name !== "server" && isCase(rows, name)),
    "server",
    ...names.filter((name) => name !== "server" && !isCase(rows, name)),
  ];
  const header = [...ordered.map((name) => TITLES[name] ?? name), "tailwire against it"];
  const lines = rows.map((row) => [
    ...ordered.map((name) => cell(row[name])),
    againstIt(rows, row),
  ]);
  return [header, header.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`);
}

/** The parameters of cases. Their columns stand before the figures. */
const CASES: ReadonlySet<string> = new Set([
  "client",
  "connections",
  "channels",
  "perConnection",
  "perTurn",
  "perMessage",
  "rate",
  "missed",
  "codec",
]);

function isCase(rows: readonly ResultRow[], name: string): boolean {
  return CASES.has(name) && rows.some((row) => row[name] !== undefined);
}

/** Tailwire's ratio to the row's server in the same case, with the extremes over rounds in brackets. */
function againstIt(rows: readonly ResultRow[], row: ResultRow): string {
  const own = rows.find(
    (other) => other.server === "tailwire" && [...CASES].every((name) => other[name] === row[name]),
  );
  const ratio = own?.ratioTo[row.server];
  const range = own?.ratioRange[row.server];
  if (ratio === undefined || range === undefined) return "";
  return `${short(ratio)}× (${short(range[0])}–${short(range[1])})`;
}

function cell(value: unknown): string {
  if (typeof value === "number") return short(value);
  return typeof value === "string" ? value : "";
}

/** A number for people: two or three digits, thousands grouped. */
function short(value: number): string {
  if (Math.abs(value) >= 1_000) {
    return Number(value.toPrecision(3)).toLocaleString("en-US");
  }
  return `${Number(value.toPrecision(value >= 100 ? 3 : 2))}`;
}
