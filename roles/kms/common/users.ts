/** Users who may be served: enrolled by the operator, or by their token if policy allows it, and not revoked. */
import { KmsRefusal } from "./errors.ts";
import type { Tools } from "./exchange.ts";

type Needs = Pick<Tools, "config" | "store">;

/** @throws {KmsRefusal} USER_REVOKED or USER_UNKNOWN */
export async function requireUser(uri: string, now: number, tools: Needs): Promise<void> {
  const refused = await refusalOfUser(uri, now, tools);
  if (refused !== undefined) throw new KmsRefusal(refused, uri);
}

export async function refusalOfUser(
  uri: string,
  now: number,
  { config, store }: Needs,
): Promise<"USER_REVOKED" | "USER_UNKNOWN" | undefined> {
  const user = await store.user(uri);
  if (user !== undefined) return user.revokedAt === undefined ? undefined : "USER_REVOKED";
  const known = config.policy.autoEnrol || config.servers.some((server) => server.uri === uri);
  if (!known) return "USER_UNKNOWN";
  await store.enrol([uri], now);
  return undefined;
}
