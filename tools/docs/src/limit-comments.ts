/**
 * The reason of each limit, read from its comment in the source: the one place where it is said.
 * It knows the shape of those files and nothing of what they limit.
 */

/** Comments by the name of the property, or the constant, that they stand before. Objects have none. */
export function commentsOf(source: string): ReadonlyMap<string, string> {
  const comments = new Map<string, string>();
  for (const match of source.matchAll(
    /\/\*\*\s((?:(?!\*\/)[\s\S])+)\s\*\/\n((?:(?:export const|\s+(?:readonly )?)\s*\w+(?::| =)[^\n]*[^{\n]\n)+)/g,
  )) {
    const [, comment = "", properties = ""] = match;
    const text = comment.replaceAll(/\s*\n?\s*\*\s/g, " ").trim();
    for (const [, name = ""] of properties.matchAll(
      /^(?:export const|\s+(?:readonly )?)\s*(\w+)(?::| =)/gm,
    )) {
      comments.set(name, text);
    }
  }
  return comments;
}
