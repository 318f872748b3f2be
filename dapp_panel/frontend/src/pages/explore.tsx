// Explore: charts over every row of one table that filter each other, key figures, and the rows themselves.
import { useEffect, useState } from "preact/hooks";
import { everyFilter, filtersOf, readCharts, readFigures, writeCharts } from "../explore/board";
import { ChartCard } from "../explore/card";
import { EditChart } from "../explore/edit";
import { Figures } from "../explore/figures";
import { FilterBar, filterWords, readFilters } from "../filters";
import * as format from "../format";
import { PAGE, useMore } from "../pages_of";
import { useCall } from "../query";
import { go, place, refine, to } from "../router";
import type { BoardRead, ChartRequest, DatasetRead, Filter, Page as Listed, Profile } from "../schema";
import { Button, Segmented } from "../parts/button";
import { ChooseDataset } from "../parts/choose_dataset";
import { Input } from "../parts/field";
import { Icon } from "../parts/icon";
import { Bones, Card, Empty, Notice, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";
import { Head, Page } from "../shell/page";
import { Grid } from "./grid";

export function Explore({ id }: { id: string | undefined }) {
  const asked = Number(place.value.query.get("version"));
  const opened = useCall<Opened>(id ? "explore.open" : null, asked > 0 ? { ref: id ?? "", version: asked } : { ref: id ?? "" });
  const dataset = opened.data?.dataset;
  const search = (id ? "" : place.value.query.get("search")) ?? "";
  const [text, setText] = useState(search);
  useEffect(() => {
    const timer = setTimeout(() => !id && text !== search && refine({ search: text }), 200);
    return () => clearTimeout(timer);
  }, [text]);
  const listed = useCall<Listed<DatasetRead>>(id ? null : "datasets.list", { search: search || null, limit: PAGE }, { keep: true });
  const more = useMore<DatasetRead>("datasets.list", listed.data, search);
  const ready = [...(listed.data?.items ?? []), ...more.items].filter((each) => each.status === "ready");
  return (
    <Page wide={Boolean(id)}>
      <Head
        title="Explore"
        lead={id ? undefined : "Choose a dataset. Its charts are drawn from every row, and filter each other."}
        crumbs={dataset && [{ label: dataset.name, href: to(`/datasets/${dataset.id}`) }]}
      />
      {listed.error && <Trouble error={listed.error} again={listed.reload} />}
      {!id && !listed.data && <Bones lines={2} height={70} />}
      {!id && (ready.length > 0 || search) && (
        <Input class="search-field" label="Search data" quiet search value={text} onInput={setText} placeholder="Search by name" />
      )}
      {!id && listed.data && ready.length === 0 && search && (
        <Card>
          <Empty icon="search" title={`Nothing is called “${search}”`} action={<Button onClick={() => setText("")}>Show everything</Button>} />
        </Card>
      )}
      {!id && listed.data && ready.length === 0 && !search && (
        <Card>
          <Empty icon="explore" title="Nothing to explore yet" action={<Button href={to("/datasets")}>Go to Data</Button>}>
            Once a dataset is ready, its columns can be looked at here.
          </Empty>
        </Card>
      )}
      {!id && ready.length > 0 && (
        <ul class="pick-cards">
          {ready.map((each) => (
            <li key={each.id}>
              <a class="model-card" href={to(`/explore/${each.id}`)}>
                <span class="row" style={{ "--gap": "10px" }}>
                  <Icon name="file" />
                  <span class="strong clip">{each.name}</span>
                </span>
                <span class="small muted">
                  {format.counted(each.rows, "row")}, {format.counted(each.column_count, "column")}
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {!id && more.next && (
        <Button onClick={more.load} class="center">
          Show more
        </Button>
      )}
      {id && opened.error && <Trouble error={opened.error} again={opened.reload} />}
      {id && !dataset && !opened.error && <Bones lines={2} height={200} />}
      {dataset?.status === "ready" && opened.data?.profile && <Board key={dataset.id} dataset={dataset} profile={opened.data.profile} />}
      {dataset && dataset.status !== "ready" && <Notice title={`${dataset.name} is not ready yet`}>Its page says how it goes.</Notice>}
    </Page>
  );
}

interface Opened {
  dataset: DatasetRead;
  profile: Profile | null;
}

function Board({ dataset, profile }: { dataset: DatasetRead; profile: Profile }) {
  const [adding, setAdding] = useState(false);
  const charts = readCharts(profile);
  const figures = readFigures(dataset);
  const filters = readFilters();
  const table = place.value.query.get("view") === "rows";
  const asked = { ref: dataset.id, version: dataset.version, charts: charts.map(bare), figures, filters };
  const board = useCall<BoardRead>("explore.board", asked, { keep: true });
  // The other datasets are for the chooser alone, so they are asked for once the charts are there.
  const answered = board.data !== undefined;
  const put = (at: number, chart: ChartRequest | null) =>
    writeCharts(chart ? charts.map((each, place) => (place === at ? chart : each)) : charts.filter((_, place) => place !== at));
  const picked = charts.flatMap((each, at) => ((each.picks ?? []).length ? [{ at, words: pickWords(each.picks ?? []) }] : []));
  return (
    <>
      <div class="board-tools no-print">
        <ChooseDataset label="Dataset" quiet value={dataset.id} present={dataset} wait={!answered} onChange={(value) => go(`/explore/${value}`)} />
        <Segmented
          label="View"
          value={table ? "rows" : "charts"}
          choices={[
            { value: "charts", label: "Charts", icon: "explore" },
            { value: "rows", label: "Rows", icon: "table" },
          ]}
          onChange={(value) => refine({ view: value === "rows" ? "rows" : undefined })}
        />
        <span class="end row">
          <Button icon="link" onClick={copyLink}>
            Copy link
          </Button>
          <Button tone="main" icon="plus" onClick={() => setAdding(true)}>
            Chart
          </Button>
        </span>
      </div>
      {!table && (
        <div class="filter-line">
          <FilterBar columns={dataset.schema} profiles={profile.columns} />
          {picked.map((each) => (
            <span class="chip picked" key={each.at}>
              <span class="chip-words">{each.words}</span>
              <button
                type="button"
                class="chip-close"
                aria-label={`Unpick: ${each.words}`}
                onClick={() => put(each.at, { ...(charts[each.at] as ChartRequest), picks: [] })}
              >
                <Icon name="close" size={14} />
              </button>
            </span>
          ))}
        </div>
      )}
      <Figures dataset={dataset} board={board.data} figures={figures} filters={everyFilter(charts)} />
      {board.error && <Trouble error={board.error} again={board.reload} />}
      {table && <Grid dataset={dataset} picked={charts.flatMap((each) => each.picks ?? [])} />}
      {!table && (
        <div class="board" data-charts={charts.length}>
          {charts.map((chart, at) => (
            <ChartCard
              key={`${at}${chart.x}${chart.y ?? ""}`}
              chart={chart}
              answer={board.data?.charts[at]}
              dataset={dataset}
              version={board.data?.version ?? dataset.version}
              profile={profile}
              filters={filtersOf(charts, at)}
              total={board.data?.rows ?? dataset.rows ?? 0}
              onChange={(fresh) => put(at, fresh)}
              onRemove={() => put(at, null)}
            />
          ))}
          {charts.length === 0 && (
            <Card>
              <Empty
                icon="explore"
                title="An empty board"
                action={
                  <Button tone="main" icon="plus" onClick={() => setAdding(true)}>
                    Add a chart
                  </Button>
                }
              >
                Pick a column or two; the chart that fits them is drawn from every row.
              </Empty>
            </Card>
          )}
        </div>
      )}
      <p class="small muted">
        {everyFilter(charts).length
          ? `${format.count(board.data?.fit)} of ${format.counted(board.data?.rows, "row")} pass.`
          : `Every one of ${format.counted(board.data?.rows, "row")} is counted.`}{" "}
        Press a bar, or draw over a stretch, to show only those rows in the other charts.
      </p>
      {adding && <EditChart profile={profile} chart={null} onDone={(chart) => writeCharts([chart, ...charts].slice(0, 12))} onClose={() => setAdding(false)} />}
    </>
  );
}

/** What matters for the numbers. */
function bare(chart: ChartRequest): ChartRequest {
  return { ...chart, picks: chart.picks ?? [] };
}

function pickWords(picks: Filter[]): string {
  return picks.map(filterWords).join(", ");
}

function copyLink(): void {
  navigator.clipboard.writeText(location.href).then(
    () => toast({ tone: "good", title: "The link was copied. It opens the same charts, filters and picks." }),
    () => toast({ tone: "bad", title: "The browser did not let it be copied. Copy the address of this page." }),
  );
}
