/**
 * Generated parts of a document: what stands between `<!-- generated: name -->` and `<!-- end -->`.
 * It doesn't know what they say.
 */

/** Makes the lines of a part. */
export type Part = () => readonly string[];

/**
 * A document with its generated parts made anew.
 *
 * @throws Error when it asks for a part that nobody makes, or doesn't end one.
 */
export function regenerate(text: string, parts: Readonly<Record<string, Part>>): string {
  return text.replaceAll(
    /<!-- generated: ([\w ]+) -->\n([\s\S]*?)(<!-- end -->|$)/g,
    (_whole, name: string, _old: string, end: string) => {
      const make = parts[name];
      if (make === undefined) throw new Error(`nobody generates "${name}"`);
      if (end === "") throw new Error(`"${name}" has no end`);
      return [`<!-- generated: ${name} -->`, "", ...make(), "", end].join("\n");
    },
  );
}
