/** Which conversation a page shows: the one that its address names, or a new one. */

/** Characters that tell this page's users and channels from those of others. */
export function randomTag(): string {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return number.toString(36).padStart(6, "0").slice(-6);
}

/**
 * The conversation's tag. It is in the address from now on, so that reloading the page, or opening
 * it a second time, goes on with it.
 */
export function roomTag(): string {
  const named = /^#([a-z0-9]{1,20})$/.exec(location.hash)?.[1];
  if (named !== undefined) return named;
  const tag = randomTag();
  history.replaceState(null, "", `#${tag}`);
  return tag;
}
