/** Checks of what is asked for, before any of it touches the store. */

import { utf8 } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import {
  type GroupSettings,
  MAX_PRIORITY,
  type MemberKind,
  type MemberRecord,
} from "../../../store/gms/records.ts";
import { refused } from "../common/errors.ts";
import type { GmkOptions, NewMember, SettingsChange } from "../common/ports.ts";
import { DEFAULT_SERVICES, SERVICES } from "../common/services.ts";
import { requireServiceId, requireUri } from "../common/uri.ts";
import { knownKms } from "../planner/messages.ts";
import type { OperationDeps } from "./deps.ts";

/** The most participants that a group may allow in a call. */
const MAX_PARTICIPANTS = 1_000_000;
/** A day, in seconds. */
const MAX_HANG_TIMER = 86_400;
const MAX_ENCODINGS = 32;
const TEXT_BYTES = 1024;
const MANAGERS = 1000;
const TEN_YEARS_MS = 10 * 366 * 86_400_000;
/** The seconds of key parameters have 40 bits; nothing sensible is beyond the last T (2104). */
const LAST_TIME_MS = Date.UTC(2104, 0);

const KINDS: readonly MemberKind[] = ["user", "mcx-server", "gms"];

/** TS 24.481 7.2.8. */
const PROTECTIONS: readonly string[] = [
  "protect-media",
  "protect-floor-control-signalling",
  "mcdata-protect-media",
  "mcdata-protect-transmission-control",
  "mcvideo-protect-media",
  "mcvideo-protect-transmission-control",
];

/** A partner KMS that was permitted since the GMS last asked is asked for now, not a day later. */
async function meetPartners(deps: OperationDeps, members: readonly NewMember[]): Promise<void> {
  const isKnown = knownKms(deps);
  const unknown = members.flatMap(({ kmsUri }) =>
    kmsUri === undefined || isKnown({ kmsUri }) ? [] : [kmsUri],
  );
  if (unknown.length === 0) return;
  // What the KMS does not permit, or does not answer for, stays unknown.
  await deps.keys.redirect([...new Set(unknown)]).catch(() => undefined);
}

/**
 * Members as the store has them.
 *
 * @throws MikeySakkeError usage `BAD_MEMBER`: no URI, one twice, an unknown kind, a KMS without a certificate here
 */
export async function membersOf(deps: OperationDeps, members: readonly NewMember[]): Promise<MemberRecord[]> {
  if (members.length > deps.config.limits.membersPerGroup) {
    throw refused("BAD_MEMBER", `${members.length} members, at most ${deps.config.limits.membersPerGroup}`);
  }
  await meetPartners(deps, members);
  const isKnown = knownKms(deps);
  const uris = new Set<string>();
  return members.map(({ uri, kmsUri = deps.config.kmsUri, kind = "user", priority, extensions }, i) => {
    requireServiceId(uri, `member ${i + 1}`, "BAD_MEMBER");
    requireUri(kmsUri, `${uri}: KmsUri`, "BAD_MEMBER");
    if (uris.has(uri)) throw refused("BAD_MEMBER", `${uri}: twice among the members`);
    if (!KINDS.includes(kind)) throw refused("BAD_MEMBER", `${uri}: kind must be one of ${KINDS.join(", ")}`);
    if (!isKnown({ kmsUri })) {
      throw refused("BAD_MEMBER", `${uri}: the certificate of KMS ${kmsUri} is not known`);
    }
    if (priority !== undefined && !isWithin(priority, 0, MAX_PRIORITY)) {
      throw refused("BAD_MEMBER", `${uri}: priority must be from 0 to ${MAX_PRIORITY}`);
    }
    uris.add(uri);
    return { uri, kmsUri, kind, ...defined({ priority, extensions }) };
  });
}

export function requireRoom({ config }: OperationDeps, groupUri: string, members: number): void {
  const most = config.limits.membersPerGroup;
  if (members > most) throw refused("BAD_GROUP", `${groupUri}: ${members} members, at most ${most}`);
}

/**
 * Settings of a group: `changes` over `present`, or over the defaults. 0 for a time takes it away, and what is undefined in
 * the changes as well.
 *
 * @throws MikeySakkeError usage `BAD_GROUP`
 */
export function settingsOf(
  uri: string,
  changes: SettingsChange = {},
  present?: GroupSettings,
): GroupSettings {
  const bad = (text: string) => refused("BAD_GROUP", `${uri}: ${text}`);
  const defaults = { displayName: uri, services: DEFAULT_SERVICES, managers: [], unprotected: [] };
  const { rekeyEveryMs, gmkLifetimeMs, ...rest } = { ...defaults, rekeyOnAdd: false, ...present, ...changes };
  const { displayName, services = [], managers = [], unprotected = [], rekeyOnAdd } = rest;
  if (
    typeof displayName !== "string" ||
    utf8(displayName).length > TEXT_BYTES ||
    /\p{Cc}/u.test(displayName)
  ) {
    throw bad(`displayName: at most ${TEXT_BYTES} octets without control characters`);
  }
  requireSome(services, SERVICES, "services", bad);
  requireSome(unprotected, PROTECTIONS, "unprotected", bad);
  if (!Array.isArray(managers) || managers.length > MANAGERS) throw bad(`managers: at most ${MANAGERS}`);
  for (const manager of managers) requireServiceId(manager, `${uri}: manager`, "BAD_GROUP");
  if (typeof rekeyOnAdd !== "boolean") throw bad("rekeyOnAdd: true or false");
  const { inviteMembers, priority, maxParticipants, hangTimer, voiceEncodings, extensions } = rest;
  requireWithin({ priority }, 0, MAX_PRIORITY, bad);
  requireWithin({ maxParticipants }, 0, MAX_PARTICIPANTS, bad);
  requireWithin({ hangTimer }, 0, MAX_HANG_TIMER, bad);
  if (voiceEncodings !== undefined && voiceEncodings.length > MAX_ENCODINGS) {
    throw bad(`voiceEncodings: at most ${MAX_ENCODINGS}`);
  }
  return {
    displayName,
    services: [...new Set(services)],
    managers: [...new Set(managers)],
    unprotected: [...new Set(unprotected)],
    rekeyOnAdd,
    ...defined({ inviteMembers, priority, maxParticipants, hangTimer, voiceEncodings, extensions }),
    ...(span(rekeyEveryMs, "rekeyEveryMs", bad) && { rekeyEveryMs: rekeyEveryMs! }),
    ...(span(gmkLifetimeMs, "gmkLifetimeMs", bad) && { gmkLifetimeMs: gmkLifetimeMs! }),
  };
}

/** @throws MikeySakkeError usage `BAD_GROUP` */
export function requireGmkOptions(
  { config, now }: OperationDeps,
  uri: string,
  { activation, expiry, text = "", sharedWith = [] }: GmkOptions,
): void {
  const bad = (reason: string) => refused("BAD_GROUP", `${uri}: ${reason}`);
  for (const [name, time] of [
    ["activation", activation],
    ["expiry", expiry],
  ] as const) {
    if (time === undefined) continue;
    if (!Number.isSafeInteger(time) || time < 0 || time > LAST_TIME_MS)
      throw bad(`${name}: ${time} is no time`);
  }
  const begin = activation ?? now();
  if (expiry !== undefined && (expiry <= now() || expiry - begin < 1000)) {
    throw bad("expiry: must lie ahead, a second or more after the activation");
  }
  if (typeof text !== "string" || utf8(text).length > TEXT_BYTES) {
    throw bad(`text: at most ${TEXT_BYTES} octets`);
  }
  for (const other of sharedWith) requireUri(other, `${uri}: sharedWith`, "BAD_GROUP");
  const most = config.limits.groupsPerGmk;
  if (new Set([uri, ...sharedWith]).size > most) throw bad(`sharedWith: a GMK is for ${most} groups at most`);
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** The one value that is given, by its name. */
function requireWithin(
  given: Readonly<Record<string, number | undefined>>,
  least: number,
  most: number,
  bad: (text: string) => Error,
): void {
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !isWithin(value, least, most)) throw bad(`${name}: from ${least} to ${most}`);
  }
}

function requireSome(
  values: readonly string[],
  known: readonly string[],
  name: string,
  bad: (text: string) => Error,
): void {
  if (Array.isArray(values) && values.every((value) => known.includes(value))) return;
  throw bad(`${name}: of ${known.join(", ")}`);
}

/** Whether a time is set. */
function span(ms: number | undefined, name: string, bad: (text: string) => Error): boolean {
  if (ms === undefined || ms === 0) return false;
  if (Number.isSafeInteger(ms) && ms >= 1000 && ms <= TEN_YEARS_MS) return true;
  throw bad(`${name}: 0, or from a second to ten years`);
}
