/** The keys of all users for a key period. What is saved is done: after an interruption it goes on with the rest. */
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { KeySet } from "../../../bindings/identity/kms-material.ts";
import type { KmsStore } from "../../../store/index.ts";
import { inOrder, slices } from "./in-order.ts";
import { SLICE, WIDTH } from "./issuer.ts";
import type { KeyIssuer } from "./key-issuer.ts";
import { wipeKeys } from "./key-sets.ts";

/** URIs read at a time. */
const PAGE = 4096;

export interface IssueAllOptions {
  readonly periodNo: number;
  /** Only these, which must be enrolled. Default: all who are. */
  readonly users?: readonly string[];
  /** Its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called when a batch is saved: users done, of all that there are to do. */
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Takes each key set, in the order of the users; it is wiped when the answer is there. With it the users who have
   * their keys already come too: whoever was interrupted may have saved keys that nobody took.
   */
  readonly onKeySet?: (keySet: KeySet) => void | Promise<void>;
}

export interface IssueAllResult {
  /** Users whose keys are in the store now. */
  readonly done: number;
  /** Users without keys since they are revoked. */
  readonly revoked: readonly string[];
}

/** @throws MikeySakkeError as `KeyIssuer.keys`, but for `USER_REVOKED`; the signal's reason; what `onKeySet` throws */
export async function issueAll(
  store: KmsStore,
  issuer: KeyIssuer,
  options: IssueAllOptions,
): Promise<IssueAllResult> {
  const { periodNo, signal, onProgress, onKeySet } = options;
  const unissued = options.users === undefined && onKeySet === undefined;
  const listed = await listUsers(store, unissued ? periodNo : undefined, signal);
  const { users, revoked } = options.users === undefined ? listed : chosen(options.users, listed);
  let done = 0;
  const work = async (uris: readonly string[]) => {
    const part = { issuer, store, periodNo, unissued, signal };
    const { keySets, refused } = await issueSlice(uris, part);
    // Not needed any more while the slices before are still at work.
    if (onKeySet === undefined) wipeKeys(keySets);
    return { keySets, refused };
  };
  const total = users.length + revoked.length;
  onProgress?.(revoked.length, total);
  for await (const some of inOrder(slices(users, SLICE), WIDTH, work, ({ keySets }) => wipeKeys(keySets))) {
    try {
      if (onKeySet) await Promise.all(some.keySets.map(async (keySet) => onKeySet(keySet)));
    } finally {
      wipeKeys(some.keySets);
    }
    revoked.push(...some.refused);
    done += some.keySets.length;
    onProgress?.(done + revoked.length, total);
  }
  return { done, revoked };
}

interface Users {
  readonly users: readonly string[];
  readonly revoked: string[];
}

/** Users who have no keys of `period` yet; all users if no period is given. */
async function listUsers(
  store: KmsStore,
  period: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Users> {
  const users: string[] = [];
  const revoked: string[] = [];
  let after: string | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const page = await store.users({
      limit: PAGE,
      ...defined({ after }),
      ...(period !== undefined && { notIssued: { period } }),
    });
    for (const { uri, revokedAt } of page) (revokedAt === undefined ? users : revoked).push(uri);
    if (page.length < PAGE) return { users, revoked };
    after = page.at(-1)!.uri;
  }
}

/** The given ones, once each and in their order. */
function chosen(wanted: readonly string[], listed: Users): Users {
  const allowed = new Set(listed.users);
  const refused = new Set(listed.revoked);
  const users: string[] = [];
  const revoked: string[] = [];
  for (const uri of new Set(wanted)) {
    if (allowed.has(uri)) users.push(uri);
    else if (refused.has(uri)) revoked.push(uri);
    else throw new MikeySakkeError("usage", "USER_UNKNOWN", `user ${uri}: not enrolled`);
  }
  return { users, revoked };
}

interface Part {
  readonly issuer: KeyIssuer;
  readonly store: KmsStore;
  readonly periodNo: number;
  readonly unissued: boolean;
  readonly signal: AbortSignal | undefined;
}

interface Slice {
  readonly keySets: KeySet[];
  /** Revoked users. */
  readonly refused: string[];
}

/** Users may be revoked at any time; then the slice is done again without them. */
async function issueSlice(uris: readonly string[], part: Part): Promise<Slice> {
  const { issuer, store, periodNo, unissued, signal } = part;
  const options = { unissued, ...defined({ signal }) };
  let allowed = uris;
  for (;;) {
    try {
      const keySets = await issuer.keys(
        allowed.map((userUri) => ({ userUri, periodNo })),
        options,
      );
      return { keySets, refused: uris.filter((uri) => !allowed.includes(uri)) };
    } catch (error) {
      if (!(error instanceof MikeySakkeError) || error.code !== "USER_REVOKED") throw error;
      const records = await Promise.all(allowed.map((uri) => store.user(uri)));
      allowed = allowed.filter((_, i) => records[i]?.revokedAt === undefined);
    }
  }
}
