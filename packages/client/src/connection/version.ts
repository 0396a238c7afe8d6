/** This library's version, as `hello` names it. A test holds it to package.json. */
export const VERSION = "0.1.0";
