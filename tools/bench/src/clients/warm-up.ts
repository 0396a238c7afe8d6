/** What comes first warms a client up, and isn't counted: so many publications. */
export const WARM_UP = 20_000;
