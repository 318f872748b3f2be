// The audit log: looked through by what, who, how it ended and when; checked to be whole; taken away.
import { useEffect, useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { useCall } from "../query";
import { place, refine } from "../router";
import type { AuditRead, AuditVerification, Page as Listed } from "../schema";
import { Button } from "../parts/button";
import { Dialog, Menu } from "../parts/dialog";
import { Input, Select } from "../parts/field";
import { Ago, Badge, Bones, Card, Empty, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

const OUTCOMES: Record<string, string> = { allow: "Done", deny: "Refused", error: "Failed", fail: "Failed" };
const SPANS: Record<string, number> = { day: 1, week: 7, month: 30 };

export function Audit() {
  const query = place.value.query;
  const [action, setAction] = useState(query.get("action") ?? "");
  const [actor, setActor] = useState(query.get("actor") ?? "");
  useEffect(() => {
    const timer = setTimeout(() => refine({ action: action.trim() || undefined, actor: actor.trim() || undefined }), 300);
    return () => clearTimeout(timer);
  }, [action, actor]);
  const days = SPANS[query.get("since") ?? ""];
  const [from] = useState(Date.now());
  const wanted = {
    action: query.get("action"),
    actor: query.get("actor"),
    outcome: query.get("outcome"),
    subject: query.get("subject"),
    since: days ? new Date(Math.floor(from / 60_000) * 60_000 - days * 86_400_000).toISOString() : null,
    limit: 60,
  };
  const first = useCall<Listed<AuditRead>>("audit.list", wanted, { keep: true });
  const key = JSON.stringify(wanted);
  const [more, setMore] = useState<{ key: string; rows: AuditRead[]; next: string | null }>({ key, rows: [], next: null });
  const mine = more.key === key && more.rows.length > 0;
  const cursor = mine ? more.next : (first.data?.next ?? null);
  const load = () =>
    call<Listed<AuditRead>>("audit.list", { ...wanted, cursor }).then(
      (page) => setMore({ key, rows: [...(mine ? more.rows : []), ...page.items], next: page.next }),
      (error: Failure) => toast({ tone: "bad", title: error.message }),
    );
  const rows = [...(first.data?.items ?? []), ...(mine ? more.rows : [])];
  return (
    <Card
      title="Audit log"
      note="Who did what, on what, from where, and how it ended. Nothing in it can be changed here."
      action={<Whole wanted={wanted} />}
      flush
    >
      <div class="grid-tools">
        <Input label="What was done" quiet search value={action} onInput={setAction} placeholder="What, such as dataset" />
        <Input label="Who" quiet search value={actor} onInput={setActor} placeholder="Who, by name" />
        <Select
          label="How it ended"
          quiet
          value={query.get("outcome") ?? ""}
          choices={[
            ["", "However it ended"],
            ["allow", "Done"],
            ["deny", "Refused"],
            ["error", "Failed"],
          ]}
          onChange={(value) => refine({ outcome: value || undefined })}
        />
        <Select
          label="When"
          quiet
          value={query.get("since") ?? ""}
          choices={[
            ["", "At any time"],
            ["day", "The last day"],
            ["week", "The last week"],
            ["month", "The last month"],
          ]}
          onChange={(value) => refine({ since: value || undefined })}
        />
      </div>
      {wanted.subject && (
        <div class="grid-tools">
          <span class="small muted">Only what was done to</span>
          <code class="mono small">{wanted.subject}</code>
          <Button small icon="close" onClick={() => refine({ subject: undefined })}>
            Everything
          </Button>
        </div>
      )}
      {first.error && <Trouble error={first.error} again={first.reload} />}
      {!first.data && !first.error && (
        <div class="pad">
          <Bones lines={8} height={40} />
        </div>
      )}
      {first.data && rows.length === 0 && (
        <Empty icon="shield" title="Nothing fits">
          Loosen what is looked for.
        </Empty>
      )}
      {rows.length > 0 && <Rows rows={rows} />}
      {cursor && (
        <div class="pad">
          <Button onClick={load}>Show more</Button>
        </div>
      )}
    </Card>
  );
}

function Whole({ wanted }: { wanted: Record<string, string | number | null> }) {
  const [found, setFound] = useState<AuditVerification | null>(null);
  const check = () => call<AuditVerification>("audit.verify").then(setFound, (error: Failure) => toast({ tone: "bad", title: error.message }));
  const address = (kind: string) => {
    const asked = Object.entries(wanted).filter((each): each is [string, string] => typeof each[1] === "string");
    return `/download/audit?format=${kind}&${new URLSearchParams(asked)}`;
  };
  return (
    <span class="row wrap">
      {found && (
        <Badge tone={found.ok ? "good" : "bad"} icon={found.ok ? "passed" : "alert"}>
          {found.ok ? `Whole: ${format.counted(found.rows, "row")}` : (found.findings[0]?.says ?? "Not as it was written")}
        </Badge>
      )}
      <Button small icon="shield" onClick={check}>
        Check that it is whole
      </Button>
      <Menu
        label="Take the log away"
        icon="download"
        items={[
          { label: "As CSV", icon: "download", href: address("csv"), download: true },
          { label: "As JSON lines", icon: "download", href: address("jsonl"), download: true },
        ]}
      />
    </span>
  );
}

function dotted(action: string) {
  return action.split(".").map((part, index) =>
    index ? (
      <>
        .<wbr />
        {part}
      </>
    ) : (
      part
    ),
  );
}

function Closer({ row, onClose }: { row: AuditRead; onClose: () => void }) {
  const facts: [string, string][] = [
    ["When", format.when(row.at)],
    ["Who", row.actor_name || "The machine"],
    ["What", row.action],
    ["On what", row.subject_kind ? `${row.subject_kind} ${row.subject_id ?? ""}` : ""],
    ["From", [row.door, row.address].filter(Boolean).join(" · ")],
    ["Outcome", OUTCOMES[row.outcome] ?? row.outcome],
    ...Object.entries(row.details).map(([name, value]): [string, string] => [
      format.sentence(name.replaceAll("_", " ")),
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
    ["Request", row.request_id],
  ];
  const only = () => {
    refine({ subject: row.subject_id ?? undefined });
    onClose();
  };
  return (
    <Dialog
      title={`Row ${row.id}`}
      onClose={onClose}
      actions={
        <>
          {row.subject_id && <Button onClick={only}>All that was done to it</Button>}
          <Button tone="main" onClick={onClose}>
            Done
          </Button>
        </>
      }
    >
      <dl class="recipe">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="any-break">{value}</dd>
            </div>
          ))}
      </dl>
    </Dialog>
  );
}

function Rows({ rows }: { rows: AuditRead[] }) {
  const [close, setClose] = useState<AuditRead | null>(null);
  return (
    <>
      <table class="list-table audit">
        <thead>
          <tr>
            <th scope="col" class="wide-only w-m">
              When
            </th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col" class="wide-only w-m">
              On what
            </th>
            <th scope="col" class="wide-only w-l">
              From
            </th>
            <th scope="col" class="w-out">
              Outcome
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td class="nowrap muted wide-only">
                <Ago at={row.at} />
              </td>
              <td>
                <span class="clip" style={{ display: "block" }}>
                  {row.actor_name || "The machine"}
                </span>
                <span class="small muted narrow-only">
                  <Ago at={row.at} />
                </span>
              </td>
              <td>
                <button type="button" class="link-button mono small" aria-label={`${row.action}, row ${row.id}: look closer`} onClick={() => setClose(row)}>
                  {dotted(row.action)}
                </button>
                {row.subject_kind && (
                  <span class="small muted narrow-only">
                    {row.subject_kind} {short(row.subject_id)}
                  </span>
                )}
              </td>
              <td class="muted small wide-only">
                {row.subject_kind ?? ""} <span class="mono">{short(row.subject_id)}</span>
              </td>
              <td class="muted small wide-only">
                {row.door}
                {row.address ? ` · ${row.address}` : ""}
              </td>
              <td>
                <Badge tone={row.outcome === "allow" ? "good" : "bad"}>{OUTCOMES[row.outcome] ?? row.outcome}</Badge>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {close && <Closer row={close} onClose={() => setClose(null)} />}
    </>
  );
}

/** The beginning of an id: enough to see which rows belong together. */
function short(id: string | null | undefined): string {
  return id ? id.slice(0, 8) : "";
}
