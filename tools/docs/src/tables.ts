/** Markdown tables. It doesn't know what they hold. */

/** A table with a header. A bar within a cell is escaped. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)];
}

/** A number as people read it: 65,536. */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
