/** A subscriber that is told what to answer, and keeps what it hears. */
import { toHex, utf8 } from "../../../../base/bytes.ts";
import {
  type GktpEntry,
  gktpUserCollection,
  groupDocumentPath,
  MEDIA,
  mediaTypeOf,
  readMultipart,
  readXcapDiff,
  writeMcpttInfo,
  writeMultipart,
  writeResourceLists,
  type XcapDiff,
} from "../../../../documents/group-xml/index.ts";
import {
  type Answer,
  createSipEndpoint,
  type HostPort,
  type Notify,
  type SipEndpoint,
  type SipTransport,
  type SubscribeOptions,
  type Subscription,
  type SubscriptionEnd,
} from "../../../../transport/sip/index.ts";
import { random } from "../../../sip/support/endpoints.ts";
import type { Network } from "../../../sip/support/network.ts";
import type { VirtualClock } from "../../../support/clock.ts";

export interface MemberOptions {
  readonly uri: string;
  readonly address: HostPort;
  readonly gms: string;
  readonly network: Network;
  readonly clock: VirtualClock;
  readonly token: string;
  readonly groups: readonly string[];
}

export interface Heard {
  readonly diff: XcapDiff;
  /** Entries that patches add. */
  readonly added: readonly GktpEntry[];
  /** Parts beside the diff. */
  readonly messages: readonly Uint8Array[];
  readonly notify: Notify;
}

export type Reply = (heard: Heard) => Answer | Promise<Answer>;

export const OK: Reply = () => ({ status: 200 });
export const SILENT: Reply = () => new Promise(() => undefined);
export const WARNING_TEXT = "136 authentication of the MIKEY-SAKKE I_MESSAGE failed";
/** Returns a refusal, with more warnings if there are any. */
export const refuse = (status: number, ...more: readonly string[]): Answer => ({
  status,
  headers: (h) => {
    for (const text of [WARNING_TEXT, ...more]) h.append("Warning", `399 ue.example "${text}"`);
  },
});

export class Member {
  readonly uri: string;
  readonly endpoint: SipEndpoint;
  readonly heard: Heard[] = [];
  readonly ends: SubscriptionEnd[] = [];
  readonly #options: MemberOptions;
  readonly #tcp: SipTransport & { cut(): void };
  reply: Reply = OK;
  subscription: Subscription | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.uri = options.uri;
    const { network, address, clock } = options;
    this.#tcp = network.stream("TCP", address);
    const transports = [network.udp(address), this.#tcp];
    this.endpoint = createSipEndpoint({ transports, clock, random, user: "ue" });
  }

  start(): Promise<void> {
    return this.endpoint.start();
  }

  /** Everything of its own, unless told otherwise. */
  list(): string[] {
    return [...this.#options.groups.map(groupDocumentPath), gktpUserCollection(this.uri)];
  }

  subscribe(
    options: Partial<SubscribeOptions> & {
      mode?: string;
      list?: readonly string[];
      token?: string | null;
    } = {},
  ): Subscription {
    const { mode = "xcap-patching", list = this.list(), token = this.#options.token, ...more } = options;
    this.subscription = this.endpoint.subscribe({
      uri: this.#options.gms,
      from: this.uri,
      event: { value: "xcap-diff", params: new Map(mode === "" ? [] : [["diff-processing", mode]]) },
      accept: [MEDIA.xcapDiff],
      ...listBody(list),
      headers: (h) => void (token !== null && h.append("Authorization", `Bearer ${token}`)),
      onNotify: (notify) => this.#take(notify),
      onEnd: (end) => this.ends.push(end),
      ...more,
    });
    return this.subscription;
  }

  #take(notify: Notify): Answer | Promise<Answer> {
    const parts = partsOf(notify);
    const [diff] = parts;
    if (diff === undefined) return { status: 200 };
    const read = readXcapDiff(diff);
    const patches = read.documents.flatMap((document) => document.patches ?? []);
    const added = patches.flatMap((patch) => ("add" in patch ? [patch.add] : []));
    const heard = { diff: read, added, messages: parts.slice(1), notify };
    this.heard.push(heard);
    return this.reply(heard);
  }

  /** Hex of every message that it was sent. */
  get messages(): Set<string> {
    const all = this.heard.flatMap(({ added, messages }) => [
      ...added.map(({ octets }) => octets),
      ...messages,
    ]);
    return new Set(all.map(toHex));
  }

  get last(): Heard {
    return this.heard.at(-1)!;
  }

  cut(): void {
    this.#tcp.cut();
  }

  close(): Promise<void> {
    return this.endpoint.close();
  }
}

function partsOf({ contentType, body }: Notify): readonly Uint8Array[] {
  if (body.length === 0) return [];
  if (contentType?.value !== MEDIA.multipartMixed) return [body];
  const boundary = contentType.params.get("boundary");
  const parts = readMultipart(`${contentType.value};boundary=${boundary}`, body);
  return parts.filter(({ contentType: type }) => mediaTypeOf(type) !== "").map((part) => part.body);
}

export function listBody(list: readonly string[]): { contentType: string; body: Uint8Array } {
  return { contentType: MEDIA.resourceLists, body: utf8(writeResourceLists(list)) };
}

/** The list beside the token (TS 24.481 6.3.13.2). */
export function listAndToken(list: readonly string[], accessToken: string) {
  return writeMultipart([
    { contentType: MEDIA.resourceLists, body: utf8(writeResourceLists(list)) },
    { contentType: MEDIA.mcpttInfo, body: utf8(writeMcpttInfo({ accessToken })) },
  ]);
}
