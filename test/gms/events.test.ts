import { expect, it } from "vitest";
import { createEvents } from "../../roles/gms/common/events.ts";
import { noLog } from "../../roles/gms/common/log.ts";

it("a GMS event reaches every listener until it is removed, even if another one throws", () => {
  const errors: object[] = [];
  const { tell, on } = createEvents({ ...noLog, error: (facts) => errors.push(facts) });
  const told: string[] = [];
  on({
    sealed() {
      throw new TypeError("a detail");
    },
  });
  const off = on({
    sealed: (uris) => told.push(...uris),
    groupsChanged: (uris) => told.push(...uris),
    rekeyProgress: (rekey) => told.push(`rekey ${rekey}`),
  });
  tell.sealed(["sip:a"]);
  tell.groupsChanged(["sip:g"]);
  tell.rekeyProgress(7);
  off();
  tell.sealed(["sip:b"]);
  expect(told).toEqual(["sip:a", "sip:g", "rekey 7"]);
  expect(errors).toEqual([
    { code: "INTERNAL", message: "TypeError" },
    { code: "INTERNAL", message: "TypeError" },
  ]);
});
