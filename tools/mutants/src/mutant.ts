/** A mutant: a deliberate bug, and who has to find it. It doesn't know how either is done. */

/** A change of one place in a built file. */
export interface Change {
  readonly name: string;
  /** Below the repository's root; built. */
  readonly file: string;
  /** The code as it is, which stands in the file once. */
  readonly find: string;
  readonly replace: string;
  /** A seed that has found it, which is tried before the others. */
  readonly hint?: number;
}

/** A change with its finder: seeds, or the unit test in a file below the repository's root. */
export type Mutant = Change &
  (
    | { readonly foundBy: "seed" }
    | {
        readonly foundBy: "unit";
        readonly test: string;
      }
  );

/** The source that a mutant's file was built from. */
export function sourceOf({ file }: Change): string {
  return file.replace("/dist/", "/src/").replace(/\.js$/, ".ts");
}

/** Built files below a package, by the name of the source. */
export const server = (file: string): string => `packages/server/dist/${file}.js`;
export const client = (file: string): string => `packages/client/dist/${file}.js`;
