/** A part of a view whose scripts are loaded when somebody looks at it. */
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say } from "../../client/app/notice.ts";
import { errorText } from "./words.ts";

export function Loaded({ load }: { readonly load: () => Promise<FunctionComponent> }) {
  const [Part, setPart] = useState<FunctionComponent | undefined>(undefined);
  useEffect(() => {
    load()
      .then((part) => setPart(() => part))
      .catch((error: unknown) => {
        say(errorText(error));
      });
  }, [load]);
  return Part === undefined ? null : <Part />;
}
