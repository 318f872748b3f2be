// A chart leaves the page: as a picture, a drawing, a page of its own, or its numbers. Each says what it shows.
import { paint } from "../charts/chart";
import type { Drawn } from "./draw";

export interface Leaving {
  title: string;
  /** Rows, version, filters. */
  under: string;
  drawn: Drawn;
  name: string;
}

const WIDTH = 960;
const HEIGHT = 560;

async function sheet(leaving: Leaving, renderer: "svg" | "canvas") {
  const { init } = await import("../charts/engine");
  const colour = paint();
  const box = document.createElement("div");
  box.style.cssText = `position:fixed;left:-9999px;top:0;width:${WIDTH}px;height:${HEIGHT}px`;
  document.body.append(box);
  const chart = init(box, null, { renderer, width: WIDTH, height: HEIGHT, devicePixelRatio: 2 });
  const option = leaving.drawn.build(colour, false) as { grid?: { top?: number; bottom?: number }; legend?: object };
  chart.setOption({
    color: colour.series,
    backgroundColor: colour.surface,
    textStyle: { fontFamily: colour.font, color: colour.ink2, fontSize: 14 },
    ...option,
    animation: false,
    grid: { ...option.grid, left: 24, right: 48, top: (option.grid?.top ?? 16) + 52, bottom: (option.grid?.bottom ?? 8) + 44 },
    legend: option.legend ? { ...option.legend, top: 50, left: 20 } : undefined,
    title: [
      { text: leaving.title, left: 20, top: 16, textStyle: { color: colour.ink, fontFamily: colour.font, fontSize: 20, fontWeight: 600 } },
      {
        text: leaving.under,
        left: 20,
        bottom: 12,
        textStyle: { color: colour.ink3, fontFamily: colour.font, fontSize: 14, fontWeight: 400, width: WIDTH - 40, overflow: "truncate" },
      },
    ],
  });
  const done = () => {
    chart.dispose();
    box.remove();
  };
  return { chart, done };
}

/** The picture as a `data:` address. */
export async function pngOf(leaving: Leaving): Promise<string> {
  const { chart, done } = await sheet(leaving, "canvas");
  await new Promise((ready) => setTimeout(ready, 60));
  const address = chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: paint().surface });
  done();
  return address;
}

export async function asPng(leaving: Leaving): Promise<void> {
  save(await pngOf(leaving), `${leaving.name}.png`);
}

async function svgText(leaving: Leaving): Promise<string> {
  const { chart, done } = await sheet(leaving, "svg");
  await new Promise((ready) => setTimeout(ready, 60));
  const text = chart.renderToSVGString();
  done();
  return text;
}

export async function asSvg(leaving: Leaving): Promise<void> {
  saveText(await svgText(leaving), "image/svg+xml", `${leaving.name}.svg`);
}

/** One page with nothing to load: the drawing, what it shows, and its numbers as a table. */
export async function asHtml(leaving: Leaving): Promise<void> {
  const { columns, rows } = leaving.drawn.numbers();
  const head = columns.map((each) => `<th scope="col">${escape(each)}</th>`).join("");
  const body = rows
    .slice(0, 20_000)
    .map((row) => `<tr>${row.map((value) => `<td>${escape(value ?? "")}</td>`).join("")}</tr>`)
    .join("\n");
  const colour = paint();
  const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(leaving.title)}</title>
<style>body{margin:0 auto;max-width:1000px;padding:24px;background:${colour.surface};color:${colour.ink};font:16px/1.5 system-ui,sans-serif}svg{max-width:100%;height:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:4px 12px;border-bottom:1px solid ${colour.line};text-align:left}p{color:${colour.ink2}}
@media print{details{display:none}}</style></head>
<body><h1>${escape(leaving.title)}</h1>${await svgText(leaving)}<p>${escape(leaving.under)}. ${escape(leaving.drawn.note ?? "")} Made ${escape(new Date().toISOString().slice(0, 16).replace("T", " "))} UTC.</p>
<details><summary>The numbers</summary><table><thead><tr>${head}</tr></thead><tbody>
${body}
</tbody></table></details></body></html>`;
  saveText(page, "text/html", `${leaving.name}.html`);
}

export function asCsv(leaving: Leaving): void {
  const { columns, rows } = leaving.drawn.numbers();
  saveText([columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n"), "text/csv", `${leaving.name}.csv`);
}

/** A field of CSV; a text that a spreadsheet would run is kept a text. */
function field(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r\n\0＝＋－＠]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function escape(value: unknown): string {
  return String(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Hand a text to the visitor as a file. */
export function saveText(text: string, type: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  save(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function save(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name.replace(/[\\/:*?"<>|]+/g, " ").slice(0, 120);
  link.click();
}
