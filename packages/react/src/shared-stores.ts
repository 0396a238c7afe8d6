/**
 * The stores of a client's channels, each for as long as a component holds it: components of one channel
 * share a store, and with it a subscription. Rendering looks a store up and makes none, so that a render
 * that is thrown away leaves nothing behind.
 */
import type { Client } from "@tailwire/client";
import { ChannelStore, type Place } from "./channel-store.ts";

interface Shared {
  readonly store: ChannelStore;
  holders: number;
}

const ALL = new WeakMap<Client, Map<string, Shared>>();

/** The store that components hold; undefined where none does. */
export function sharedStore(client: Client, key: string): ChannelStore | undefined {
  return ALL.get(client)?.get(key)?.store;
}

/** Holds a store, made where there is none, and calls back on its changes. */
export function holdStore(key: string, place: Place, listener: () => void): () => void {
  const stores = ALL.get(place.client) ?? new Map<string, Shared>();
  ALL.set(place.client, stores);
  const shared = stores.get(key) ?? { store: new ChannelStore(place), holders: 0 };
  stores.set(key, shared);
  shared.holders += 1;
  const stop = shared.store.listen(listener);
  return () => {
    stop();
    shared.holders -= 1;
    // StrictMode runs effects twice, and a list may move its items: the next holder comes at once.
    void Promise.resolve().then(() => {
      if (shared.holders > 0 || stores.get(key) !== shared) return;
      stores.delete(key);
      shared.store.close();
    });
  };
}
