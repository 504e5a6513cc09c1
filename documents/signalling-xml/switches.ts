/** The settings of the service configuration for protection of signalling (TS 24.484 8.4.2.6, TS 24.379 4.8). */
import { MikeySakkeError } from "../../base/errors.ts";
import { parseBoolean, trimmed } from "../xml/values.ts";
import { parseXml, type XmlElement } from "../xml/xml-reader.ts";
import { SIGNALLING_XML_LIMITS } from "./names.ts";

/** The protection that is required. */
export interface SignallingSwitches {
  readonly confidentiality: boolean;
  readonly integrity: boolean;
}

export interface ServiceSwitches {
  /** Between a client and its server, under a CSK. */
  readonly client: SignallingSwitches;
  /** Between servers, under an SPK. */
  readonly servers: SignallingSwitches;
}

/** Each switch is on where it is absent. */
export const PROTECT_ALL: SignallingSwitches = { confidentiality: true, integrity: true };

/**
 * The switches of a service configuration document, wherever it has them.
 *
 * @throws {MikeySakkeError} codec `SERVICE_CONFIG` for a switch that is there twice or is not true or false; as `parseXml`
 */
export function readServiceSwitches(document: string | Uint8Array): ServiceSwitches {
  const all = [...descendants(parseXml(document, SIGNALLING_XML_LIMITS))];
  return {
    client: switchesIn(only(all, "signalling-protection")),
    servers: switchesIn(only(all, "protection-between-mcptt-servers")),
  };
}

function* descendants(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const child of element.children) yield* descendants(child);
}

function switchesIn(element: XmlElement | undefined): SignallingSwitches {
  if (element === undefined) return PROTECT_ALL;
  if (element.children.length === 0 && trimmed(element.text) !== "") {
    const both = booleanOf(element);
    return { confidentiality: both, integrity: both };
  }
  const all = switchOf(element, "allow-signalling-protection");
  return {
    confidentiality: all && switchOf(element, "confidentiality-protection"),
    integrity: all && switchOf(element, "integrity-protection"),
  };
}

function switchOf({ children }: XmlElement, local: string): boolean {
  const found = only(children, local);
  return found === undefined || booleanOf(found);
}

function only(elements: readonly XmlElement[], local: string): XmlElement | undefined {
  const [found, ...more] = elements.filter((element) => element.local === local);
  if (more.length > 0) throw malformed(found!, "there more than once");
  return found;
}

function booleanOf(element: XmlElement): boolean {
  const value = parseBoolean(trimmed(element.text));
  if (value === undefined || element.children.length > 0) throw malformed(element, "not true or false");
  return value;
}

function malformed({ path }: XmlElement, what: string): MikeySakkeError {
  return new MikeySakkeError("codec", "SERVICE_CONFIG", `${path}: ${what}`);
}
