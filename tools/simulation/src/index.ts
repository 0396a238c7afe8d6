/** @tailwire/simulation: a simulated world in which the real client and server cores run. */
export { openApplication } from "./application.ts";
export { SimulatedClock } from "./clock.ts";
export { Device } from "./device.ts";
export { Dice } from "./dice.ts";
export { type Followed, Follower } from "./follower.ts";
export { type Direction, type Fate, Link, type Tap } from "./link.ts";
export { BAD_TOKEN, World, type WorldOptions } from "./world.ts";
