/**
 * Node selectors (RFC 4825 6.3), as far as they name one node step by step: names and `*`, `[n]`, `[@name="value"]`, and
 * at the end `@name` or `namespace::*`.
 */
import { defined, ifDefined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";

/** A name whose prefix is resolved. */
export interface SelectedName {
  readonly namespace: string;
  readonly local: string;
}

export interface SelectorStep {
  /** Absent for `*`. */
  readonly name?: SelectedName;
  /** Counted from 1 among the siblings of that name. */
  readonly position?: number;
  readonly attribute?: SelectedName & { readonly value: string };
}

export interface NodeSelector {
  /** From the root element. */
  readonly steps: readonly SelectorStep[];
  /** An attribute of the element, or the namespaces in its scope, in place of the element. */
  readonly terminal?: SelectedName | "namespaces";
}

const MAX_STEPS = 16;
const NAME = "[\\p{L}_][\\p{L}\\p{N}._-]*";
const QNAME = `(?:(${NAME}):)?(${NAME})`;
const STEP = new RegExp(
  `^(?:\\*|${QNAME})(?:\\[(\\d{1,9})\\])?(?:\\[@${QNAME}=(?:"([^"]*)"|'([^']*)')\\])?$`,
  "u",
);
const ATTRIBUTE = new RegExp(`^@${QNAME}$`, "u");
const PREFIX = new RegExp(`^xmlns\\((${NAME})=([^()]*)\\)\\s*`, "u");

/**
 * Reads a selector and the query with the prefixes it uses (`xmlns(a=urn:x)…`), both with percent-encoding undone.
 * Element names without prefix are of `defaultNamespace`, which the application usage has (RFC 4825 5.3).
 *
 * @throws {MikeySakkeError} codec `XCAP_PATH`
 */
export function parseNodeSelector(selector: string, query: string, defaultNamespace: string): NodeSelector {
  const prefixes = readPrefixes(query);
  const nameOf = (prefix: string | undefined, local: string, unprefixed: string): SelectedName => {
    const namespace = prefix === undefined ? unprefixed : prefixes.get(prefix);
    if (namespace === undefined) throw badSelector(`prefix ${prefix} is not declared in the query`);
    return { namespace, local };
  };
  const steps = splitSteps(selector);
  const last = steps.at(-1)!;
  const attribute = ATTRIBUTE.exec(last);
  const terminal =
    last === "namespace::*"
      ? "namespaces"
      : attribute === null
        ? undefined
        : nameOf(attribute[1], attribute[2]!, "");
  if (terminal !== undefined) steps.pop();
  if (steps.length === 0 || steps.length > MAX_STEPS)
    throw badSelector(`expected 1 to ${MAX_STEPS} elements`);
  return {
    steps: steps.map((text) => {
      const match = STEP.exec(text);
      if (match === null) throw badSelector("a step of a form that is not supported");
      const [, prefix, local, position, attributePrefix, attributeName, double, single] = match;
      return {
        ...(local !== undefined && { name: nameOf(prefix, local, defaultNamespace) }),
        ...defined({ position: ifDefined(position, Number) }),
        ...(attributeName !== undefined && {
          attribute: { ...nameOf(attributePrefix, attributeName, ""), value: double ?? single ?? "" },
        }),
      };
    }),
    ...defined({ terminal }),
  };
}

/** At slashes that are not in quotes. */
function splitSteps(selector: string): string[] {
  const steps = [""];
  let quote = "";
  for (const c of selector) {
    if (quote === "" ? c === '"' || c === "'" : c === quote) quote = quote === "" ? c : "";
    if (c === "/" && quote === "") steps.push("");
    else steps[steps.length - 1] += c;
  }
  return steps;
}

function readPrefixes(query: string): Map<string, string> {
  const prefixes = new Map<string, string>();
  let rest = query.trim();
  while (rest !== "") {
    const match = PREFIX.exec(rest);
    if (match === null) throw badSelector("the query is not of the form xmlns(prefix=namespace)");
    prefixes.set(match[1]!, match[2]!);
    rest = rest.slice(match[0].length);
  }
  return prefixes;
}

function badSelector(what: string): MikeySakkeError {
  return new MikeySakkeError("codec", "XCAP_PATH", `node selector: ${what}`);
}
