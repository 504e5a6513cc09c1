/**
 * The participants of groups' calls: the conference event package (RFC 4575, TS 24.379 10.1.3.4). Members of a group
 * subscribe while its call goes on, at the process that serves it, and are told who joins and who leaves.
 */
import { SerialQueue } from "../../../base/serial-queue.ts";
import { utf8 } from "../../../bindings/index.ts";
import {
  type ConferenceUser,
  MEDIA,
  writeConferenceInfo,
  writeMultipart,
} from "../../../documents/group-xml/index.ts";
import { sealSignalling } from "../../../documents/signalling-xml/index.ts";
import type { Incoming, NotifierSubscription, StateContent } from "../../../transport/sip/index.ts";
import type { BoundClient } from "./clients.ts";
import type { SignallingContext } from "./context.ts";
import { openRequest, requireMember } from "./opened.ts";
import { provenBy } from "./request.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

/** Milliseconds between two NOTIFYs of a call to one subscriber (RFC 4575 3.7). */
export const CONFERENCE_PAUSE_MS = 5000;

interface Watcher {
  readonly subscription: NotifierSubscription;
  readonly group: string;
  readonly client: BoundClient;
  readonly queue: SerialQueue;
  /** The version of the next document. */
  version: number;
  /** The participants that the last document named. */
  told: ReadonlySet<string>;
}

type Context = Pick<
  SignallingContext,
  "sessions" | "directory" | "clients" | "clock" | "random" | "count" | "log"
>;

export class Conferences {
  readonly #context: Context;
  readonly #watchers = new Map<NotifierSubscription, Watcher>();
  /** Calls of which something was told within the pause. */
  readonly #resting = new Map<string, () => void>();
  readonly #unsubscribe: () => void;

  constructor(context: Context) {
    this.#context = context;
    this.#unsubscribe = context.directory.onChange((group) => void this.#checkMembers(group));
  }

  /** A new subscription, or a refresh of one. Refusals are thrown. */
  async decide(
    subscription: NotifierSubscription,
    incoming: Incoming,
    context: SignallingContext,
  ): Promise<void> {
    const known = this.#watchers.get(subscription);
    if (known !== undefined) return requireOwn(known, incoming, context);
    const { client, info } = await openRequest(incoming, "mcptt", context);
    const { requestUri: group } = info;
    if (group === undefined) throw new SignallingRefusal("BAD_BODY", "mcptt-info names no group");
    await requireMember(context, group, client.user, "mcptt");
    if (context.sessions.participants(group) === undefined) throw new SignallingRefusal("NO_CALL", group);
    // Its earlier one is of a client that has begun anew.
    for (const one of this.#of(group)) if (one.client === client) one.subscription.drop(OVER);
    const watcher = {
      subscription,
      group,
      client,
      queue: new SerialQueue(),
      version: 0,
      told: new Set<string>(),
    };
    this.#watchers.set(subscription, watcher);
    context.count("conference_subscribed");
  }

  /** For the NOTIFY that follows a SUBSCRIBE: all who are there. */
  async current(subscription: NotifierSubscription): Promise<StateContent> {
    const watcher = this.#watchers.get(subscription);
    if (watcher === undefined) return {};
    return watcher.queue.run(() => this.#content(watcher, "full"));
  }

  ended(subscription: NotifierSubscription): void {
    this.#watchers.delete(subscription);
  }

  /** Somebody has joined or left, or the call is over. */
  changed(group: string): void {
    const watchers = this.#of(group);
    if (watchers.length === 0) return;
    if (this.#context.sessions.participants(group) === undefined) {
      for (const { subscription } of watchers) void subscription.terminate("noresource");
      return;
    }
    if (this.#resting.has(group)) return;
    // Watchers who have not been told everything are told everything next.
    for (const watcher of watchers) if (watcher.version > 0) void this.#tell(watcher);
    const cancel = this.#context.clock.after(CONFERENCE_PAUSE_MS, () => {
      this.#resting.delete(group);
      if (this.#of(group).some((watcher) => this.#changesOf(watcher).length > 0)) this.changed(group);
    });
    this.#resting.set(group, cancel);
  }

  /** The binding of a client is over. */
  gone(client: BoundClient): void {
    for (const watcher of this.#watchers.values()) {
      if (watcher.client === client) watcher.subscription.drop(OVER);
    }
  }

  close(): void {
    this.#unsubscribe();
    for (const cancel of this.#resting.values()) cancel();
    this.#resting.clear();
  }

  #of(group: string): Watcher[] {
    return [...this.#watchers.values()].filter((watcher) => watcher.group === group);
  }

  async #tell(watcher: Watcher): Promise<void> {
    const { queue, subscription, group, client } = watcher;
    await queue.run(async () => {
      if (this.#changesOf(watcher).length === 0) return;
      try {
        // Not awaited: the subscription sends one after the other.
        void subscription.notify(await this.#content(watcher, "partial"));
      } catch (error) {
        this.#context.log.warn(
          { group, user: client.user, detail: String(error) },
          "a conference was not told of",
        );
        void subscription.terminate("noresource");
      }
    });
  }

  #changesOf({ group, told }: Watcher): ConferenceUser[] {
    const now = new Set(this.#context.sessions.participants(group));
    const left = [...told].filter((uri) => !now.has(uri)).map((uri) => ({ uri, isPresent: false }));
    const come = [...now].filter((uri) => !told.has(uri)).map((uri) => ({ uri, isPresent: true }));
    return [...left, ...come];
  }

  /** Signed under the CSK: the identities in it are attributes, of which TS 33.180 9.3.4 encrypts none. */
  async #content(watcher: Watcher, state: "full" | "partial"): Promise<StateContent> {
    const { sessions, random } = this.#context;
    const { group: entity, client } = watcher;
    const now = sessions.participants(entity) ?? [];
    const users = state === "full" ? now.map((uri) => ({ uri, isPresent: true })) : this.#changesOf(watcher);
    const document = writeConferenceInfo({ entity, state, version: watcher.version++, users });
    watcher.told = new Set(now);
    const part = { contentType: MEDIA.conferenceInfo, body: utf8(document) };
    return writeMultipart(await sealSignalling([part], client.xml.sending, { random }));
  }

  /** Members may have been removed from the group. */
  async #checkMembers(group: string): Promise<void> {
    for (const { subscription, client } of this.#of(group)) {
      const member = await this.#context.directory.member(group, client.user).catch(() => undefined);
      if (member?.group?.services?.includes("mcptt") === false || member === undefined) {
        void subscription.terminate("rejected");
      }
    }
  }
}

const OVER = { cause: "terminated" } as const;

/** A refresh changes nothing but the time, so that its body is not read: it is the client's by its connection, or by a token. */
async function requireOwn(
  { subscription, client, group }: Watcher,
  incoming: Incoming,
  context: SignallingContext,
): Promise<void> {
  if (!context.clients.has(client)) throw new SignallingRefusal("NOT_BOUND", client.user);
  if (!(incoming.flow.reliable && subscription.isFrom(incoming))) {
    const users = await provenBy(incoming.request, [], context);
    if (users === undefined) throw new SignallingRefusal("TOKEN_MISSING", client.user);
    if (!users.includes(client.user)) throw new SignallingRefusal("FORGED_CALLER", client.user);
  }
  await requireMember(context, group, client.user, "mcptt");
}
