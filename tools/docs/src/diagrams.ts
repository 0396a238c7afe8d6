/** Mermaid diagrams of state tables. It doesn't know whose states they are. */

/** Where each event leads from each state. */
export type StateTable = Readonly<Record<string, Readonly<Partial<Record<string, string>>>>>;

/** A state diagram: an arrow per pair of states, with the events that lead there. */
export function stateDiagram(table: StateTable, first: string): readonly string[] {
  const arrows = Object.entries(table).flatMap(([from, events]) => arrowsFrom(from, events));
  const names = Object.keys(table).filter((state) => nameOf(state) !== state);
  return [
    "```mermaid",
    "stateDiagram-v2",
    ...names.map((state) => `    state "${state}" as ${nameOf(state)}`),
    `    [*] --> ${nameOf(first)}`,
    ...arrows,
    ...Object.entries(table)
      .filter(([, events]) => Object.keys(events).length === 0)
      .map(([state]) => `    ${nameOf(state)} --> [*]`),
    "```",
  ];
}

function arrowsFrom(
  from: string,
  events: Readonly<Partial<Record<string, string>>>,
): readonly string[] {
  const targets = new Map<string, string[]>();
  for (const [event, to] of Object.entries(events)) {
    if (to !== undefined) targets.set(to, [...(targets.get(to) ?? []), event]);
  }
  return [...targets].map(([to, by]) => `    ${nameOf(from)} --> ${nameOf(to)}: ${by.join(", ")}`);
}

/** Mermaid's names have no spaces. */
function nameOf(state: string): string {
  return state.replaceAll(" ", "_");
}
