/** Tries one after another, as many at a time as there are cores, and says how far it is. */
import { availableParallelism } from "node:os";

/** The outcome of each item, in the order of the items. */
export async function tryAll<Item, Tried>(
  items: readonly Item[],
  attempt: (item: Item) => Promise<Tried>,
): Promise<readonly Tried[]> {
  const tried: Tried[] = [];
  const left = [...items.entries()];
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, item] = next;
      tried[index] = await attempt(item);
      done += 1;
      process.stderr.write(`\r${done} of ${items.length} tried `);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  process.stderr.write("\r");
  return tried;
}
