/** What keeps NATS from storing (bus-storage.ts), for those who speak no NATS. */

/** `full`: no room where streams live. `failed`: another write error. `off`: there is no JetStream. */
export const STORAGE_FAULTS = ["full", "failed", "off"] as const;
export type StorageFault = (typeof STORAGE_FAULTS)[number];

/** JetStream's own code for an entry that can't be stored, which our refusals carry too. */
export const NOT_STORED = 10_077;
