/** What a trial found. */
export interface Finding {
  readonly caught: boolean;
  /** Seeds that were run. */
  readonly seeds: number;
  /** The rule of the checker that was broken first. */
  readonly rule: string | null;
  readonly detail: string | null;
}
