/** Support that the tests here share: a build, plain HTTP as a stranger would speak it, and a server. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type Standalone, type StandaloneOptions, startStandalone } from "../src/standalone.ts";

export const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** Compiles what a browser is served. It does nothing where that is up to date. */
export function build(): void {
  const compiler = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const projects = [packageFolder, join(packageFolder, "page")];
  execFileSync(process.execPath, [join(compiler, "bin", "tsc"), "-b", ...projects]);
}

/** An empty folder, for one test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "tailwire-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** A standalone server on a free port, for one test. */
export async function startForTest(options: StandaloneOptions = {}): Promise<Standalone> {
  const standalone = await startStandalone({ port: 0, ...options });
  onTestFinished(() => standalone.close());
  return standalone;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One request, with its path sent as it stands: `fetch` would tidy it up first. */
export function ask(
  standalone: Standalone,
  path: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const { hostname, port } = new URL(standalone.url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on("error", reject).end();
  });
}

/** The stable code of a coded answer. */
export function codeOf({ text }: Reply): unknown {
  return (JSON.parse(text) as { readonly code?: unknown }).code;
}
