// Checks, minifies and fingerprints the page: `node build.mjs [FOLDER]` (build/ unless named). Ends with 1 and says why.
//
// Everything but index.html gets a name that changes with its content, below assets/, so that it may be kept for ever.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { build } from "esbuild";

const out = process.argv[2] ?? "build";
const NOT_THE_PAGE = new Set(["build", "node_modules", "tests"]);
const TOOLS = new Set(["build.mjs", "package.json", "package-lock.json", "README.md", ".npmrc"]);
// What the content security policy of the page forbids, found before a browser refuses it.
const INLINE = /<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=|\son[a-z]+=|javascript:/i;
const REFERENCE = /\b(href|src)="([^"#/][^":]*)"/g;

function fail(text) {
  console.error(text);
  process.exit(1);
}

async function sources(folder = ".") {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !NOT_THE_PAGE.has(entry.name)) found.push(...(await sources(path)));
    if (entry.isFile() && !TOOLS.has(entry.name)) found.push(path);
  }
  return found;
}

// Writes what is no code under a name with its content's hash, and returns the address.
async function keep(path, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const name = `${basename(path, extname(path))}-${hash}${extname(path)}`;
  await writeFile(join(out, "assets", name), content);
  return `/assets/${name}`;
}

async function bundled(entryPoints) {
  const result = await build({
    entryPoints, outdir: join(out, "assets"), entryNames: "[name]-[hash]", bundle: true, minify: true, format: "esm",
    target: ["chrome109", "firefox115", "safari16"], metafile: true, logLevel: "silent",
  }).catch((error) => fail(error.message));
  if (result.warnings.length) fail(result.warnings.map((warning) => `${warning.location?.file}: ${warning.text}`).join("\n"));
  const outputs = Object.entries(result.metafile.outputs);
  return {
    used: Object.keys(result.metafile.inputs),
    addresses: new Map(outputs.map(([path, { entryPoint }]) => [entryPoint, `/assets/${basename(path)}`])),
  };
}

const html = await readFile("index.html", "utf8");
if (INLINE.test(html)) fail(`index.html: ${html.match(INLINE)[0].trim()} is inline, which the page's policy forbids`);
const references = [...html.matchAll(REFERENCE)].map((match) => match[2]);

await rm(out, { recursive: true, force: true });
await mkdir(join(out, "assets"), { recursive: true });
const { used, addresses } = await bundled(references.filter((path) => /\.(js|css)$/.test(path)));

for (const path of references.filter((name) => name.endsWith(".svg"))) {
  addresses.set(path, await keep(path, await readFile(path).catch(() => fail(`index.html names ${path}, which is missing`))));
}
for (const path of references.filter((name) => name.endsWith(".json"))) {
  const manifest = JSON.parse(await readFile(path, "utf8"));
  for (const icon of manifest.icons) {
    icon.src = addresses.get(icon.src) ?? (await keep(icon.src, await readFile(icon.src)));
    addresses.set(basename(icon.src), icon.src);
  }
  addresses.set(path, await keep(path, JSON.stringify(manifest)));
}

const lost = references.filter((path) => !addresses.has(path));
if (lost.length) fail(`index.html names ${lost.join(", ")}, and no step here makes that`);
const unused = (await sources()).filter((path) => ![...used, ...references, "index.html"].includes(path));
if (unused.length) fail(`nothing of the page uses ${unused.join(", ")}`);

const page = html.replace(REFERENCE, (_, attribute, path) => `${attribute}="${addresses.get(path)}"`);
await writeFile(join(out, "index.html"), page.replace(/^\s+/gm, ""));
console.log(`${out}: index.html and ${(await readdir(join(out, "assets"))).join(", ")}`);
