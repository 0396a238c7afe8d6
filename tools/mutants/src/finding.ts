/** Findings of trials, as a trial prints them in its last line. */

/** The finding of seeds. */
export interface Finding {
  readonly caught: boolean;
  /** The seed that found it; null where none did. */
  readonly seed: number | null;
  /** Seeds that were run. */
  readonly seeds: number;
  /** The rule of the checker that was broken first. */
  readonly rule: string | null;
  readonly detail: string | null;
}

/** The finding of unit tests. */
export interface UnitFinding {
  readonly caught: boolean;
  /** The file of tests that failed; null where it isn't known. */
  readonly file: string | null;
  /** The first test that failed, behind its file. */
  readonly test: string | null;
  readonly detail: string | null;
}
