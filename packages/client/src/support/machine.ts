/** A state machine: a table, and the state it is in. It doesn't know whose, and calls nobody. */

/** Where each event leads from each state. An event that isn't in a row changes nothing. */
export type StateTable<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>;

export class Machine<State extends string, Event extends string> {
  state: State;
  readonly #table: StateTable<State, Event>;

  constructor(table: StateTable<State, Event>, state: State) {
    this.#table = table;
    this.state = state;
  }

  /** Moves to the state that the event leads to, if to any. */
  enter(event: Event): void {
    this.state = this.#table[this.state][event] ?? this.state;
  }
}
