// Where a thing came from and what was made from it, as a picture of boxes from left to right.
import { useMemo } from "preact/hooks";
import * as format from "../format";
import { useCall } from "../query";
import { to } from "../router";
import type { Lineage, LineageNode } from "../schema";
import { Icon, type IconName } from "../parts/icon";
import { Bone, Card, Empty, Trouble } from "../parts/surface";

const SIGNS: Record<LineageNode["kind"], IconName> = { file: "file", version: "data", model: "model", prediction: "predict" };
const WORDS: Record<LineageNode["kind"], string> = { file: "File", version: "Version", model: "Model", prediction: "Predictions" };
const BOX = { width: 208, height: 66, across: 84, down: 22 };

interface Placed {
  node: LineageNode;
  x: number;
  y: number;
}

/** Each node one column right of the furthest thing that it was made from. */
function place(lineage: Lineage): { placed: Map<string, Placed>; width: number; height: number } {
  const depth = new Map(lineage.nodes.map((each) => [each.id, 0]));
  for (let turn = 0; turn < lineage.nodes.length; turn++) {
    let moved = false;
    for (const edge of lineage.edges) {
      const wanted = (depth.get(edge.source) ?? 0) + 1;
      if (wanted > (depth.get(edge.target) ?? 0) && wanted < lineage.nodes.length) {
        depth.set(edge.target, wanted);
        moved = true;
      }
    }
    if (!moved) break;
  }
  const filled = new Map<number, number>();
  const placed = new Map<string, Placed>();
  for (const node of lineage.nodes) {
    const column = depth.get(node.id) ?? 0;
    const line = filled.get(column) ?? 0;
    filled.set(column, line + 1);
    placed.set(node.id, { node, x: column * (BOX.width + BOX.across), y: line * (BOX.height + BOX.down) });
  }
  const columns = Math.max(0, ...depth.values()) + 1;
  return { placed, width: columns * (BOX.width + BOX.across) - BOX.across, height: Math.max(1, ...filled.values()) * (BOX.height + BOX.down) - BOX.down };
}

export function LineagePicture({ kind, id }: { kind: "datasets" | "models"; id: string }) {
  const found = useCall<Lineage>(kind === "datasets" ? "datasets.lineage" : "models.lineage", { ref: id });
  const drawn = useMemo(() => (found.data ? place(found.data) : null), [found.data]);
  return (
    <Card title="Where it came from, and what was made from it" note="From left to right. Press a box to open it.">
      {found.error && <Trouble error={found.error} again={found.reload} />}
      {!found.data && !found.error && <Bone height={240} />}
      {drawn && found.data?.nodes.length === 0 && <Empty icon="lineage" title="Nothing is known of its origin" />}
      {drawn && found.data && found.data.nodes.length > 0 && (
        <div class="lineage-scroll" tabIndex={0} role="region" aria-label="Lineage">
          <div class="lineage" style={{ width: `${drawn.width}px`, height: `${drawn.height}px` }}>
            <svg width={drawn.width} height={drawn.height} aria-hidden="true">
              {found.data.edges.map((edge) => {
                const a = drawn.placed.get(edge.source);
                const b = drawn.placed.get(edge.target);
                if (!a || !b) return null;
                const [x1, y1, x2, y2] = [a.x + BOX.width, a.y + BOX.height / 2, b.x, b.y + BOX.height / 2];
                return (
                  <path
                    key={`${edge.source}${edge.target}${edge.label}`}
                    d={`M${x1} ${y1} C ${x1 + BOX.across / 2} ${y1}, ${x2 - BOX.across / 2} ${y2}, ${x2} ${y2}`}
                  >
                    <title>{edge.label}</title>
                  </path>
                );
              })}
            </svg>
            <ul>
              {[...drawn.placed.values()].map(({ node, x, y }) => {
                const how = found.data?.edges.filter((edge) => edge.target === node.id).map((edge) => edge.label) ?? [];
                return (
                  <li key={node.id} style={{ left: `${x}px`, top: `${y}px`, width: `${BOX.width}px`, height: `${BOX.height}px` }}>
                    <a class={`lineage-node ${node.here ? "here" : ""}`} href={addressOf(node)} title={how.join(", ") || undefined}>
                      <Icon name={SIGNS[node.kind]} size={18} />
                      <span class="grow">
                        <span class="strong clip" style={{ display: "block" }}>
                          {node.name}
                        </span>
                        <span class="small muted clip" style={{ display: "block" }}>
                          {WORDS[node.kind]}
                          {node.version ? ` ${node.kind === "version" ? "" : "v"}${node.version}` : ""}
                          {node.rows ? ` · ${format.short(node.rows)} rows` : ""}
                        </span>
                      </span>
                    </a>
                  </li>
                );
              })}
            </ul>
          </div>
        </div>
      )}
    </Card>
  );
}

function addressOf(node: LineageNode): string {
  if (node.subject_kind === "model") return to(`/models/${node.subject_id}`);
  return to(`/datasets/${node.subject_id}${node.kind === "version" ? "/versions" : ""}`);
}
