/** What the address of a device's overview opens to show why its score is what it is. */
export const scoreFlyout = "score";
