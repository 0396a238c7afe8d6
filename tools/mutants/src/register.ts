/** Installs the hooks for the mutant that `TAILWIRE_MUTANT` names: the first thing that a trial loads. */
import { register } from "node:module";
import { MUTANTS } from "./mutants.ts";

const name = process.env["TAILWIRE_MUTANT"];
const mutant = MUTANTS.find((one) => one.name === name);
if (mutant === undefined) throw new Error(`TAILWIRE_MUTANT: there is no mutant "${name}"`);
register("./hooks.js", { parentURL: import.meta.url, data: mutant });
