/** Before all tests in a browser: what it will be served is compiled. */
import { build } from "../support.ts";

export function setup(): void {
  build();
}
