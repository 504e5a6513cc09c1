/** What the SIP layer is given: time, randomness, and transports with their flows. */

export interface Clock {
  /** Milliseconds; only differences and the wall time of nonces depend on it. */
  now(): number;
  /** Runs once after so many milliseconds, unless the function it returns is called before. */
  after(milliseconds: number, run: () => void): () => void;
}

export type RandomBytes = (length: number) => Uint8Array;

export interface HostPort {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** As in a Via header field. */
export type TransportName = "UDP" | "TCP" | "TLS" | "WS" | "WSS";

/** A way to a peer: a connection, or an address that datagrams go to. */
export interface Flow {
  readonly transport: TransportName;
  /** Nothing is lost on it while it is open, so nothing is sent again. */
  readonly reliable: boolean;
  readonly remote: HostPort;
  /** The peer opened it, so that nothing says that another could be opened to there. */
  readonly accepted: boolean;
  readonly open: boolean;
  /** Rejects when the octets surely do not arrive. */
  send(bytes: Uint8Array): Promise<void>;
  close(): void;
}

export interface TransportEvents {
  /** The octets of one message. */
  message(bytes: Uint8Array, flow: Flow): void;
  /** A connection is gone, whoever ended it. */
  closed(flow: Flow): void;
}

export interface SipTransport {
  readonly name: TransportName;
  readonly reliable: boolean;
  /** What stands in Via and Contact, once started. One that accepts no flows has a name ending in ".invalid". */
  readonly sentBy: { readonly host: string; readonly port?: number };
  start(events: TransportEvents): Promise<void>;
  /** The flow to that peer: the one there is, or a new one. */
  connect(remote: HostPort): Promise<Flow>;
  close(): Promise<void>;
}

/** One line of a log; no secrets and no bodies are among the details. */
export type SipLog = (event: string, details: Readonly<Record<string, string | number>>) => void;
