/** The form of the vectors, as vectors/vectors.schema.json has it. */

export interface TestContext {
  /** The time at which the message is judged. */
  readonly now: string;
  /** "stored": T may be old. */
  readonly delivery?: "live" | "stored";
  /** Kinds of key that the procedure may bring; GMK when absent. */
  readonly allow?: readonly string[];
  /** Initiator that the carrier named. */
  readonly from?: string;
  /** The users who may send such a key. */
  readonly authorised: readonly string[];
  readonly requireParameters?: boolean;
  readonly expectedGroups?: readonly string[];
  readonly maxBytes?: number;
}

export interface MessageTest {
  readonly comment: string;
  /** Messages that are opened first, with the same state; all of them are valid. */
  readonly before?: readonly string[];
  readonly msg: string;
  readonly context: TestContext;
  readonly result: "valid" | "invalid" | "revoked";
  /** Number and code in docs/validation.md, of what is not valid. */
  readonly check?: number;
  readonly code?: string;
  readonly expected?: Readonly<Record<string, unknown>>;
}

export interface DocumentTest {
  readonly comment: string;
  readonly document: string;
  readonly result: "valid" | "invalid";
  readonly check?: number;
  readonly code?: string;
  readonly expected?: Readonly<Record<string, unknown>>;
}

export interface Group<T> {
  readonly type: string;
  readonly [field: string]: unknown;
  readonly tests: readonly T[];
}

export interface VectorFile<T> {
  readonly algorithm: string;
  readonly header: readonly string[];
  readonly numberOfTests: number;
  readonly testGroups: readonly Group<T & { readonly tcId: number }>[];
}

/** Numbers the tests through all groups. */
export function vectorFile<T>(
  algorithm: string,
  header: readonly string[],
  groups: readonly Group<T>[],
): VectorFile<T> {
  let tcId = 0;
  const testGroups = groups.map((group) => ({
    ...group,
    tests: group.tests.map((test) => ({ tcId: ++tcId, ...test })),
  }));
  return { algorithm, header, numberOfTests: tcId, testGroups };
}
