/** A dialog: what two user agents remember of each other (RFC 3261 12). */
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  CONTACT,
  FROM,
  type NameAddress,
  nameAddress,
  RECORD_ROUTE,
  ROUTE,
  TO,
  tagOf,
  VIA,
} from "../codec/addresses.ts";
import { createRequest, type SipRequest, type SipResponse } from "../codec/message.ts";
import { CALL_ID, CSEQ, MAX_FORWARDS } from "../codec/scalars.ts";
import { parseSipUri } from "../codec/uri.ts";
import { mayRoute, type TargetPolicy, type Way } from "../core/targets.ts";
import type { Flow } from "../socket/ports.ts";
import { DialogSource } from "./source.ts";

/** Methods whose Contact is the new remote target (12.2; RFC 6665 4.1.2.2, 4.4.1). */
const TARGET_REFRESH = new Set(["INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"]);

interface DialogStart {
  readonly callId: string;
  /** With their tags, as they stand in From and To of what is sent. */
  readonly local: NameAddress;
  readonly remote: NameAddress;
  readonly remoteTarget: string;
  readonly routeSet: readonly NameAddress[];
  readonly localNumber: number;
  readonly remoteNumber?: number;
  /** The flow that the peer itself opened, if it did. */
  readonly flow?: Flow | undefined;
  readonly source: DialogSource;
  readonly policy?: TargetPolicy | undefined;
}

export class Dialog {
  readonly callId: string;
  readonly local: NameAddress;
  readonly remote: NameAddress;
  #remoteTarget: string;
  readonly #routeSet: readonly NameAddress[];
  #localNumber: number;
  #remoteNumber: number | undefined;
  #flow: Flow | undefined;
  readonly #source: DialogSource;
  readonly #policy: TargetPolicy | undefined;

  constructor(start: DialogStart) {
    this.callId = start.callId;
    this.local = start.local;
    this.remote = start.remote;
    this.#remoteTarget = start.remoteTarget;
    this.#routeSet = start.routeSet;
    this.#localNumber = start.localNumber;
    this.#remoteNumber = start.remoteNumber;
    this.#flow = start.flow;
    this.#source = start.source;
    this.#policy = start.policy;
  }

  get remoteTarget(): string {
    return this.#remoteTarget;
  }

  get remoteTag(): string | undefined {
    return tagOf(this.remote);
  }

  /**
   * The way of the next request. A flow must be kept where the peer opened it itself, as its Contact may lead nowhere then
   * (RFC 7118 5, RFC 5626 5.3), and where route set or remote target name a host that the policy does not permit.
   */
  get way(): Way {
    const next = this.#routeSet[0]?.uri ?? this.#remoteTarget;
    const { flow } = this.#source;
    if (flow !== undefined && !mayRoute(next, flow, this.#policy)) return { flow, only: true };
    return {
      flow: this.#routeSet.length === 0 ? this.#flow : undefined,
      only: false,
      toward: this.#routeSet[0]?.uri,
    };
  }

  /** Returns whether a request came from the peer of this dialog. */
  isFrom(flow: Flow): boolean {
    return this.#source.has(flow);
  }

  /** No proxy is in the route set. */
  get isDirect(): boolean {
    return this.#routeSet.length === 0;
  }

  /** 12.2.1.1: a request within the dialog, without Via and Contact. */
  request(method: string, body?: Uint8Array): SipRequest {
    const [first] = this.#routeSet;
    const strict = first !== undefined && !parseSipUri(first.uri).params.has("lr");
    const request = createRequest(method, strict ? first.uri : this.#remoteTarget, body);
    const routes = strict ? [...this.#routeSet.slice(1), nameAddress(this.#remoteTarget)] : this.#routeSet;
    // An ACK has the number of its INVITE, which the caller knows.
    if (method !== "ACK") this.#localNumber++;
    request.headers
      .set(ROUTE, ...routes)
      .set(MAX_FORWARDS, 70)
      .set(FROM, this.local)
      .set(TO, this.remote)
      .set(CALL_ID, this.callId)
      .set(CSEQ, { number: this.#localNumber, method });
    return request;
  }

  /** A number for a request that is sent again, as after a challenge (22.2). */
  nextNumber(): number {
    return ++this.#localNumber;
  }

  /** 12.2.2: false when the request is out of order and gets 500. A remote target is taken over. */
  accept(request: SipRequest, flow: Flow): boolean {
    const { number } = request.headers.need(CSEQ);
    if (this.#remoteNumber !== undefined && number <= this.#remoteNumber) return false;
    this.#remoteNumber = number;
    if (TARGET_REFRESH.has(request.method)) this.#refreshTarget(request);
    this.#flow = flowOf(request, flow);
    this.#source.note(flow);
    return true;
  }

  /** 12.2.1.2: the 2xx of a target refresh request moves the remote target. */
  answered(response: SipResponse): void {
    if (response.status < 300) this.#refreshTarget(response);
  }

  #refreshTarget(message: SipRequest | SipResponse): void {
    const contact = message.headers.get(CONTACT);
    if (contact !== undefined && contact !== "*") this.#remoteTarget = contact.uri;
  }
}

/** 12.1.1: the dialog that our response with this tag to the request makes. */
export function dialogOfRequest(
  request: SipRequest,
  localTag: string,
  flow: Flow,
  policy?: TargetPolicy,
): Dialog {
  const { headers } = request;
  const to = headers.need(TO);
  const source = new DialogSource(true, policy);
  source.note(flow);
  return new Dialog({
    callId: headers.need(CALL_ID),
    local: nameAddress(to.uri, new Map([["tag", localTag]])),
    remote: headers.need(FROM),
    remoteTarget: contactOf(request),
    routeSet: headers.all(RECORD_ROUTE),
    localNumber: 0,
    remoteNumber: headers.need(CSEQ).number,
    flow: flowOf(request, flow),
    source,
    policy,
  });
}

/**
 * 12.1.2: the dialog that this response makes for the one who sent the request. `peer`: the flow that the other side has opened
 * itself, and where else requests to it may go.
 */
export function dialogOfResponse(
  request: SipRequest,
  response: SipResponse,
  source: DialogSource,
  peer: Pick<DialogStart, "flow" | "policy"> = {},
): Dialog {
  return new Dialog({
    callId: request.headers.need(CALL_ID),
    local: request.headers.need(FROM),
    remote: response.headers.need(TO),
    remoteTarget: contactOf(response),
    routeSet: [...response.headers.all(RECORD_ROUTE)].reverse(),
    localNumber: request.headers.need(CSEQ).number,
    source,
    ...peer,
  });
}

/** RFC 6665 4.1.2.4: the dialog that a NOTIFY makes for the subscriber, whose SUBSCRIBE had that CSeq and went to there. */
export function dialogOfNotify(
  notify: SipRequest,
  localNumber: number,
  flow: Flow,
  source: DialogSource,
): Dialog {
  const { headers } = notify;
  source.note(flow);
  return new Dialog({
    callId: headers.need(CALL_ID),
    local: headers.need(TO),
    remote: headers.need(FROM),
    remoteTarget: contactOf(notify),
    routeSet: headers.all(RECORD_ROUTE),
    localNumber,
    remoteNumber: headers.need(CSEQ).number,
    flow: flowOf(notify, flow),
    source,
  });
}

/** 12.1: what makes a dialog has one Contact, a SIP or SIPS URI. */
function contactOf(message: SipRequest | SipResponse): string {
  const contacts = message.headers.all(CONTACT);
  const [contact] = contacts;
  if (contact === undefined || contact === "*" || contacts.length > 1) {
    throw new MikeySakkeError("codec", "SIP_CONTACT", "SIP: what makes a dialog needs one Contact");
  }
  parseSipUri(contact.uri);
  return contact.uri;
}

/** With one Via the peer of a connection is the user agent itself, and no proxy that did not record its route. */
function flowOf(request: SipRequest, flow: Flow): Flow | undefined {
  return flow.reliable && flow.accepted && request.headers.all(VIA).length === 1 ? flow : undefined;
}
