/** `diskBroker`: the disk broker as an application names it. */
import { resolve } from "node:path";
import type { OpenBroker } from "../../log/broker-host.ts";
import { givenOptions, type Kinds, TEXT } from "../../support/given-options.ts";
import { DiskBroker } from "./disk-broker.ts";
import { explained } from "./directory-error.ts";
import { isLock, takeLock } from "./lock.ts";
import { nodeFolder } from "./node-files.ts";

/** The options of {@link diskBroker}. */
export interface DiskOptions {
  /** The folder of the logs, which is made where it isn't there. One process uses it at a time. */
  readonly directory: string;
}

const OPTIONS: Kinds<DiskOptions> = {
  directory: {
    ...TEXT,
    fits: (value) => typeof value === "string" && value !== "",
    words: "a path",
  },
};

const SIZES = { segmentBytes: 67_108_864, segmentMs: 300_000 };

/**
 * Keeps logs in files, so that a server goes on where the last one on the same directory ended: no epoch
 * changes, and no publication is missing, also after a kill or a power loss.
 *
 * Opening reads the files, and throws `directory_in_use` when another process has the directory,
 * `directory_foreign` when it holds other files, `directory_damaged` when a file isn't what was written,
 * `directory_unknown` when a later version wrote it, `directory_failed` for errors of the file system.
 *
 * @throws TypeError when the directory is missing or no path.
 */
export function diskBroker(options: DiskOptions): OpenBroker {
  const { directory } = givenOptions<DiskOptions>("diskBroker", options, OPTIONS);
  if (directory === undefined) throw new TypeError("diskBroker needs a directory, a path");
  const path = resolve(directory);
  return (host) => {
    let release = (): void => undefined;
    try {
      const folder = nodeFolder(path);
      release = takeLock(path, host.random.token());
      return new DiskBroker(host, { ...SIZES, folder, isOurs: isLock, closed: release });
    } catch (error) {
      release();
      throw explained(error, path);
    }
  };
}
