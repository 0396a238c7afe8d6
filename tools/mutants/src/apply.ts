/** Makes a mutant of a file's text. It knows text, and neither modules nor what the code does. */
import type { Change } from "./mutant.ts";

/** The mutated text. @throws Error where the place isn't there exactly once. */
export function apply({ name, file, find, replace }: Change, text: string): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`"${name}": its place is in ${file} ${places} times, not once`);
  // By a function: a dollar in the replacement means itself.
  return text.replace(find, () => replace);
}
