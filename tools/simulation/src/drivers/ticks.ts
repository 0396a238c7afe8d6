/** Node's queue of ticks, which has its turn when no promise is left that can settle. */

export function untilSettled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
