/** A consumer in TypeScript, as strict as the compiler can be, with the packages' own declarations. */
import type { Case } from "../case.ts";
import { run } from "../processes.ts";
import { TYPED } from "../programs.ts";
import { binaryIn, type Stage, write } from "../stage.ts";

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true,
  target: "es2022",
  types: ["node"],
};

/** How modules are found, by the name of the case. */
const RESOLUTIONS = {
  nodenext: { module: "nodenext", moduleResolution: "nodenext", lib: ["es2023"] },
  bundler: { module: "esnext", moduleResolution: "bundler", lib: ["es2023", "dom"] },
} as const;

export const TYPE_CASES: readonly Case[] = Object.entries(RESOLUTIONS).map(([name, options]) => ({
  name: `TypeScript checks a strict program, ${name}`,
  run: async (stage: Stage): Promise<void> => {
    const project = await stage.project("typed", ["typescript", "@types/node"]);
    const compilerOptions = { ...STRICT, ...options };
    write(project, {
      [`${name}/program.mts`]: TYPED,
      [`${name}/tsconfig.json`]: JSON.stringify({ compilerOptions }),
    });
    await run(binaryIn(project, "tsc"), ["-p", name, "--pretty", "false"], { cwd: project });
  },
}));
