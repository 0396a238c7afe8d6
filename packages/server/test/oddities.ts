// Values that JavaScript lets an application throw or give, and nobody expects.

/** A promise that rejects, before anybody can have looked at it. */
export const rejecting = async (reason: unknown): Promise<never> => {
  throw reason as Error;
};

const boom = (): never => {
  throw new Error("boom");
};

/** An object that looks like a promise until it is asked whether it is one. */
export function thenThrows(): object {
  return new Proxy({}, { get: (_target, name) => (name === "then" ? boom() : undefined) });
}

/** Made anew for each use: some of them are good for one look only. */
export const THROWABLES: Readonly<Record<string, () => unknown>> = {
  "an error": () => new Error("plain"),
  text: () => "text",
  nothing: () => undefined,
  null: () => null,
  NaN: () => Number.NaN,
  "a bigint": () => 10n,
  "a symbol": () => Symbol("odd"),
  "a function": () => boom,
  "an object without a prototype": () => Object.create(null) as unknown,
  "what a client sent": () => JSON.parse('{"toString":1,"valueOf":1}') as unknown,
  "an object whose toString throws": () => ({ toString: boom }),
  "an object whose toPrimitive throws": () => ({ [Symbol.toPrimitive]: boom }),
  "an error whose message throws": () =>
    Object.defineProperty(new Error(), "message", { get: boom }),
  "an error whose message is a number": () => Object.assign(new Error(), { message: 7 }),
  "an error whose stack throws": () => Object.defineProperty(new Error(), "stack", { get: boom }),
  "a revoked proxy": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  "a proxy whose every trap throws": () =>
    new Proxy({}, { get: boom, getPrototypeOf: boom, has: boom, ownKeys: boom }),
  "a thenable whose then throws": thenThrows,
  "an error as long as a book": () => new Error("x".repeat(100_000)),
};
