/** The connection in words, with a way to hurry it: markup that a page can style, replace or leave out. */
import type { Client, ConnectionStatus } from "@tailwire/client";
import { type CSSProperties, type ReactElement, type ReactNode, useSyncExternalStore } from "react";

/** A status, as {@link ConnectionStatusProps.children} is given it. */
export interface ShownStatus {
  readonly status: ConnectionStatus;
  /** Until the next attempt; null when none is due. */
  readonly secondsLeft: number | null;
  /** Tries now. */
  readonly retry: () => void;
}

export interface ConnectionStatusProps {
  readonly className?: string | undefined;
  /** Leaves the default style out. */
  readonly unstyled?: boolean | undefined;
  /** Takes the place of the words and the button, in any language. */
  readonly children?: ((shown: ShownStatus) => ReactNode) | undefined;
}

const WORDS: Readonly<Record<ConnectionStatus["state"], string>> = {
  idle: "Not connected",
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  offline: "Offline",
  closed: "Disconnected",
};

const STYLE: CSSProperties = {
  display: "flex",
  gap: "0.5em",
  alignItems: "center",
  padding: "var(--tailwire-status-padding, 0.25em 0.75em)",
  font: "var(--tailwire-status-font, 0.875rem system-ui, sans-serif)",
  color: "var(--tailwire-status-color, inherit)",
  background: "var(--tailwire-status-background, transparent)",
};

/** Often enough for no second to be left out. */
const TICK_MS = 250;

const everyTick = (listener: () => void): (() => void) => {
  const timer = setInterval(listener, TICK_MS);
  return () => clearInterval(timer);
};
const never = (): (() => void) => () => undefined;

function useSecondsUntil(at: number | null): number | null {
  return useSyncExternalStore(
    at === null ? never : everyTick,
    () => (at === null ? null : Math.max(0, Math.ceil((at - Date.now()) / 1_000))),
    () => null,
  );
}

/** Shows a status. */
export function ConnectionView({
  client,
  status,
  className,
  unstyled = false,
  children,
}: ConnectionStatusProps & {
  readonly client: Client;
  readonly status: ConnectionStatus;
}): ReactElement {
  const secondsLeft = useSecondsUntil(status.retryAt);
  const retry = (): void => client.retryNow();
  return (
    <div className={className} style={unstyled ? undefined : STYLE} data-tailwire={status.state}>
      {children?.({ status, secondsLeft, retry }) ?? (
        <>
          <span role="status" aria-live="polite" data-tailwire-words="">
            {wordsFor(status)}
          </span>
          {/* A screen reader would say every second, so it isn't in the region that is read out. */}
          {secondsLeft !== null && <span data-tailwire-countdown="">in {secondsLeft} s</span>}
          {status.state === "reconnecting" && (
            <button type="button" data-tailwire-retry="" onClick={retry}>
              Retry now
            </button>
          )}
        </>
      )}
    </div>
  );
}

function wordsFor({ state, pending, reason }: ConnectionStatus): string {
  const because = state === "closed" && reason !== null ? ` (${reason})` : "";
  const waiting = state === "offline" && pending > 0 ? `, ${pending} waiting to be sent` : "";
  return WORDS[state] + because + waiting;
}
