/**
 * The peers that tailwire is compared with, their versions and their folder. The folder is outside
 * the workspaces, so that `npm install` doesn't fetch them.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const FOLDER = resolve(".tmp/peers");

const VERSIONS = { "socket.io": "4.8.4", bun: "1.4.5" };

/** Centrifugo is a Go program, so it is built only where Go is installed. */
const CENTRIFUGO = "github.com/centrifugal/centrifugo/v6@v6.9.1";

/** The file from which the peers' modules are resolved. */
export const peerModules = `${FOLDER}/package.json`;

/** Fetches the peers. `say` names each that isn't available here. @throws Error when npm fails. */
export function installPeers(say: (line: string) => void): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(peerModules, JSON.stringify({ private: true, dependencies: VERSIONS }));
  const npm = ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"];
  execFileSync("npm", npm, { cwd: FOLDER, stdio: "inherit" });
  try {
    execFileSync("go", ["install", CENTRIFUGO], {
      env: { ...process.env, GOBIN: FOLDER },
      stdio: "inherit",
    });
  } catch {
    say("Centrifugo is left out: it needs Go to be built.");
  }
  for (const [name, path] of Object.entries({ bun: bunPath(), centrifugo: centrifugoPath() })) {
    say(path === null ? `${name} isn't there.` : `${name}: ${path}`);
  }
}

export function hasSocketIo(): boolean {
  return existsSync(`${FOLDER}/node_modules/socket.io`);
}

/** Bun's binary: the package of this platform has it. Null where it isn't installed. */
export function bunPath(): string | null {
  const binaries = `${FOLDER}/node_modules/@oven`;
  if (!existsSync(binaries)) return null;
  const paths = readdirSync(binaries).map((name) => `${binaries}/${name}/bin/bun`);
  return paths.find((path) => existsSync(path)) ?? null;
}

export function centrifugoPath(): string | null {
  const path = `${FOLDER}/centrifugo`;
  return existsSync(path) ? path : null;
}
