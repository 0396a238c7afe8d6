/** The stage of a bench: a server and its crowds, which are gone when the work on it is done. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerName } from "../dialects.ts";
import { Receiver } from "../receiver.ts";
import { startSubject, type Subject } from "../subjects.ts";

/** How long a crowd that has just come is left alone, in milliseconds. */
const SETTLE_MS = 300;

export interface Stage {
  readonly subject: Subject;
  /** A crowd of its own process. */
  readonly crowd: () => Receiver;
}

export async function onStage<Value>(
  server: ServerName,
  missed: number,
  work: (stage: Stage) => Promise<Value>,
): Promise<Value> {
  const subject = await startSubject(server, missed);
  const crowds: Receiver[] = [];
  const crowd = (): Receiver => {
    const receiver = new Receiver(subject);
    crowds.push(receiver);
    return receiver;
  };
  try {
    return await work({ subject, crowd });
  } finally {
    await Promise.all(crowds.map((receiver) => receiver.end()));
    await subject.process.end();
  }
}

/** Waits until what is under way has arrived. */
export function settle(): Promise<void> {
  return sleep(SETTLE_MS);
}
