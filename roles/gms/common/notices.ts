/** Notices of what other processes did, told by the database to the parts of this one. */
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import type { Notice } from "../../../store/gms/notices.ts";

export interface NoticeListener {
  notice(notice: Notice): void;
  /** Whether notices come at present; without them the store has to be looked at. */
  state(listening: boolean): void;
}

export interface Notices {
  /** Adds a listener, who hears the state at once if notices come; returns what takes it away. */
  on(listener: NoticeListener): () => void;
  start(): void;
  stop(): Promise<void>;
}

export function createNotices(store: GmsStore): Notices {
  const listeners = new Set<NoticeListener>();
  let listening = false;
  let end: (() => Promise<void>) | undefined;
  return {
    on(listener) {
      listeners.add(listener);
      if (listening) listener.state(true);
      return () => listeners.delete(listener);
    },
    start() {
      end ??= store.listen({
        notice: (notice) => {
          for (const listener of listeners) listener.notice(notice);
        },
        state: (now) => {
          if (now === listening) return;
          listening = now;
          for (const listener of listeners) listener.state(now);
        },
      });
    },
    async stop() {
      await end?.();
      end = undefined;
    },
  };
}
