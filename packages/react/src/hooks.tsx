/** The hooks: they join what a client knows to React, and hold nothing themselves. */
import type { Client, ConnectionStatus, PublishOptions } from "@tailwire/client";
import {
  createContext,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useMemo,
  useSyncExternalStore,
} from "react";
import { Asker, NOT_ASKED } from "./asker.ts";
import { channelOf, NOTHING_YET, type Place } from "./channel-store.ts";
import { type ConnectionStatusProps, ConnectionView } from "./connection-view.tsx";
import { holdStore, sharedStore } from "./shared-stores.ts";
import type { AnyParams, ChannelArgs, ChannelOptions, ChannelView, RequestView } from "./types.ts";

/** Publications that a component keeps, where nobody says otherwise. */
const LIMIT = 500;

/** The connection on a server, which has none. */
const NOT_CONNECTED: ConnectionStatus = {
  state: "idle",
  attempt: 0,
  retryAt: null,
  reason: null,
  pending: 0,
};

export interface Hooks {
  /** Gives the components below it a client. It neither makes nor closes one. */
  readonly TailwireProvider: (props: {
    readonly client: Client;
    readonly children?: ReactNode;
  }) => ReactElement;
  /**
   * Follows a channel for as long as the component is mounted. Components with the same channel, start and
   * limit share a list, and all of a channel share a subscription on the wire.
   *
   * @throws RangeError when the limit is no whole number from 1 on; Error without a provider. A refusal is
   * in `error`, also where it is `bad_channel` or `bad_position`.
   */
  readonly useChannel: <Data = unknown, Pattern extends string = string>(
    pattern: Pattern,
    ...args: ChannelArgs<Pattern>
  ) => ChannelView<Data>;
  /** Sends a request when told to, and shows how the last one went. @throws Error without a provider. */
  readonly useRequest: <Output = unknown, Input = unknown>(
    name: string,
  ) => RequestView<Output, Input>;
  /** The connection, as in `client.status`. @throws Error without a provider. */
  readonly useConnectionStatus: () => ConnectionStatus;
  /**
   * Says how the connection is: `data-tailwire` on its element is the status' state. Variables
   * `--tailwire-status-color`, `-background`, `-font` and `-padding` theme it.
   */
  readonly ConnectionStatus: (props: ConnectionStatusProps) => ReactElement;
}

/** Makes hooks and their provider. Call it once, in a module, and export what it gives. */
export function createHooks(): Hooks {
  const Context = createContext<Client | null>(null);

  function useClient(): Client {
    const client = useContext(Context);
    if (client) return client;
    throw new Error(
      "there is no client: put <TailwireProvider client={…}> of the same hooks above",
    );
  }

  function useConnectionStatus(): ConnectionStatus {
    const client = useClient();
    const listen = useCallback((listener: () => void) => client.onStatus(listener), [client]);
    return useSyncExternalStore(
      listen,
      () => client.status,
      () => NOT_CONNECTED,
    );
  }

  return {
    TailwireProvider: ({ client, children }) => (
      <Context.Provider value={client}>{children}</Context.Provider>
    ),
    useChannel: <Data, Pattern extends string>(pattern: Pattern, ...args: ChannelArgs<Pattern>) => {
      const [params, options] = args as readonly [AnyParams?, ChannelOptions?];
      return useChannelOf(useClient(), pattern, params, options) as ChannelView<Data>;
    },
    useRequest: <Output, Input>(name: string) =>
      useRequestOf(useClient(), name) as RequestView<Output, Input>,
    useConnectionStatus,
    ConnectionStatus: (props) => (
      <ConnectionView {...props} client={useClient()} status={useConnectionStatus()} />
    ),
  };
}

function useChannelOf(
  client: Client,
  pattern: string,
  params: AnyParams | undefined,
  { start = "latest", limit = LIMIT, enabled = true }: ChannelOptions = {},
): ChannelView {
  if (!Number.isInteger(limit) || limit < 1) {
    throw new RangeError(`limit has to be a whole number from 1 on, and is ${limit}`);
  }
  const key = JSON.stringify([nameOf({ client, pattern, params }), start, limit]);
  // The key says what the place is.
  const seat = useMemo(
    () => seatAt(key, { client, pattern, params, start, limit }, enabled),
    [client, key, enabled],
  );
  const state = useSyncExternalStore(seat.listen, seat.get, () => NOTHING_YET);
  return useMemo(() => ({ ...state, publish: seat.publish, older: seat.older }), [state, seat]);
}

/** A component's place at a store, which may not be there. */
function seatAt(key: string, place: Place, enabled: boolean) {
  const { client } = place;
  return {
    listen: (listener: () => void) => (enabled ? holdStore(key, place, listener) : () => undefined),
    get: () => (enabled && sharedStore(client, key)?.get()) || NOTHING_YET,
    publish: (event: string, data: unknown, options?: PublishOptions) =>
      (sharedStore(client, key) ?? channelOf(place)).publish(event, data, options),
    older: async (count?: number) => sharedStore(client, key)?.older(count),
  };
}

/** The channel's full name; for params that no channel has, whatever tells them apart. */
function nameOf(place: Pick<Place, "client" | "pattern" | "params">): string {
  try {
    return channelOf(place).name;
  } catch {
    return JSON.stringify([place.pattern, place.params]);
  }
}

function useRequestOf(client: Client, name: string): RequestView {
  const asker = useMemo(() => new Asker(client, name), [client, name]);
  const state = useSyncExternalStore(asker.listen, asker.get, () => NOT_ASKED);
  return useMemo(() => ({ ...state, ask: asker.ask }), [state, asker]);
}
