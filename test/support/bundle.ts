/** Bundles for the browser. esbuild fails on anything that only Node has. */
import { build, type Metafile } from "esbuild";

export interface Bundle {
  /** Bundled text by the name of the entry. */
  readonly text: Readonly<Record<string, string>>;
  /** Paths of the sources that went in. */
  readonly sources: readonly string[];
}

/** `entries`: names and paths, absolute or relative to the repository. */
export async function bundle(entries: Readonly<Record<string, string>>): Promise<Bundle> {
  const result = await build({
    entryPoints: Object.entries(entries).map(([out, path]) => ({ in: path, out })),
    outdir: "/",
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    logLevel: "silent",
  });
  const text = Object.fromEntries(result.outputFiles.map((file) => [nameOf(file.path), file.text]));
  return { text, sources: sourcesOf(result.metafile) };
}

function nameOf(path: string): string {
  return path.replace(/^.*[/\\]/, "").replace(/\.js$/, "");
}

/** Only what left octets in the output, not what was looked at and dropped. */
function sourcesOf({ outputs }: Metafile): string[] {
  const kept = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return kept.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
}
