/** Where a server listens: what the command line says before what the configuration says. */
import { defined } from "../../base/defined.ts";

export interface ListenOptions {
  readonly host?: string;
  /** 0 is any. */
  readonly port?: number;
  /** The port after `port` when absent: two servers of a kind on one machine differ in one option. */
  readonly adminPort?: number;
}

interface Listening {
  readonly listen?: { readonly host?: string | undefined; readonly port?: number | undefined } | undefined;
  readonly admin?: { readonly host?: string | undefined; readonly port?: number | undefined } | undefined;
}

/** Returns the place, without a part on which neither says anything. */
export function listenOf({ host, port, adminPort }: ListenOptions, given: Listening = {}): Listening {
  const admin = adminPort ?? portAfter(port, 1);
  return defined({
    listen: partOf({ ...given.listen, ...defined({ host, port }) }),
    admin: partOf({ ...given.admin, ...defined({ port: admin }) }),
  });
}

/** Returns the part of a configuration, or undefined for one that says nothing. */
export function partOf<T extends object>(part: T): T | undefined {
  return Object.keys(part).length > 0 ? part : undefined;
}

/** Returns the port that is `n` after another; after 0, which is any port, it is 0 again. */
export function portAfter<Port extends number | undefined>(port: Port, n: number): Port {
  return (port === undefined || port === 0 ? port : port + n) as Port;
}

/** Returns the options that the configuration of a new folder keeps: port 0, which is any, counts for one start only. */
export function lasting<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== 0)) as T;
}
