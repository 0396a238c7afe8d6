/** What a function of the application has given. That it is unfit is its fault, not the client's. */

/** @throws Error where `convert` refuses what was given. */
export function givenBy<Value>(who: string, convert: () => Value): Value {
  try {
    return convert();
  } catch (error) {
    throw new Error(`${who} gave what can't be sent`, { cause: error });
  }
}
