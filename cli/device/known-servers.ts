/** The servers of a client: those that run on this machine, by their data folder, or those named by options. */
import { defined } from "../../base/defined.ts";
import type { Running } from "../gms/running-file.ts";
import { usageError } from "../terminal/usage.ts";
import { type SipServer, sipServer } from "./sip.ts";

export interface ServerArgs {
  readonly kmsUrl?: string;
  readonly kmsUri?: string;
  readonly gmsUri?: string;
  readonly gmsKms?: string;
  readonly xcapRoot?: string;
  readonly sip?: string;
  readonly ca?: string;
}

export interface KnownServers {
  readonly kmsUrl: string;
  readonly kmsUri?: string;
  readonly gmsUri: string;
  /** The KMS that keyed the GMS; that of the user when absent. */
  readonly gmsKmsUri?: string;
  readonly xcapRoot?: string;
  readonly sip?: SipServer;
  readonly ca?: string;
}

/** `sip` of the arguments may be a transport of the servers that run here: udp, tcp, tls, ws, wss. Usage error NO_SERVER. */
export function knownServers(args: ServerArgs, running: Running | undefined): KnownServers {
  const kmsUrl = args.kmsUrl ?? running?.kmsUrl;
  const gmsUri = args.gmsUri ?? running?.gmsUri;
  if (kmsUrl === undefined || gmsUri === undefined) {
    throw usageError("NO_SERVER", "give --kms-url and --gms-uri, or --local for the servers of this machine");
  }
  const kmsUri = args.kmsUri ?? running?.kmsUri;
  const gmsKmsUri = args.gmsKms ?? running?.kmsUri;
  const xcapRoot = args.xcapRoot ?? running?.xcapRoot;
  const ca = args.ca ?? running?.ca;
  const sip = sipOf(args.sip, running);
  return {
    kmsUrl,
    gmsUri,
    ...defined({ kmsUri, gmsKmsUri, xcapRoot, sip, ca }),
  };
}

/** TLS and WebSocket by name need the transport said, which stands in the URI only as ws. */
function sipOf(given: string | undefined, running: Running | undefined): SipServer | undefined {
  const ways = running?.sip ?? {};
  if (given === undefined) return ways.udp === undefined ? undefined : sipServer(ways.udp, "--sip");
  const known = Object.hasOwn(ways, given) ? ways[given] : undefined;
  if (known === undefined) return sipServer(given, "--sip");
  const server = sipServer(known, "--sip");
  return { ...server, way: given as SipServer["way"] };
}
