/** The participants of a group's call: the conference state of RFC 4575, as much of it as TS 24.379 10.1.3 needs. */
import { element, writeXml } from "../xml/xml-writer.ts";
import {
  attribute,
  childrenOf,
  malformed,
  optionalChild,
  parseRoot,
  requireAtMost,
  requiredAttribute,
  uriAttribute,
} from "./fields.ts";
import { CONFERENCE_INFO_NAMESPACE, DOCUMENT_LIMITS, GROUP_XML_LIMITS } from "./names.ts";

export interface ConferenceInfo {
  /** URI of the conference: of the group. */
  readonly entity: string;
  /** full: all users are there. partial: those that have changed. deleted: the call is over. */
  readonly state: "full" | "partial" | "deleted";
  /** One more with each document of a subscription. */
  readonly version: number;
  readonly users: readonly ConferenceUser[];
}

export interface ConferenceUser {
  readonly uri: string;
  /** False: they have left. */
  readonly isPresent: boolean;
}

const STATES = ["full", "partial", "deleted"] as const;
const VERSION = /^\d{1,10}$/;
const MAX_VERSION = 0xffff_ffff;
/** Statuses of an endpoint with which its user is not in the call, or not yet (RFC 4575 5.7.2). */
const ABSENT = ["disconnected", "disconnecting", "pending", "dialing-in", "dialing-out", "alerting"];

export function writeConferenceInfo({ entity, state, version, users }: ConferenceInfo): string {
  const nodes = users.map(({ uri, isPresent }) => {
    if (!isPresent) return element("user", { entity: uri, state: "deleted" }, []);
    const status = element("status", {}, "connected");
    return element("user", { entity: uri, state: "full" }, [element("endpoint", { entity: uri }, [status])]);
  });
  const attributes = { xmlns: CONFERENCE_INFO_NAMESPACE, entity, state, version: String(version) };
  return writeXml(element("conference-info", attributes, [element("users", {}, nodes)]));
}

/**
 * A user of whom several endpoints are named is there with one that is connected, or whose status is not said.
 *
 * @throws {MikeySakkeError} codec: as `readGktpDocument`; `GROUP_XML_DUPLICATE` for a user who is named twice
 */
export function readConferenceInfo(document: string | Uint8Array): ConferenceInfo {
  const root = parseRoot(document, CONFERENCE_INFO_NAMESPACE, "conference-info", DOCUMENT_LIMITS);
  const state = stateOf(attribute(root, "state"));
  if (state === undefined) throw malformed(root, "state is none of RFC 4575");
  const version = requiredAttribute(root, "version").trim();
  if (!VERSION.test(version) || Number(version) > MAX_VERSION)
    throw malformed(root, "version is no number of 32 bits");
  const list = optionalChild(root, "users");
  const found = list === undefined ? [] : childrenOf(list, "user");
  requireAtMost(root, found.length, GROUP_XML_LIMITS.conferenceUsers, "users");
  const users = found.map((user): ConferenceUser => {
    const endpoints = childrenOf(user, "endpoint");
    const isPresent =
      attribute(user, "state") !== "deleted" &&
      (endpoints.length === 0 ||
        endpoints.some((endpoint) => !ABSENT.includes(optionalChild(endpoint, "status")?.text.trim() ?? "")));
    return { uri: uriAttribute(user, "entity"), isPresent };
  });
  if (new Set(users.map(({ uri }) => uri)).size < users.length) {
    throw malformed(list!, "a user is there twice", "GROUP_XML_DUPLICATE");
  }
  return { entity: uriAttribute(root, "entity"), state, version: Number(version), users };
}

/** 5.1: full where it is not said. */
function stateOf(value = "full"): ConferenceInfo["state"] | undefined {
  return STATES.find((state) => state === value);
}
