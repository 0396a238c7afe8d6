/** Times of a process by the system's scheduler. Linux alone has them, for each thread. */
import { readdirSync, readFileSync } from "node:fs";

export interface Scheduled {
  /** Seconds of processor time, of all its threads. */
  readonly ranSeconds: number;
  /** Seconds for which its threads would have run, if a core had been free. */
  readonly waitedSeconds: number;
}

/** @throws Error when there is no such process. */
export function scheduledOf(pid: number): Scheduled {
  const tasks = `/proc/${pid}/task`;
  let ran = 0;
  let waited = 0;
  for (const task of readdirSync(tasks)) {
    const columns = readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ");
    ran += Number(columns[0]);
    waited += Number(columns[1]);
  }
  return { ranSeconds: ran / 1e9, waitedSeconds: waited / 1e9 };
}
