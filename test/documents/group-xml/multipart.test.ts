import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, utf8 } from "../../../base/bytes.ts";
import { mediaTypeOf, type Part, readMultipart, writeMultipart } from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";

/** Octets with pieces of what could be taken for a boundary. */
const body = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc
        .constantFrom(
          "\r\n",
          "--",
          "-",
          "\r",
          "\n",
          "--part-",
          "--part-00000001",
          "part-00000002",
          "--\r\n",
          " ",
          "\r\n\r\n",
        )
        .map(utf8),
      fc.integer({ min: 1, max: 4 }).map((n) => utf8(`\r\n--part-0000000${n}\r\nContent-Type: a/b\r\n\r\n`)),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => concat(...pieces));
const part: fc.Arbitrary<Part> = fc.record(
  {
    contentType: fc.constantFrom("application/mikey", 'text/plain; charset="utf-8"'),
    body,
    contentId: fc.emailAddress(),
    contentDisposition: fc.constantFrom("render", "attachment; filename=a"),
  },
  { requiredKeys: ["contentType", "body"] },
);

const TYPE = 'multipart/mixed; boundary="b"';
const read = (text: string, type = TYPE) =>
  readMultipart(type, utf8(text)).map((p) => [p.contentType, new TextDecoder().decode(p.body)]);
const codeOf = (text: string, type?: string) => errorCode(() => read(text, type));

describe("multipart bodies", () => {
  it("are read as they were written, whatever their parts hold", () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const { contentType, body } = writeMultipart(parts);
        expect(readMultipart(contentType, body)).toEqual(parts);
      }),
      { numRuns: 300 },
    );
  });

  it("have a boundary that occurs in none of their parts", () => {
    const numbers = Array.from({ length: 2000 }, (_, i) => `--part-${String(i + 1).padStart(8, "0")}`);
    const { contentType } = writeMultipart([{ contentType: "a/b", body: utf8(numbers.join("")) }]);
    expect(contentType).toBe('multipart/mixed; boundary="part-00002001"');
  });

  it("have octets of their own", () => {
    const source = utf8("--b\r\n\r\nabc\r\n--b--");
    const [only] = readMultipart(TYPE, source);
    source.fill(0);
    expect(only!.body).toEqual(utf8("abc"));
  });

  it("are read with preamble, epilogue, padding and folded headers", () => {
    const text = [
      "This is a preamble, with --b in it",
      "--bb",
      "--b \t",
      "content-TYPE :\ttext/x;",
      "  a=1",
      "",
      "one",
      "--b",
      "",
      "two",
      "--bx",
      "",
      "--b--",
      "--b",
      "epilogue",
    ].join("\r\n");
    expect(read(text)).toEqual([
      ["text/x; a=1", "one"],
      ["text/plain; charset=us-ascii", "two\r\n--bx\r\n"],
    ]);
  });

  it("may hold lines that merely look like the boundary", () => {
    expect(read("--bx\r\n\r\nno\r\n--b\r\n\r\nyes\r\n--b--")).toEqual([
      ["text/plain; charset=us-ascii", "yes"],
    ]);
  });

  it.each([
    ["multipart/mixed; boundary=b"],
    ["Multipart/Mixed;charset=x;BOUNDARY=b;x=y"],
    ['multipart/related; type="a/b"; boundary="b"'],
  ])("may be of any multipart type: %s", (type) => {
    expect(read("--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--\r\n", type)).toEqual([["a/b", "x"]]);
  });

  it("have base64 parts decoded", () => {
    const encoded = (encoding: string, content: string) =>
      `--b\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${content}\r\n--b--`;
    expect(read(encoded("BASE64", "YWJj\r\nZGVm\r\n"))[0]![1]).toBe("abcdef");
    expect(read(encoded("8bit", "YWJj"))[0]![1]).toBe("YWJj");
    expect(codeOf(encoded("base64", "Y*"))).toBe("codec/MULTIPART_ENCODING");
    expect(codeOf(encoded("quoted-printable", "a=3D"))).toBe("codec/MULTIPART_ENCODING");
  });

  it.each([
    ["no boundary", "multipart/mixed"],
    ["an empty boundary", 'multipart/mixed; boundary=""'],
    ["a boundary of 71 characters", `multipart/mixed; boundary=${"b".repeat(71)}`],
    ["a boundary with a blank at its end", 'multipart/mixed; boundary="b "'],
    ["a boundary with a line break", 'multipart/mixed; boundary="b\r\n"'],
    ["another type", "text/plain; boundary=b"],
  ])("are refused for a content type with %s", (_, type) => {
    expect(codeOf("--b\r\n\r\nx\r\n--b--", type)).toBe("codec/MULTIPART_TYPE");
  });

  it.each([
    ["nothing in it", "", "FORMAT"],
    ["no boundary", "abc", "FORMAT"],
    ["no end", "--b\r\n\r\nabc", "FORMAT"],
    ["an end without line", "--b\r\n\r\nabc\r\n--b", "FORMAT"],
    ["no parts", "--b--\r\n", "FORMAT"],
    ["no empty line", "--b\r\nContent-Type: a/b\r\n--b--", "FORMAT"],
    ["nothing between two boundaries", "--b\r\n--b--", "FORMAT"],
    ["a header that is none", "--b\r\nabc\r\n\r\nx\r\n--b--", "FORMAT"],
    ["a header that does not end", `--b\r\nX: ${"x".repeat(9000)}\r\n\r\nx\r\n--b--`, "FORMAT"],
    ["line ends of one octet", "--b\n\nx\n--b--\n", "FORMAT"],
    ["too many parts", `${"--b\r\n\r\nx\r\n".repeat(33)}--b--`, "LIMIT"],
  ])("with %s are refused", (_, text, code) => {
    expect(codeOf(text)).toBe(`codec/MULTIPART_${code}`);
  });

  it("are read up to the limits", () => {
    expect(read(`${"--b\r\n\r\nx\r\n".repeat(32)}--b--`)).toHaveLength(32);
    expect(errorCode(() => readMultipart(TYPE, new Uint8Array((16 << 20) + 1)))).toBe(
      "codec/MULTIPART_LIMIT",
    );
    const header = concat(utf8("--b\r\nX: "), Uint8Array.of(0xff), utf8("\r\n\r\nx\r\n--b--"));
    expect(errorCode(() => readMultipart(TYPE, header))).toBe("codec/BAD_UTF8");
  });

  it("are not written with headers that break out, or without parts", () => {
    const body = Uint8Array.of();
    for (const bad of [
      { contentType: "a/b\r\nX: y" },
      { contentType: "" },
      { contentType: "a/b", contentId: "\n" },
    ]) {
      expect(errorCode(() => writeMultipart([{ body, ...bad }]))).toBe("usage/BAD_PART");
    }
    expect(errorCode(() => writeMultipart([]))).toBe("usage/BAD_PART");
    expect(errorCode(() => writeMultipart(Array(33).fill({ contentType: "a/b", body })))).toBe(
      "usage/BAD_PART",
    );
  });

  it("are parsed or refused with a codec error, whatever they are", () => {
    const pieces = fc.constantFrom(
      "--b",
      "\r\n",
      "--",
      " ",
      "X: y",
      ":",
      "a",
      "--b--",
      "--b\r\n",
      "\r\n--b\r\n",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        expect(codeOf(parts.join(""))).toMatch(/^(none|codec\/MULTIPART_FORMAT)$/);
      }),
      { numRuns: 1000 },
    );
  });
});

it("media types are compared without parameters", () => {
  expect(mediaTypeOf("Application/MIKEY ; a=b")).toBe("application/mikey");
  expect(mediaTypeOf("")).toBe("");
});
