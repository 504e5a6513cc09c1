/** ErrorType of the schema: the KmsError of a response, the ClientError of a request. */
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, type XmlNode } from "../xml/xml-writer.ts";
import { integerOf, required, textOf } from "./fields.ts";

const VERSION = "1.0.0";

export interface KmsErrorInfo {
  readonly errorCode: number;
  readonly errorMsg: string;
}

export function readErrorInfo(source: XmlElement): KmsErrorInfo {
  return {
    errorCode: required(source, "ErrorCode", integerOf),
    errorMsg: required(source, "ErrorMsg", textOf),
  };
}

export function errorInfoNode(name: string, { errorCode, errorMsg }: KmsErrorInfo): XmlNode {
  return element(name, { Version: VERSION }, [leaf("ErrorCode", errorCode), leaf("ErrorMsg", errorMsg)]);
}
