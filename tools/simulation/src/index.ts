/** @tailwire/simulation: a simulated world in which the real client and server cores run. */
export { BrokerLine } from "./broker/broker-line.ts";
export { NO_WITNESS, SharedBroker } from "./broker/shared-broker.ts";
export { openApplication } from "./application.ts";
export { changed } from "./changed-broker.ts";
export { check } from "./checker/checker.ts";
export type { Beginning, Entry, HistoryEvent, Place } from "./checker/history.ts";
export type { Rule, Violation } from "./checker/violation.ts";
export { EMPTY_STATE, foldOne } from "./checker/truth.ts";
export { SimulatedClock } from "./clock.ts";
export { Device } from "./device.ts";
export { Dice } from "./dice.ts";
export { type Followed, Follower } from "./follower.ts";
export { Host } from "./host.ts";
export { type Direction, type Fate, Link, type LinkWatch, type Tap } from "./link.ts";
export { BAD_TOKEN, World, type WorldOptions } from "./world.ts";
export { InspectorCensus } from "./drivers/census.ts";
export { simulate } from "./drivers/simulate.ts";
export type { Outcome } from "./run/simulate.ts";
