/**
 * A host: the machine of a node, and the node that runs on it now. It pauses, crashes, and starts
 * anew; what of the node's logs outlives that is its broker's business.
 */
import type { Clock } from "@tailwire/protocol";
import type { TailwireNode } from "@tailwire/server/core";
import { Device } from "./device.ts";

export class Host {
  readonly #clock: Clock;
  readonly #start: (device: Device) => TailwireNode;
  #device: Device;
  #node: TailwireNode;
  /** Whether there is a process that takes connections. */
  isUp = true;

  constructor(clock: Clock, start: (device: Device) => TailwireNode) {
    this.#clock = clock;
    this.#start = start;
    this.#device = new Device(clock);
    this.#node = start(this.#device);
  }

  get node(): TailwireNode {
    return this.#node;
  }

  /** The machine, for as long as the process lives. */
  get device(): Device {
    return this.#device;
  }

  /** The process begins to end: it takes nobody any more, and tells those that it has. */
  close(): void {
    this.isUp = false;
    void this.#node.close();
  }

  /** The process ends without a word. */
  crash(): void {
    this.#device.end();
    this.isUp = false;
  }

  /** A new process starts. */
  start(): void {
    this.#device = new Device(this.#clock);
    this.#node = this.#start(this.#device);
    this.isUp = true;
  }
}
