/** The findings on the application's side: kinds of fault, each with the first input that shows it. */

interface Finding {
  readonly subject: string;
  readonly fault: string;
  /** The first input that shows it, what that was, and how many do. */
  readonly number: number;
  readonly words: string;
  readonly count: number;
}

export interface ApplicationReport {
  readonly inputs: number;
  readonly findings: readonly Finding[];
  /** How inputs ended, by subject and ending. */
  readonly endings: Readonly<Record<string, number>>;
}

/** Findings of one kind are one: numbers in them, and what was thrown, differ from input to input. */
function kindOf({ subject, fault }: Finding): string {
  const crash = /^(?:unhandled rejection|uncaught exception)/.exec(fault)?.[0];
  return `${subject}: ${(crash ?? fault).replaceAll(/\d+/g, "#")}`;
}

/** Several reports as one. */
export function merged(reports: readonly ApplicationReport[]): ApplicationReport {
  const findings = new Map<string, Finding>();
  const endings = new Map<string, number>();
  for (const report of reports) {
    for (const finding of report.findings) {
      const known = findings.get(kindOf(finding)) ?? { ...finding, count: 0 };
      const first = known.number <= finding.number ? known : finding;
      findings.set(kindOf(finding), { ...first, count: known.count + finding.count });
    }
    for (const [ending, count] of Object.entries(report.endings)) {
      endings.set(ending, (endings.get(ending) ?? 0) + count);
    }
  }
  const byName = ([one]: [string, unknown], [other]: [string, unknown]): number =>
    one < other ? -1 : 1;
  return {
    inputs: reports.reduce((sum, { inputs }) => sum + inputs, 0),
    findings: [...findings].toSorted(byName).map(([, finding]) => finding),
    endings: Object.fromEntries([...endings].toSorted(byName)),
  };
}
