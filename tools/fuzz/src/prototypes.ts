/** Whether what everything inherits from is as it was when the program began. */
const PROTOTYPES = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
const KEYS = PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length);

export function isTamperedWith(): boolean {
  for (const key in {}) return key !== "";
  return PROTOTYPES.some((prototype, index) => Reflect.ownKeys(prototype).length !== KEYS[index]);
}
