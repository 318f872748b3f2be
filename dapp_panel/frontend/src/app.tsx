import { render as draw } from "preact";
import { attach, call, open, line } from "./channel";
import { Frame } from "./shell/frame";
import { useCall } from "./query";
import "./live";

function Test() {
  const home = useCall<unknown>("home");
  return <pre>{line.value} {JSON.stringify(home.data ?? home.error, null, 1)}</pre>;
}
draw(<Frame><Test /></Frame>, document.querySelector("#app") as HTMLElement);
(globalThis as any).importShim = Object.assign((url: string) => import(new URL(url, document.baseURI).href), { addImportMap: () => undefined });
requestAnimationFrame(() => setTimeout(() => void open(), 0));
export function render({ model }: { model: any }) { attach(model); return document.createElement("div"); }
