/**
 * A yardstick: the same work each time, of the kind that a server does with what is sent to it. The CPU
 * time that it takes says how fast the core is at the moment.
 */
const TEXT = JSON.stringify(
  Array.from({ length: 64 }, (_, n) => ({
    type: "publish",
    id: `r${n}`,
    channel: "room:1",
    event: "said",
    data: { text: "a".repeat(40), n },
  })),
);

const ROUNDS = 400;

/** CPU time that it takes on a quiet core, in milliseconds: the least that was measured. */
export const YARDSTICK_MS = 40;

/** Does the work. Its result is of no use, but keeps the work from being left out. */
export function yardstick(): number {
  let length = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const message of JSON.parse(TEXT) as unknown[]) length += JSON.stringify(message).length;
  }
  return length;
}
