/**
 * Collections that are empty most of the time, and take next to nothing while they are: a map takes
 * 184 bytes before anything is in it, which a connection or a channel would pay several times over.
 *
 * They do what `Map` and `Set` do, as far as that is used. They don't know what is in them.
 */

export class SparseMap<Key, Value> {
  #map: Map<Key, Value> | null = null;

  get size(): number {
    return this.#map?.size ?? 0;
  }

  get(key: Key): Value | undefined {
    return this.#map?.get(key);
  }

  has(key: Key): boolean {
    return this.#map?.has(key) ?? false;
  }

  set(key: Key, value: Value): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  delete(key: Key): boolean {
    const had = this.#map?.delete(key) ?? false;
    if (this.#map?.size === 0) this.#map = null;
    return had;
  }

  clear(): void {
    this.#map = null;
  }

  keys(): Iterable<Key> {
    return this.#map?.keys() ?? [];
  }

  values(): Iterable<Value> {
    return this.#map?.values() ?? [];
  }

  entries(): Iterable<readonly [Key, Value]> {
    return this.#map?.entries() ?? [];
  }
}

export class SparseSet<Value> {
  #set: Set<Value> | null = null;

  add(value: Value): void {
    this.#set ??= new Set();
    this.#set.add(value);
  }

  delete(value: Value): boolean {
    const had = this.#set?.delete(value) ?? false;
    if (this.#set?.size === 0) this.#set = null;
    return had;
  }
}
