/** Timers of the host, which do not keep a process alive; tests bring their own. */
export interface GmsTimers {
  set(work: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

export const systemTimers: GmsTimers = {
  set: (work, ms) => setTimeout(work, ms).unref(),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
