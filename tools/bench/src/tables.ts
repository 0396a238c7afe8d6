/** A result as Markdown tables: for a terminal, and for the documents. It doesn't know benches. */
import type { Result, ResultRow } from "./result.ts";

/** What stands in a column, by the figure's name. */
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
  retained: "retained each",
  lastsSeconds: "lasts, s",
  codec: "codec",
  deliveriesPerSecond: "deliveries/s",
  bytesPerDelivery: "bytes each",
  deliveriesPerCpuSecond: "deliveries per CPU-second",
  cpuShare: "CPU in use",
  waitedShare: "CPU waited for",
  lostPerSecond: "told as lost/s",
  residentGrowthMiB: "growth, MiB",
  heapGrowthMiB: "of it on the heap",
  gcMs: "longest collection, ms",
  loopMs: "longest pause, ms",
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

/** One table: a line per row, and how tailwire compares with each of the others in its own row. */
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

/** What a case is made of is the same in all rows of the case, and stands before the figures. */
const CASES: ReadonlySet<string> = new Set([
  "client",
  "connections",
  "channels",
  "perConnection",
  "perTurn",
  "perMessage",
  "rate",
  "missed",
  "retained",
  "lastsSeconds",
  "codec",
]);

function isCase(rows: readonly ResultRow[], name: string): boolean {
  return CASES.has(name) && rows.some((row) => row[name] !== undefined);
}

/** How many times better tailwire is than this one, in the same case; in brackets, over the rounds. */
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

/** As people read it: three digits at most, thousands grouped. */
function short(value: number): string {
  if (Math.abs(value) >= 1_000) {
    return Number(value.toPrecision(3)).toLocaleString("en-US");
  }
  return `${Number(value.toPrecision(value >= 100 ? 3 : 2))}`;
}
