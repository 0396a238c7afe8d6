/** Violations: the rules of the checker by their names, and how a broken one is told. */

/**
 * `R22`, presence, isn't here: there is none yet. `R29`: a node counts what didn't happen, or doesn't; `R30`: it tells gaps and
 * nothing of what follows them; `R31`: a client numbers its publications as it may not.
 */
export type Rule =
  | "R1"
  | "R2"
  | "R3"
  | "R4"
  | "R5"
  | "R6"
  | "R7"
  | "R8"
  | "R9"
  | "R10"
  | "R11"
  | "R12"
  | "R13"
  | "R14"
  | "R15"
  | "R16"
  | "R17"
  | "R18"
  | "R19"
  | "R20"
  | "R21"
  | "R23"
  | "R24"
  | "R25"
  | "R26"
  | "R27"
  | "R28"
  | "R29"
  | "R30"
  | "R31";

export interface Violation {
  readonly rule: Rule;
  readonly detail: string;
}

/** Takes note of a violation. */
export type Report = (rule: Rule, detail: string) => void;
