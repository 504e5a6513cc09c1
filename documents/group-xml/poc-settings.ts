/** The settings that a client publishes of itself with its service authorisation (RFC 4354; TS 24.379 7.2.2). */
import { element, leaf, writeXml } from "../xml/xml-writer.ts";

const NAMESPACE = "urn:oma:params:xml:ns:poc:poc-settings";

/** @param client names the settings of this client among those of the user */
export function writePocSettings(client: string): string {
  const answer = element("am-settings", {}, [leaf("answer-mode", "automatic")]);
  return writeXml(
    element("poc-settings", { xmlns: NAMESPACE }, [element("entity", { id: client }, [answer])]),
  );
}
