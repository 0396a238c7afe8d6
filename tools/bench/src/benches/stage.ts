/** The stage of a bench: a server and its crowds, whose processes end with the work on it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerName } from "../dialects.ts";
import { Receiver } from "../receiver.ts";
import { startSubject, type Subject } from "../subjects.ts";

/** Milliseconds after a crowd has connected, or has been served, before the next measurement. */
const SETTLE_MS = 300;

export interface Stage {
  readonly subject: Subject;
  /** Starts a crowd in a process of its own. */
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

/** Waits a while, so that messages on their way can arrive. */
export function settle(): Promise<void> {
  return sleep(SETTLE_MS);
}
