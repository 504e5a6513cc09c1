/** The retention of audit entries, and their deletion a few at a time. */

const DAY_MS = 86_400_000;
/** In one statement, and in one call, so that neither holds up what else the database has to do. */
const AT_A_TIME = 5000;
const CALLS = 20;

export interface AuditRetention {
  /** Days; 0: for ever. */
  readonly auditDays: number;
  readonly anonymousAuditDays: number;
}

interface AuditStore {
  purgeAudit(options: {
    readonly before: number;
    readonly anonymousBefore: number;
    readonly limit: number;
  }): Promise<number>;
}

/** Deletes old entries and returns how many went. */
export async function purgeAudit(
  store: AuditStore,
  { auditDays, anonymousAuditDays }: AuditRetention,
  now: number,
): Promise<number> {
  // Nothing is older than the beginning of 1970.
  const begin = (days: number) => (days === 0 ? 0 : Math.max(0, now - days * DAY_MS));
  const times = { before: begin(auditDays), anonymousBefore: begin(anonymousAuditDays) };
  let gone = 0;
  for (let call = 0; call < CALLS; call++) {
    const count = await store.purgeAudit({ ...times, limit: AT_A_TIME });
    gone += count;
    if (count < AT_A_TIME) break;
  }
  return gone;
}
