/** Node's queue of ticks, which has its turn when no promise is left that can settle. */

export async function untilSettled(): Promise<void> {
  // From within a promise's turn: in an event's handler the ticks would go first.
  await Promise.resolve();
  await new Promise<void>((resolve) => process.nextTick(resolve));
}
