/** The stock that inputs are made of: traffic of honest clients as it was recorded, and where the servers are. */
import { MEDIA, mediaTypeOf, readMultipart } from "../../documents/group-xml/index.ts";
import { messageParts } from "./inputs/sip-text.ts";

export const SIP_CHANNELS = [
  "gms-udp",
  "gms-tcp",
  "gms-tls",
  "gms-ws",
  "gms-wss",
  "mcx-udp",
  "mcx-tcp",
  "mcx-tls",
  "mcx-ws",
  "mcx-wss",
] as const;
export type SipChannel = (typeof SIP_CHANNELS)[number];
export const HTTP_CHANNELS = ["kms", "xcap", "kms-admin", "gms-admin", "mcx-admin"] as const;
export type HttpChannel = (typeof HTTP_CHANNELS)[number];
/** SIP channels with connections. */
export const STREAM_CHANNELS = SIP_CHANNELS.filter((channel) => !channel.endsWith("udp"));
/** Sockets of media and of floor control at the server, and all sockets of the honest clients. */
export type DatagramChannel = "media" | "floor" | "client-sip" | "client-media" | "client-floor";
export type Channel = SipChannel | HttpChannel | DatagramChannel;

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface RecordedHttp {
  readonly method: string;
  /** The path with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The form in which it is given to a process in a file; octets are in base64. */
export interface StockFile {
  /** Messages that clients sent to the GMS and to the MCX server, and that came to clients. */
  readonly sip: { readonly gms: string[]; readonly mcx: string[]; readonly client: string[] };
  readonly http: { readonly kms: RecordedHttp[]; readonly xcap: RecordedHttp[] };
  readonly media: string[];
  readonly floor: string[];
  readonly places: Readonly<Partial<Record<Channel, readonly Place[]>>>;
  /** A place where nothing may arrive. */
  readonly thirdParty: Place;
  /** Access tokens of a user who is in no group, tokens that are over, and such as somebody else signed. */
  readonly tokens: Readonly<
    Record<"outsider" | "expired" | "forged", Readonly<Record<"kms" | "gms" | "mcx", string>>>
  >;
}

export interface Stock extends Omit<StockFile, "sip" | "media" | "floor"> {
  readonly sip: Readonly<Record<"gms" | "mcx" | "client", readonly Uint8Array[]>>;
  readonly media: readonly Uint8Array[];
  readonly floor: readonly Uint8Array[];
  /** Out of bodies. */
  readonly mikey: readonly Uint8Array[];
  readonly xml: readonly Uint8Array[];
}

const octets = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

export function loadStock(file: StockFile): Stock {
  const { gms, mcx, client } = file.sip;
  const sip = { gms: gms.map(octets), mcx: mcx.map(octets), client: client.map(octets) };
  const parts = [...sip.gms, ...sip.mcx, ...sip.client].flatMap(partsOf);
  const of = (isWanted: (type: string) => boolean) =>
    parts.filter(({ contentType }) => isWanted(mediaTypeOf(contentType))).map(({ body }) => body);
  const inXml = of((type) => type.endsWith("xml")).flatMap(hexMessages);
  return {
    ...file,
    sip,
    media: file.media.map(octets),
    floor: file.floor.map(octets),
    mikey: [...of((type) => type === MEDIA.mikey), ...inXml],
    xml: [
      ...of((type) => type.endsWith("xml")),
      ...file.http.kms
        .map(({ body }) => new Uint8Array(Buffer.from(body)))
        .filter(({ length }) => length > 0),
    ],
  };
}

function partsOf(message: Uint8Array) {
  const { head, body } = messageParts(message);
  const contentType = /^(?:Content-Type|c) *: *(.*)$/im.exec(head)?.[1]?.trim();
  if (contentType === undefined || body.length === 0) return [];
  return contentType.startsWith("multipart/") ? readMultipart(contentType, body) : [{ contentType, body }];
}

/** I_MESSAGEs stand in XML in hexadecimal digits. */
function hexMessages(document: Uint8Array): Uint8Array[] {
  const found =
    Buffer.from(document)
      .toString("latin1")
      .match(/[0-9A-Fa-f]{400,}/g) ?? [];
  return found.map((digits) => new Uint8Array(Buffer.from(digits, "hex")));
}
