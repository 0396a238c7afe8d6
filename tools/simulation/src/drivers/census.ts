/**
 * A census: how much objects keep, in their private fields too, counted from outside by the debugger's
 * means. It asks none of the code that is judged, and costs that code nothing. A place that moves is
 * an error.
 */
import { type Runtime, Session } from "node:inspector";
import type { Census } from "../run/inspection.ts";

/** Where the debugger finds what it is to look at. */
const HOLDER = "__census";

type Remote = Runtime.RemoteObject;

/** Private ones are missing in the types. */
type Properties = Runtime.GetPropertiesReturnType & {
  readonly privateProperties?: readonly Runtime.PropertyDescriptor[];
};

/** Collections that hold one of these, or nothing. */
const HELD_BY: Readonly<Record<string, string>> = { SparseMap: "#map", SparseSet: "#held" };

export class InspectorCensus implements Census {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
  }

  /** @throws Error where there is no such field. */
  count(root: object, path: readonly string[]): number {
    const holder = globalThis as Record<string, unknown>;
    holder[HOLDER] = root;
    const { result } = this.#post("Runtime.evaluate", { expression: HOLDER }) as { result: Remote };
    delete holder[HOLDER];
    let found: readonly Remote[] = [result];
    for (const step of path) {
      found = found.flatMap((one) => (step === "*" ? this.#values(one) : this.#field(one, step)));
    }
    const sum = found.reduce((total, one) => total + this.#sizeOf(one), 0);
    this.#post("Runtime.releaseObjectGroup", { objectGroup: "" });
    return sum;
  }

  end(): void {
    this.#session.disconnect();
  }

  #field(object: Remote, name: string): readonly Remote[] {
    if (object.objectId === undefined) return [];
    const { result, privateProperties = [] } = this.#properties(object.objectId);
    const field = [...privateProperties, ...result].find((one) => one.name === name);
    if (field?.value === undefined) throw new Error(`${object.className} has no ${name}`);
    return [field.value];
  }

  /** The values of a map, a set or an array. */
  #values(object: Remote): readonly Remote[] {
    const inner = this.#heldBy(object);
    if (inner?.objectId === undefined) return [];
    const { result, internalProperties = [] } = this.#properties(inner.objectId);
    const entries = internalProperties.find(({ name }) => name === "[[Entries]]")?.value?.objectId;
    const own = entries === undefined ? result : this.#properties(entries).result;
    return own.flatMap(({ name, value }) => {
      if (value === undefined || !/^\d+$/.test(name)) return [];
      return entries === undefined ? [value] : this.#field(value, "value");
    });
  }

  #heldBy(object: Remote): Remote | undefined {
    const inner = HELD_BY[object.className ?? ""];
    return inner === undefined ? object : this.#field(object, inner)[0];
  }

  #sizeOf(object: Remote): number {
    const held = this.#heldBy(object);
    if (held === undefined || held.subtype === "null" || held.type === "undefined") return 0;
    if (held.type === "number") return Number(held.value);
    // Collections are described by their size.
    const size = /^(?:Map|Set|Array)\((\d+)\)$/.exec(held.description ?? "")?.[1];
    return size === undefined ? 1 : Number(size);
  }

  #properties(objectId: string): Properties {
    return this.#post("Runtime.getProperties", { objectId, ownProperties: true }) as Properties;
  }

  /** Calls back at once, since the debugger is in this very thread. */
  #post(method: string, params: object): object | undefined {
    let answer: object | undefined;
    this.#session.post(method, params, (error, result) => {
      if (error !== null) throw new Error(`${method}: ${error.message}`);
      answer = result;
    });
    return answer;
  }
}
