/** tailwire: the standalone server with its demo page, to be started from a program. */
export { type Standalone, type StandaloneOptions, startStandalone } from "./standalone.ts";
