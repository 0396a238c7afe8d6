/** @tailwire/react: React hooks for the tailwire client. */
"use client";

export { createHooks, type Hooks } from "./hooks.tsx";
export type { ConnectionStatusProps, ShownStatus } from "./connection-view.tsx";
export type {
  AnyParams,
  ChannelArgs,
  ChannelOptions,
  ChannelState,
  ChannelView,
  RequestState,
  RequestView,
  ShownPublication,
  ShownPublished,
  ShownRefused,
  ShownSending,
} from "./types.ts";
