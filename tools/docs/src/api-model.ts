/**
 * A package's public API, read from its declarations in `dist` by api-extractor: names, signatures and
 * docstrings, in order of their names. It doesn't know what a page looks like.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";

/** A declaration, as api-extractor's model has it. */
export interface ApiItem {
  readonly kind: string;
  readonly name: string;
  /** The comment with its marks; empty where there is none. */
  readonly docComment: string;
  readonly excerptTokens: readonly { readonly text: string }[];
  readonly members?: readonly ApiItem[];
}

/** Options as an application on Node or in a page has them. */
const COMPILER_OPTIONS = {
  target: "es2022",
  module: "nodenext",
  moduleResolution: "nodenext",
  lib: ["es2023", "esnext.disposable", "dom"],
  types: ["node"],
  skipLibCheck: true,
  strict: true,
};

/**
 * The exports of an entry point.
 *
 * @throws Error where its declarations can't be read: they are made by `tsc -b`.
 */
export function apiOf(root: string, folder: string, entry: string): readonly ApiItem[] {
  const model = join(root, ".tmp", "api", `${folder}-${entry}.api.json`.replaceAll("/", "-"));
  mkdirSync(join(root, ".tmp", "api"), { recursive: true });
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, folder, "dist", `${entry}.d.ts`),
      compiler: { overrideTsconfig: { compilerOptions: COMPILER_OPTIONS } },
      apiReport: { enabled: false, reportFileName: "unused" },
      docModel: { enabled: true, apiJsonFilePath: model },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, folder, "package.json"),
  });
  const errors: string[] = [];
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      // Its advice on tags and release notes isn't this project's.
      if (message.messageId.startsWith("TS")) errors.push(message.text);
      message.handled = true;
    },
  });
  if (errors.length > 0) throw new Error(`${folder}: ${errors.join("; ")}`);
  const { members } = JSON.parse(readFileSync(model, "utf8")) as {
    readonly members: readonly ApiItem[];
  };
  return members[0]?.members ?? [];
}
