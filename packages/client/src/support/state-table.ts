/** A state machine as a table. It doesn't know whose, and it does nothing in a state. */

/** Where each event leads from each state. An event that isn't in a row changes nothing. */
export type StateTable<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>;

/** The state after an event; the same where the event means nothing. */
export function nextState<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  state: State,
  event: Event,
): State {
  return table[state][event] ?? state;
}
