/** Members of groups, from the group documents of the GMS (TS 24.481), which the server reads over XCAP. */
import { defined } from "../../base/defined.ts";
import { groupDocumentPath, MEDIA, readGroupDocument } from "../../documents/group-xml/index.ts";
import type { Clock } from "../../transport/sip/index.ts";
import { XcapClient, type XcapClientOptions } from "../group-keys/xcap-client.ts";
import {
  CALL_PROTECTIONS,
  type GroupDirectory,
  type GroupMember,
  type GroupRules,
} from "./common/directory.ts";

export interface XcapDirectoryOptions extends XcapClientOptions {
  /** Milliseconds: how old what is known may be, and how often groups with a call are looked at. */
  readonly maxAgeMs: number;
  /** Milliseconds: for how long the last document counts when the GMS cannot be reached. */
  readonly patienceMs?: number;
  readonly now: () => number;
  readonly clock: Clock;
  /** Groups with a call. */
  readonly inUse: () => readonly string[];
  readonly onError?: (groupUri: string, error: unknown) => void;
  /** The GMS has answered. */
  readonly onAnswer?: () => void;
}

interface Group {
  /** Priorities of floor requests by member. */
  readonly members: ReadonlyMap<string, number>;
  readonly rules: GroupRules;
}

interface Known {
  /** Undefined: there is no such group, or it is none of this server's. */
  readonly group: Group | undefined;
  readonly at: number;
}

/** Floor control priority of members whose group document entry has none. */
const PRIORITY = 1;
/** The floor control message has one octet for it (TS 24.380 8.2.3.2). */
const HIGHEST_PRIORITY = 255;
const PATIENCE_MS = 60_000;
const MAX_GROUPS = 10_000;
/** Milliseconds for which a group that is not there is not asked for again; a new one may be missed for as long. */
const ABSENT_MS = 10_000;

export class XcapDirectory implements GroupDirectory {
  readonly #options: XcapDirectoryOptions;
  readonly #xcap: XcapClient;
  readonly #known = new Map<string, Known>();
  /** Groups that are not there, apart from those that are, which guesses must not displace. */
  readonly #absent = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<Known>>();
  readonly #listeners = new Set<(groupUri: string) => void>();
  readonly #abort = new AbortController();
  #stopTimer: (() => void) | undefined;

  constructor(options: XcapDirectoryOptions) {
    this.#options = options;
    this.#xcap = new XcapClient(options);
  }

  /** Looks at the groups in use from time to time. */
  start(): void {
    const { clock, maxAgeMs } = this.#options;
    const again = () => {
      this.#stopTimer = clock.after(maxAgeMs, () => void this.#look().finally(() => this.#isOn() && again()));
    };
    again();
  }

  stop(): void {
    this.#stopTimer?.();
    this.#abort.abort();
    this.#listeners.clear();
  }

  async member(groupUri: string, userUri: string): Promise<GroupMember | undefined> {
    const { group } = await this.#group(groupUri);
    const priority = group?.members.get(userUri);
    return priority === undefined ? undefined : { uri: userUri, priority, group: group!.rules };
  }

  async members(groupUri: string): Promise<readonly string[]> {
    const { group } = await this.#group(groupUri);
    return [...(group?.members.keys() ?? [])];
  }

  onChange(listener: (groupUri: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #isOn(): boolean {
    return !this.#abort.signal.aborted;
  }

  async #look(): Promise<void> {
    await Promise.all(this.#options.inUse().map((group) => this.#group(group).catch(() => undefined)));
  }

  #group(groupUri: string): Promise<Known> {
    const { now, maxAgeMs } = this.#options;
    const known = this.#known.get(groupUri);
    if (known !== undefined && now() - known.at < maxAgeMs) return Promise.resolve(known);
    const absent = this.#absent.get(groupUri);
    if (absent !== undefined && now() - absent.at < ABSENT_MS) return Promise.resolve(absent);
    let asking = this.#asking.get(groupUri);
    if (asking === undefined) {
      asking = this.#ask(groupUri, known).finally(() => this.#asking.delete(groupUri));
      this.#asking.set(groupUri, asking);
    }
    return asking;
  }

  async #ask(groupUri: string, known: Known | undefined): Promise<Known> {
    const { now, patienceMs = PATIENCE_MS, onError } = this.#options;
    const at = now();
    try {
      const group = await this.#read(groupUri, known);
      const fresh = { group, at };
      this.#known.delete(groupUri);
      keep(group === undefined ? this.#absent : this.#known, groupUri, fresh);
      if (known !== undefined && !isSame(known.group, group)) this.#tell(groupUri);
      return fresh;
    } catch (error) {
      onError?.(groupUri, error);
      if (known !== undefined && at - known.at < patienceMs) return known;
      // The members are not known any more: nobody counts as one.
      if (known !== undefined) {
        this.#known.delete(groupUri);
        this.#tell(groupUri);
      }
      throw error;
    }
  }

  async #read(groupUri: string, known: Known | undefined): Promise<Group | undefined> {
    const path = groupDocumentPath(groupUri);
    if (known === undefined) this.#xcap.keep(path, undefined);
    const answer = await this.#xcap.get(path, MEDIA.group, this.#abort.signal);
    this.#options.onAnswer?.();
    if (answer.state !== "content") return answer.state === "unchanged" ? known?.group : undefined;
    const document = readGroupDocument(answer.body);
    const { uri, members, services, maxParticipants, hangTimer } = document;
    const unprotected = Object.values(CALL_PROTECTIONS)
      .flat()
      .filter((name) => document.unprotected.includes(name));
    this.#xcap.keep(path, answer.etag);
    if (uri !== groupUri) return undefined;
    return {
      members: new Map(
        members?.map(({ uri: member, priority = PRIORITY }) => [
          member,
          Math.min(priority, HIGHEST_PRIORITY),
        ]),
      ),
      rules: {
        ...(services.length > 0 && { services }),
        ...(unprotected.length > 0 && { unprotected }),
        ...defined({ maxParticipants: maxParticipants || undefined, hangTimer: hangTimer || undefined }),
      },
    };
  }

  #tell(groupUri: string): void {
    for (const listener of [...this.#listeners]) listener(groupUri);
  }
}

function keep(groups: Map<string, Known>, groupUri: string, known: Known): void {
  groups.delete(groupUri);
  groups.set(groupUri, known);
  if (groups.size > MAX_GROUPS) groups.delete(groups.keys().next().value!);
}

function isSame(a: Group | undefined, b: Group | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const { members, rules } = b;
  return (
    a.members.size === members.size &&
    [...a.members].every(([uri, priority]) => members.get(uri) === priority) &&
    JSON.stringify(a.rules) === JSON.stringify(rules)
  );
}
