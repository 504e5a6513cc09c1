import { XmlDocument, XsdValidator } from "libxml2-wasm";

/** Throws when a document is not valid against the schema. */
export function validatorOf(xsd: string): (document: string) => void {
  const schema = XmlDocument.fromString(xsd);
  const validator = XsdValidator.fromDoc(schema);
  schema.dispose();
  return (document) => {
    const parsed = XmlDocument.fromString(document);
    try {
      validator.validate(parsed);
    } finally {
      parsed.dispose();
    }
  };
}
