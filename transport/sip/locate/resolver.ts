/** DNS, as far as it says where SIP is (RFC 3263). */

/** RFC 2782. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** A name; "." means that the service is not to be had there. */
  readonly target: string;
}

/** RFC 3403, as RFC 3263 4.1 uses it. */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  /** As "SIP+D2T". */
  readonly service: string;
  /** A name with SRV records. */
  readonly replacement: string;
}

/** Each resolves to nothing where there is no such record, and rejects when DNS does not answer. */
export interface SipResolver {
  naptr(domain: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** IPv4 and IPv6, in the order in which they are to be tried. */
  addresses(host: string): Promise<readonly string[]>;
}
