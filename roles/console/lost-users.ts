/** Users whose radios are lost: begun by one press, and followed until the last of the others has answered. */
import { pause } from "../../base/deadline.ts";
import { loseUserEverywhere } from "../gms/admin/lost-user.ts";
import { operator } from "../gms/common/caller.ts";
import type { LostUser } from "../gms/common/ports.ts";
import type { ServerLog } from "../server/log.ts";
import type { ConsoleBackend } from "./backend.ts";
import type { LostView } from "./messages.ts";

/** Followed at a time; of more the oldest is followed no longer, while what was begun goes on. */
const MOST = 16;
/** Milliseconds between two looks. */
const LOOK_MS = 500;
/** After so long without an end nobody is waiting any more. A second press looks again. */
const FOLLOW_MS = 60 * 60_000;
/** The members who have not confirmed yet, by name. */
const NAMED = 100;
const MOST_POINTS = 500;

export interface LostUsersOptions {
  readonly backend: Pick<ConsoleBackend, "gms" | "kms">;
  readonly tell: (lost: LostView) => void;
  readonly now: () => number;
  readonly log: ServerLog;
}

interface Followed {
  view: LostView;
  readonly stop: AbortController;
  ended: Promise<void>;
}

export class LostUsers {
  readonly #options: LostUsersOptions;
  readonly #followed = new Map<string, Followed>();

  constructor(options: LostUsersOptions) {
    this.#options = options;
  }

  list(): LostView[] {
    return [...this.#followed.values()].map(({ view }) => view);
  }

  /** The user is revoked, and out of all groups, when it returns. Errors are those of KMS and GMS. */
  async lose(user: string, actor: string, reason: string): Promise<LostView> {
    const { backend, now } = this.#options;
    await this.#drop(user);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), FOLLOW_MS).unref();
    const { kms, gms } = backend;
    const looks = loseUserEverywhere({
      ...{ userUri: user, caller: operator(actor), reason, gms, lookMs: LOOK_MS, signal: stop.signal },
      kms: kms?.as(actor),
      wait: (milliseconds) => pause(milliseconds, stop.signal),
    });
    const begun: Pick<LostView, "user" | "reason" | "actor" | "startedAt"> = {
      ...{ user, reason, actor, startedAt: now() },
    };
    const first = await looks.next();
    const followed: Followed = {
      view: viewOf(begun, first.value as LostUser, now(), undefined),
      stop,
      ended: Promise.resolve(),
    };
    this.#followed.set(user, followed);
    if (this.#followed.size > MOST) await this.#drop(this.#followed.keys().next().value!);
    this.#options.tell(followed.view);
    followed.ended = this.#follow(followed, looks).finally(() => clearTimeout(timer));
    return followed.view;
  }

  async close(): Promise<void> {
    for (const user of [...this.#followed.keys()]) await this.#drop(user);
  }

  async #follow(followed: Followed, looks: AsyncGenerator<LostUser>): Promise<void> {
    const { now, tell, log } = this.#options;
    try {
      for await (const lost of looks) {
        const before = followed.view;
        followed.view = viewOf(before, lost, now(), before);
        if (followed.view !== before) tell(followed.view);
      }
    } catch (error) {
      log.warn({ detail: String(error) }, "a lost user is followed no longer");
      followed.view = { ...followed.view, fault: error instanceof Error ? error.message : String(error) };
      tell(followed.view);
    }
  }

  async #drop(user: string): Promise<void> {
    const followed = this.#followed.get(user);
    this.#followed.delete(user);
    followed?.stop.abort();
    await followed?.ended;
  }
}

/** As it was before, where nothing has changed. */
function viewOf(
  begun: Pick<LostView, "user" | "reason" | "actor" | "startedAt">,
  { gmks, withoutKey, unaware, done }: LostUser,
  at: number,
  before: LostView | undefined,
): LostView {
  const outstanding = [...new Set([...withoutKey, ...unaware])].sort();
  const others = Math.max(before?.others ?? 0, outstanding.length);
  const revoked = gmks.filter(({ state }) => state === "revoked").length;
  const point = { at, withoutKey: withoutKey.length, unaware: unaware.length, revoked };
  const last = before?.course.at(-1);
  const isSame =
    last !== undefined &&
    last.withoutKey === point.withoutKey &&
    last.unaware === point.unaware &&
    last.revoked === revoked &&
    before?.done === done;
  if (isSame) return before!;
  const { user, reason, actor, startedAt } = begun;
  return {
    ...{ user, reason, actor, startedAt, others, done },
    groups: [...new Set(gmks.flatMap((gmk) => gmk.groups))].sort(),
    gmks: gmks.length,
    outstanding: outstanding.slice(0, NAMED),
    course: [...(before?.course ?? []), point].slice(-MOST_POINTS),
  };
}
