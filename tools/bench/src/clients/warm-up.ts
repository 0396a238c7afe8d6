/** Publications that warm a client up before the measurement. */
export const WARM_UP = 20_000;
