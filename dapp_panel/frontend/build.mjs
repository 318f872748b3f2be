// Builds the dashboard into ../dist: hashed files, a manifest that the server reads, and gzip copies beside them.
import { build, context } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "dist");
const watching = process.argv.includes("--watch");

/** Entry name (without hash) → file name with hash; the server asks for nothing else by name. */
async function writeManifest(metafile) {
  const files = {};
  const preload = {};
  for (const [path, output] of Object.entries(metafile.outputs)) {
    const file = relative(out, join(here, path));
    if (output.entryPoint) {
      files[basename(output.entryPoint).replace(/\.tsx?$/, ".js")] = file;
      preload[file] = output.imports.filter((each) => each.kind === "import-statement").map((each) => relative(out, join(here, each.path)));
    }
    if (/inter-latin-wght-normal.*\.woff2$/.test(file)) files["font.woff2"] = file;
  }
  await writeFile(join(out, "manifest.json"), JSON.stringify({ files, preload }, null, 2));
}

async function compress(metafile) {
  let total = 0;
  for (const path of Object.keys(metafile.outputs)) {
    const file = join(here, path);
    if (!/\.(js|css|svg)$/.test(file)) continue;
    const small = gzipSync(await readFile(file), { level: 9 });
    total += small.length;
    await writeFile(`${file}.gz`, small);
  }
  console.log(`dashboard built, ${(total / 1000).toFixed(0)} kB gzip`);
}

const options = {
  absWorkingDir: here,
  entryPoints: ["src/app.tsx", "src/signin.ts", "src/styles/app.css", "src/styles/signin.css", "src/assets/mark.svg"],
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  assetNames: "[name]-[hash]",
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["chrome110", "firefox110", "safari16.4"],
  minify: !watching,
  sourcemap: watching ? "linked" : false,
  legalComments: "linked",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".woff2": "file", ".svg": "copy" },
  metafile: true,
  logLevel: "warning",
  plugins: [
    {
      name: "manifest",
      setup(hooks) {
        hooks.onEnd(async ({ metafile, errors }) => {
          if (errors.length > 0 || !metafile) return;
          await writeManifest(metafile);
          await compress(metafile);
        });
      },
    },
  ],
};

/** Stands in the page itself, as a script of its own. */
const early = { absWorkingDir: here, entryPoints: ["src/early.ts"], outdir: out, bundle: true, format: "iife", target: options.target, minify: true };

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build(early);
if (watching) {
  await (await context(options)).watch();
} else {
  await build(options);
}
