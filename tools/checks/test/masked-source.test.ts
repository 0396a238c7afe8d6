/** The scanner that tells code, comments and literals apart. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { maskSource } from "../src/masked-source.ts";

test("comments and the insides of strings are blank in the code", () => {
  const { code } = maskSource(`a; // b\nc /* d\nd */ "e"; 'f';`);
  expect(code).toBe(`a;     \nc     \n     " "; ' ';`);
});

test("comments keep their place among blanks", () => {
  expect(maskSource("a; // b").comments).toBe("   // b");
});

test("a string that looks like a comment is not one", () => {
  expect(maskSource(`"// a"; b`)).toMatchObject({ code: `"    "; b`, comments: "         " });
});

test("an escaped quote does not end a string", () => {
  expect(maskSource(String.raw`"a\"b"; c`).code).toBe(`"    "; c`);
});

test("a template's text is blank and its expressions are code, nested ones too", () => {
  expect(maskSource("`a${b + `c${d}e`}f` + g").code).toBe("` ${b + ` ${d} `} ` + g");
});

test("braces inside a template's expression do not end it", () => {
  expect(maskSource("`a${ { b: {} } }c`; d").code).toBe("` ${ { b: {} } } `; d");
});

test("a regular expression is a literal and a division is not", () => {
  expect(maskSource('x = /a"[/]b/g; c').code).toBe("x = /      /g; c");
  expect(maskSource("x = a / b; // c /").code).toBe("x = a / b;       ");
  expect(maskSource("return /'/; d").code).toBe("return / /; d");
  expect(maskSource("(a) / 2; '/'").code).toBe("(a) / 2; ' '");
});

test("masking keeps the length and the line breaks of any text", () => {
  const piece = fc.constantFrom(
    "`",
    "${",
    "}",
    "{",
    '"',
    "'",
    "/",
    "//",
    "/*",
    "*/",
    "\\",
    "\n",
    "a",
    "é😀",
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      for (const masked of Object.values(maskSource(text)) as string[]) {
        expect(masked.length).toBe(text.length);
        expect(masked.split("\n").map((line) => line.length)).toEqual(
          text.split("\n").map((line) => line.length),
        );
      }
    }),
  );
});
