// How long answers take at each door, and how long jobs wait for a worker.
import * as format from "../format";
import type { LatencyRead } from "../schema";
import { Card } from "../parts/surface";

const DOORS: Record<string, [string, string]> = {
  dashboard: ["Dashboard", "answer"],
  api: ["API and JupyterLab", "answer"],
  queue: ["Wait for a worker", "job"],
};

export function Latency({ of }: { of: LatencyRead[] }) {
  return (
    <Card
      title="Latency"
      note={of.length ? "Answers of the last five minutes, and the jobs that began last." : "Nothing was asked in the last five minutes."}
      flush={of.length > 0}
    >
      {of.length > 0 && (
        <table class="list-table">
          <thead>
            <tr>
              <th scope="col">Where</th>
              <th scope="col" class="right">
                Typical
              </th>
              <th scope="col" class="right">
                95 of 100
              </th>
              <th scope="col" class="right wide-only">
                Slowest
              </th>
            </tr>
          </thead>
          <tbody>
            {of.map((each) => {
              const [words, unit] = DOORS[each.door] ?? [each.door, "answer"];
              return (
                <tr key={each.door}>
                  <th scope="row">
                    {words}
                    <span class="small muted" style={{ display: "block", fontWeight: 400 }}>
                      {format.counted(each.answers, unit)}
                    </span>
                  </th>
                  <td class="right num">{took(each.p50_ms)}</td>
                  <td class="right num">{took(each.p95_ms)}</td>
                  <td class="right num wide-only">{took(each.slowest_ms)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function took(milliseconds: number): string {
  return milliseconds < 1000 ? `${format.rough(milliseconds)} ms` : `${format.rough(milliseconds / 1000)} s`;
}
