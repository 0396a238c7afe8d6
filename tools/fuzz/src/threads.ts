/** Threads: a part's inputs, shared out over the cores, and a watch over those that stand still. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type ApplicationReport } from "./application/report.ts";
import type { Report } from "./run.ts";
import type { Share } from "./worker.ts";

/** How long a thread may be at one input, in milliseconds, before that is taken for a loop. */
const STILL_MS = 90_000;

type Range = Pick<Share, "seed" | "from" | "count">;

export function runWire(range: Range): Promise<readonly Report[]> {
  return Promise.all(sharesOf("wire", range).map((share) => inThread<Report>(share, null)));
}

export function runApplications(range: Range): Promise<readonly ApplicationReport[]> {
  return Promise.all(sharesOf("application", range).map((share) => inThread(share, standsStill)));
}

function sharesOf(part: Share["part"], { seed, from, count }: Range): readonly Share[] {
  const step = Math.min(availableParallelism(), count);
  return Array.from({ length: step }, (_, index) => ({
    part,
    seed,
    from: from + index,
    count: count - index,
    step,
  }));
}

/** A thread says which input it is at, and at last what it has to report. */
function inThread<Result extends object>(
  share: Share,
  still: ((number: number) => Result) | null,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: share });
    let at = share.from;
    const end = (result: Result): void => {
      clearTimeout(timer);
      // Whatever still runs in it has been judged.
      void worker.terminate();
      resolve(result);
    };
    const timer = setTimeout(() => {
      if (still !== null) end(still(at));
    }, STILL_MS);
    worker.on("message", (word: number | Result) => {
      if (typeof word !== "number") return end(word);
      at = word;
      timer.refresh();
    });
    worker.once("error", reject);
  });
}

function standsStill(number: number): ApplicationReport {
  const words = `its thread stands still for ${STILL_MS / 1_000} s`;
  const finding = { subject: "the process", fault: words, number, words: "not known", count: 1 };
  return { inputs: 1, findings: [finding], endings: {} };
}
