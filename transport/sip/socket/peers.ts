/** The parts that the sockets of Node.js share: addresses, and how much may wait. */
import type { Admission } from "../../admission/admission.ts";
import type { Remote } from "./ports.ts";

/** Octets that may wait for a peer that does not read, before it counts as gone. */
const MAX_BACKLOG = 16 * 1024 * 1024;
/** The same for one without proof: some answers of the largest kind. */
const MAX_BACKLOG_WITHOUT_PROOF = 64 * 1024;
/** Octets of a waiting answer to a keep-alive and above: the peer does not read, so another would be for nobody. */
export const PONG_BACKLOG = 1024;

export function backlogOf(isBound: boolean): number {
  return isBound ? MAX_BACKLOG_WITHOUT_PROOF : MAX_BACKLOG;
}

/** Milliseconds for the first message of a connection, and for the rest of one that was begun. */
export const MESSAGE_TIMEOUT = 30_000;

/** The options that listeners of connections have in common. */
export interface AcceptOptions {
  /** Bounds what nobody has vouched for, together with the other listeners of the process. Without it nothing does. */
  readonly admission?: Admission | undefined;
  /** Whether an address stands for many peers, as that of a proxy does. */
  readonly shared?: ((address: string) => boolean) | undefined;
  /**
   * Milliseconds that a handshake, the first message of an accepted connection, and the rest of any begun may take.
   * Default 30 s.
   */
  readonly messageTimeout?: number;
}

/**
 * Returns the key by which connections are found again: one whose certificate is for another name is not reused (RFC
 * 5923 8.1).
 */
export function peerKey({ host, port, domain = "" }: Remote): string {
  return `${host.toLowerCase()} ${port} ${domain.toLowerCase()}`;
}
