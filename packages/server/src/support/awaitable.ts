/**
 * Values that may be there at once, or be promised. The code that goes on is the same for both, and a
 * value that is there costs no promise, no timer and no turn of the event loop.
 */

export type Awaitable<Value> = Value | Promise<Value>;

/** Whether something is still to come. A broker's promise may be any thenable. */
export function isPromised<Value>(value: Awaitable<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | null)?.then === "function";
}

/** Goes on with a value: at once where it is there, else when it has come. */
export function andThen<Value, Next>(
  value: Awaitable<Value>,
  goOn: (value: Value) => Awaitable<Next>,
): Awaitable<Next> {
  return isPromised(value) ? value.then(goOn) : goOn(value);
}
