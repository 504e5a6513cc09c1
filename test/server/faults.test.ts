/** The text in which a server names the faults of a configuration or request. */
import { expect, it } from "vitest";
import { z } from "zod";
import { parseKmsConfig } from "../../roles/kms/common/config.ts";
import { faultsOf } from "../../roles/server/faults.ts";

const schema = z.strictObject({ ports: z.array(z.number()) });
const faults = (value: unknown, name?: string) => faultsOf(schema.safeParse(value).error!, name);

it("the faults of a value name the path of each, below the name of the whole", () => {
  expect(faults({ ports: ["a", 2, "c"] })).toMatch(/^ports\.0: .+; ports\.2: [^;]+$/);
  expect(faults({ ports: ["a"] }, "body")).toMatch(/^body\.ports\.0: /);
  expect(faults(7)).toMatch(/^\(top\): /);
  expect(faults(7, "body")).toMatch(/^body: /);
});

it("the faults of a value are named up to the twentieth, and the others counted", () => {
  const text = faults({ ports: Array.from({ length: 100_000 }, () => "none") });
  expect(text.match(/ports\.\d+: /g)).toHaveLength(20);
  expect(text).toMatch(/; and 99980 more$/);
  expect(text.length).toBeLessThan(2000);
});

it("a configuration with ten thousand unknown servers is refused with a text that can be read", () => {
  const servers = Array.from({ length: 10_000 }, () => 7);
  const refused = () => parseKmsConfig({ kmsUri: "kms.example.org", servers });
  expect(refused).toThrow(/^KMS configuration: servers\.0: .+; and 9980 more$/);
});
