/** The links between the repository's documents: each leads to a file or folder that is there. */
import { dirname, posix } from "node:path";
import type { Finding } from "./finding.ts";
import type { Tree } from "./tree.ts";

/** A link's target, or an image's, up to its title. */
const LINK = /\]\(([^)\s]+)/g;
/** Addresses elsewhere, places on the same page, and pictures, which a tree doesn't have. */
const UNCHECKED = /^(?:[a-z]+:|#)|\.png$/;

/** Finds links to what isn't there. Fenced code has none. */
export function checkDocLinks(tree: Tree): Finding[] {
  const places = placesOf(tree);
  const findings: Finding[] = [];
  for (const [file, text] of tree) {
    if (!file.endsWith(".md")) continue;
    for (const [index, line] of withoutFences(text).split("\n").entries()) {
      for (const [, target = ""] of line.matchAll(LINK)) {
        if (UNCHECKED.test(target) || places.has(placeOf(file, target))) continue;
        const message = `the link to ${target} leads nowhere`;
        findings.push({ file, line: index + 1, rule: "docs", message });
      }
    }
  }
  return findings;
}

function placeOf(file: string, target: string): string {
  const path = posix.join(dirname(file), target.replace(/#.*/, ""));
  return path.replace(/\/$/, "");
}

/** Every file and every folder of the tree. */
function placesOf(tree: Tree): ReadonlySet<string> {
  const places = new Set<string>();
  for (const path of tree.keys()) {
    for (let place = path; place !== "."; place = dirname(place)) places.add(place);
  }
  return places;
}

/** The text with its fenced lines emptied, so that the others keep their numbers. */
function withoutFences(text: string): string {
  return text.replace(/^( *)(`{3,})[^`\n]*\n[\s\S]*?^ *\2$/gm, (fence) =>
    fence.replace(/[^\n]/g, ""),
  );
}
