/** DNS with the records that a test gives it. */
import type { NaptrRecord, SipResolver, SrvRecord } from "../../../transport/sip/index.ts";

export interface Zone {
  readonly naptr?: Readonly<Record<string, readonly NaptrRecord[]>>;
  readonly srv?: Readonly<Record<string, readonly SrvRecord[]>>;
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
}

export class FakeDns implements SipResolver {
  zone: Zone;
  isAway = false;
  isSilent = false;
  readonly asked: string[] = [];

  constructor(zone: Zone) {
    this.zone = zone;
  }

  naptr(domain: string): Promise<readonly NaptrRecord[]> {
    return this.#answer(domain, this.zone.naptr);
  }

  srv(name: string): Promise<readonly SrvRecord[]> {
    return this.#answer(name, this.zone.srv);
  }

  addresses(host: string): Promise<readonly string[]> {
    return this.#answer(host, this.zone.addresses);
  }

  #answer<T>(name: string, records: Readonly<Record<string, readonly T[]>> = {}): Promise<readonly T[]> {
    this.asked.push(name);
    if (this.isSilent) return new Promise(() => undefined);
    return this.isAway
      ? Promise.reject(new Error("DNS does not answer"))
      : Promise.resolve(records[name] ?? []);
  }
}
