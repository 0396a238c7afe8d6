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

/** A set that takes next to nothing with one value in it either. Its values are no sets and not null. */
export class SparseSet<Value extends object | string> {
  #held: Value | Set<Value> | null = null;

  get size(): number {
    if (this.#held === null) return 0;
    return this.#held instanceof Set ? this.#held.size : 1;
  }

  add(value: Value): void {
    if (this.#held instanceof Set) this.#held.add(value);
    else if (this.#held === null) this.#held = value;
    else if (this.#held !== value) this.#held = new Set([this.#held, value]);
  }

  delete(value: Value): boolean {
    if (!(this.#held instanceof Set)) {
      if (this.#held !== value) return false;
      this.#held = null;
      return true;
    }
    const had = this.#held.delete(value);
    if (this.#held.size === 0) this.#held = null;
    return had;
  }

  clear(): void {
    this.#held = null;
  }

  values(): Iterable<Value> {
    if (this.#held === null) return [];
    return this.#held instanceof Set ? this.#held : [this.#held];
  }
}
