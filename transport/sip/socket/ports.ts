export interface HostPort {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** The place to connect to. */
export interface Remote extends HostPort {
  /**
   * The domain that a certificate must be for (RFC 5922 4), where that is another name: SRV records and addresses lead
   * on.
   */
  readonly domain?: string;
}

/** Returns where peers reach a socket: what was asked for, with the port that the system gave where that is 0. */
export function reachedAt(place: HostPort, port: number): HostPort {
  return place.port === 0 ? { ...place, port } : place;
}

/** As in a Via header field. */
export type TransportName = "UDP" | "TCP" | "TLS" | "WS" | "WSS";

/** One place that a name leads to (RFC 3263 4). */
export interface NextHop extends Remote {
  readonly transport: TransportName;
}

/** A way to a peer: a connection, or an address that datagrams go to. */
export interface Flow {
  readonly transport: TransportName;
  /** Nothing is lost on it while it is open, so nothing is sent again. */
  readonly reliable: boolean;
  readonly remote: HostPort;
  /** Numeric, where `remote` has a name. */
  readonly address?: string | undefined;
  /** The peer opened it, so that nothing says that another could be opened to there. */
  readonly accepted: boolean;
  readonly open: boolean;
  /** Somebody on it has proven who they are. Of an address that datagrams come from that cannot be said. */
  readonly proven?: boolean;
  /** Notes that proof: what comes on it is no longer held to the limits of what has none. */
  vouch?(): void;
  /** Rejects when the octets surely do not arrive. */
  send(bytes: Uint8Array): Promise<void>;
  close(): void;
  /** Ends a connection whose peer is silent, without waiting for it. */
  abort(): void;
}

export interface TransportEvents {
  /** The octets of one message. */
  message(bytes: Uint8Array, flow: Flow): void;
  /** The answer to a keep-alive came (RFC 5626 4.4.1). */
  pong?(flow: Flow): void;
  /** A connection has ended, on either side. */
  closed(flow: Flow): void;
  /** A peer was turned away below SIP: what it sent, or failed to send in time, is no message, or it made room. */
  refused?(code: string, transport: TransportName, remote: HostPort): void;
}

export interface SipTransport {
  readonly name: TransportName;
  readonly reliable: boolean;
  /** The address that stands in Via and Contact, once started. One that accepts no flows has a name ending in ".invalid". */
  readonly sentBy: { readonly host: string; readonly port?: number };
  start(events: TransportEvents): Promise<void>;
  /** The flow to that peer: the one there is, or a new one. */
  connect(remote: Remote): Promise<Flow>;
  close(): Promise<void>;
}

/** One line of a log; no secrets and no bodies are among the details. */
export type SipLog = (event: string, details: Readonly<Record<string, string | number>>) => void;
